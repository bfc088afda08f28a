"""A million events, sealed in a few checkpoints and verified: how long, and in how much memory.

    python -m trials.million [EVENTS]

It starts a PostgreSQL of its own, and stops it at the end.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import django

from tests.plugin.servers import Servers

BATCH: Final = 10_000
SEALED_AT_ONCE: Final = 200_000
A_FEW: Final = 1000
VERIFY: Final = "--verify"
COLUMNS: Final = (
    "id, phase, action, actor_ref, subject_ref, resource_type, resource_id, correlation, ip_bi,"
    " entry, mac"
)


def main(events: int) -> None:
    with tempfile.TemporaryDirectory() as name, a_database(Path(name)):
        prepare(events, Path(name))
        # In a process of its own, whose memory is that of the verification.
        command = [sys.executable, "-m", "trials.million", VERIFY, name]
        subprocess.run(command, check=True)  # noqa: S603  ourselves


@contextmanager
def a_database(folder: Path) -> Iterator[None]:
    from django.db import connections

    folder.chmod(0o711)
    servers = Servers(folder)
    try:
        os.environ["TRIALS_DATABASE_URL"] = servers.start_postgres()
        os.environ["DJANGO_SETTINGS_MODULE"] = "trials.settings"
        yield
        connections.close_all()
    finally:
        servers.stop()


def prepare(events: int, folder: Path) -> None:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    timed("filled", events, lambda: fill(events))
    timed("sealed", events, lambda: seal(folder))


def measure(folder: Path) -> None:
    django.setup()
    from audit.models import AuditEvent

    events = AuditEvent.objects.count()
    reading = min(timed("read", events, read) for _ in range(3))
    before = peak()
    verifying = timed("verified", events, lambda: keep(folder, verifier(folder)))
    tell(f"{reading / verifying:.2f} of the speed of reading; {before} MB before, {peak()} at most")
    timed("a sample", A_FEW, lambda: verify_some(folder))
    fill(A_FEW)
    seal(folder)
    timed("what is new", A_FEW, lambda: verify_since(folder))


def fill(events: int) -> None:
    """As a replica: the trigger that sets the time of each row would be most of the work."""
    from django.db import connection, transaction

    rows = made()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    for at in range(0, events, BATCH):
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
            cursor.cursor.copy(f"COPY audit_event ({COLUMNS}) FROM STDIN") as copy,
        ):
            for row in islice(rows, min(BATCH, events - at)):
                copy.write_row(row)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("ANALYZE audit_event")


def made() -> Iterator[tuple[Any, ...]]:
    """Attempts with their outcomes, about as long as those of a login."""
    from audit.domain.entry import attempt_id, mac_of, outcome_id
    from core import container
    from core.actions import Phase
    from tests.factories import make_entry

    keys = container.get_settings().audit_keys
    example = make_entry(pii="p" * 90, source="s" * 120, at=datetime.now(UTC))
    for number in count():
        attempt = attempt_id()
        for phase, entry_id in ((Phase.ATTEMPTED, attempt), (Phase.SUCCEEDED, outcome_id(attempt))):
            entry = replace(example, id=entry_id, phase=phase, context={"number": number})
            raw = entry.encoded()
            yield (*entry.projection, raw, mac_of(raw, keys))


def seal(folder: Path) -> None:
    from audit.adapters.keys import KeyFolder
    from audit.application.sealing import Sealer
    from audit.domain.checkpoint import SigningKey
    from audit.repositories.sealed import DjangoSealedLog
    from core.settings import get_settings

    keeper = KeyFolder(folder / "audit")
    if not keeper.verifier_keys():
        keeper.add(SigningKey.generate("dashtam.invalid/audit"))
    Sealer(
        log=DjangoSealedLog("default"),
        keeper=keeper,
        mac_keys=get_settings().audit_keys,
        batch=SEALED_AT_ONCE,
    ).seal_all()


def read() -> None:
    """Merely: the same columns in the same order, by the fastest cursor that there is."""
    from django.db import connection, transaction
    from psycopg import ServerCursor

    with transaction.atomic(), ServerCursor(connection.connection, "million") as cursor:
        cursor.execute(
            f"SELECT {COLUMNS}, recorded_at, epoch, xid::text::bigint, seq"  # noqa: S608
            " FROM audit_event e ORDER BY e.epoch, e.xid, e.seq",
            binary=True,
        )
        while cursor.fetchmany(4096):
            pass


def verifier(folder: Path) -> Any:
    from audit.adapters.keys import KeyFolder
    from audit.application.verification.verifier import Verifier
    from audit.repositories.evidence import DjangoEvidence
    from core import container

    return Verifier(
        evidence=DjangoEvidence("default"),
        vkeys=KeyFolder(folder / "audit").verifier_keys(),
        mac_keys=container.get_settings().audit_keys,
    )


def keep(folder: Path, verifier: Any) -> None:
    from audit.adapters.verified import VerifiedFile

    report = verifier.verify(progress=lambda done, of: tell(f"{done} of {of}", "\r"))
    tell(f"{report.checked} leaves, exit code {report.exit_code}, {len(report.findings)} findings")
    VerifiedFile(folder).keep(report.verified)


def verify_since(folder: Path) -> None:
    from audit.adapters.verified import VerifiedFile

    report = verifier(folder).verify(VerifiedFile(folder).read())
    tell(f"{report.checked} leaves, exit code {report.exit_code}")


def verify_some(folder: Path) -> None:
    report = verifier(folder).verify_some(A_FEW)
    tell(f"{report.checked} leaves, exit code {report.exit_code}")


def timed(what: str, events: int, act: Callable[[], None]) -> float:
    """In seconds."""
    began = perf_counter()
    act()
    seconds = perf_counter() - began
    tell(f"{what}: {seconds:.1f} s, {events / seconds:,.0f} rows/s")
    return seconds


def peak() -> int:
    """MB that this process has held at most. `getrusage` would count what its parent held."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def tell(text: str, end: str = "\n") -> None:
    sys.stdout.write(f"{text}{end}")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1:2] == [VERIFY]:
        measure(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
