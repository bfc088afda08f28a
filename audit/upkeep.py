"""What keeps the trail: the worker's jobs, and what an operator does by hand."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from audit import wiring
from audit.application.erasing import ExpirePseudonyms
from audit.domain.checkpoint import Checkpoint, SigningKey, read_checkpoint
from audit.domain.errors import NoSigningKeyError
from audit.domain.events import DatabaseTrusted, EpochBegun, KeyRotated
from audit.repositories import cluster
from audit.repositories.months import make_partitions
from audit.repositories.sealed import DjangoSealedLog
from core import container
from core.jobs import Job
from core.result import Failure

_SEAL: Final = 1
_SWEEP: Final = 30
_DAY: Final = timedelta(days=1).total_seconds()
_HOUR: Final = timedelta(hours=1).total_seconds()


def jobs() -> Sequence[Job]:
    """For `manage.py worker`."""
    recent = wiring.sweeper()
    return [
        Job("seal", _SEAL, _seal_quietly),
        Job("sweep", _SWEEP, recent.sweep),
        Job("sweep everything", _DAY, lambda: wiring.sweeper().sweep()),
        Job("expire pseudonyms", _HOUR, _expire),
        Job("make partitions", _HOUR, make_partitions),
    ]


def _seal_quietly() -> None:
    """A line of the log for each second would tell nobody anything."""
    seal_and_publish()


def _expire() -> int:
    """Raises for what the worker is to log as failed."""
    settings = container.get_settings()
    expired = wiring.expire_pseudonyms().handle(
        ExpirePseudonyms(
            unknown_after=timedelta(days=settings.audit_unknown_days),
            addresses_after=timedelta(days=settings.audit_ip_days),
        )
    )
    if isinstance(expired, Failure):
        raise RuntimeError(expired.error.message)
    return expired.value


def seal_and_publish() -> Checkpoint | None:
    """Everything that can be sealed now. The first seal of a new installation makes its key."""
    sealer = wiring.sealer()
    if sealer.log.frontier().size == 0:
        _ensure_signing_key()
    made = sealer.seal_all()
    note = sealer.log.last_checkpoint() if made else None
    if made and note:
        wiring.publisher().publish(made, note)
    return made


def make_signing_key() -> None:
    with wiring.key_folder().locked():
        _add_signing_key()


def _ensure_signing_key() -> None:
    folder = wiring.key_folder()
    with folder.locked():
        try:
            folder.signing_keys()
        except NoSigningKeyError:
            _add_signing_key()


def _add_signing_key() -> None:
    """The name of the log is in its first key, and so in every checkpoint: it outlives a move."""
    folder = wiring.key_folder()
    names = [key.name for key in folder.verifier_keys()]
    origin = f"{urlsplit(container.get_settings().public_url).netloc}/audit"
    key = SigningKey.generate(names[0] if names else origin)
    if not names:
        folder.add(key)
        return
    with container.get_database().get_session() as unit:
        rotated = KeyRotated(vkey=key.verifier_key.text())
        container.get_event_bus().publish(rotated, session=unit)
        folder.add(key)


def begin_epoch() -> int | None:
    """As the owner of the tables. None where the cluster is the one that is known."""
    epoch = cluster.begin_epoch(wiring.owner())
    if epoch is not None:
        wiring.record(EpochBegun(epoch=epoch))
    return epoch


def trust_database() -> int:
    """The last checkpoint of the database is kept outside, on record; its size."""
    folder, note = wiring.key_folder(), DjangoSealedLog("default").last_checkpoint()
    if note is None:
        raise ValueError("Nothing is sealed in this database: there is nothing to trust.")
    checkpoint = read_checkpoint(note, folder.verifier_keys())
    if folder.checkpoint() is not None:
        raise ValueError(
            f"There is a checkpoint in {folder.path}: look at it before you remove it."
        )
    wiring.record(DatabaseTrusted(size=checkpoint.size))
    folder.keep(note)
    return checkpoint.size
