"""For `manage.py doctor`: whether the keys are there, and whether the worker does its work."""

from collections.abc import Iterator, Set
from typing import Final

from audit import wiring as audit_wiring
from audit.application.status import TrailStatus
from audit.checks import LATE as SEAL_LATE
from audit.domain.errors import NoSigningKeyError
from audit.queries import lag
from audit.queries.events import DjangoSubjectDirectory
from config.findings import BROKEN, LOOK, WELL, Finding
from core import container
from core.clock import SystemClock
from core.keys import KeyRing
from mail.checks import count_late
from sessions_app import queries as sessions_queries

_OURS_TO_READ: Final = "Run this as the user whom the worker runs as."
_START: Final = (
    "Start `manage.py worker` (`manage.py serve` runs one by itself); where it runs, its log says"
    " what fails."
)


def keys() -> Iterator[Finding]:
    yield _token_keys()
    yield _audit_keys()
    yield _signing_key()


def seal() -> Finding:
    try:
        status = audit_wiring.status()
    except (OSError, ValueError) as error:
        fix = f"{_OURS_TO_READ} AUDIT_FOLDER holds it."
        return Finding("seal", BROKEN, f"The checkpoint outside cannot be read: {error}", fix)
    faults = [*_late(status), *status.warnings]
    if faults:
        fix = "`manage.py audit_seal` and `manage.py audit_status` tell what is wrong."
        return Finding("seal", LOOK, " ".join(faults), fix)
    age = "none yet" if status.sealed_ago is None else f"{status.sealed_ago:.0f} s old"
    return Finding("seal", WELL, f"the last: {age}; {status.waiting:,} events wait")


def worker() -> Finding:
    """It leaves no sign but its work."""
    waits, mails = lag.waiting("default").longest, count_late()
    left = [f"Mails that have waited for more than ten minutes: {mails}."] if mails else []
    if waits > SEAL_LATE:
        left.append(f"Events have waited {waits:.0f} s for their seal.")
    if left:
        return Finding("worker", LOOK, " ".join(left), _START)
    return Finding("worker", WELL, "nothing waits for it")


def _late(status: TrailStatus) -> list[str]:
    if status.waits <= SEAL_LATE:
        return []
    return [f"{status.waiting:,} events wait for their seal, the oldest {status.waits:.0f} s."]


def _token_keys() -> Finding:
    settings = container.get_settings()
    lost = sessions_queries.live_key_ids(SystemClock().now()) - settings.token_keys.keys.keys()
    if lost:
        names = ", ".join(sorted(lost))
        return Finding(
            "token keys",
            BROKEN,
            f"Sessions that are live were begun under keys that are not there: {names}.",
            "Put them back behind the first in TOKEN_KEYS, or their owners sign in again.",
        )
    return Finding("token keys", WELL, _told(settings.token_keys, settings.derives_token_keys))


def _audit_keys() -> Finding:
    settings = container.get_settings()
    if count := DjangoSubjectDirectory(settings.audit_keys).count_unreadable():
        return Finding(
            "audit keys",
            BROKEN,
            f"{count} pseudonyms were made under keys that are not there.",
            "Put every key that was ever first back into AUDIT_KEYS; where there were none, it was"
            " derived from the SECRET_KEY of that time.",
        )
    return Finding("audit keys", WELL, _told(settings.audit_keys, settings.derives_audit_keys))


def _told(ring: KeyRing, is_derived: bool) -> str:
    if is_derived:
        return "derived from SECRET_KEY"
    older: Set[str] = ring.keys.keys() - {ring.current}
    return f"{ring.current} is current" + (f"; older: {', '.join(sorted(older))}" if older else "")


def _signing_key() -> Finding:
    folder = audit_wiring.key_folder()
    try:
        names = [f"{key.name}+{key.verifier_key.key_id.hex()}" for key in folder.signing_keys()]
    except NoSigningKeyError as error:
        if not audit_wiring.is_sealed():
            return Finding("signing key", WELL, "the first seal makes it")
        return Finding("signing key", BROKEN, "Nothing can be sealed.", str(error))
    except (OSError, ValueError) as error:
        return Finding("signing key", LOOK, f"It cannot be read: {error}", _OURS_TO_READ)
    return Finding("signing key", WELL, names[0] if names else "")
