"""After the last death: what the worker of an installation would do later, and a look by the
product's own verifiers."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any, Final

from django.db import connection

from audit import upkeep, wiring
from audit.application.sealing import SealRefusedError
from trials.kills.children import record_something

_PAUSE: Final = Event()
_LOOKS: Final = 4000  # for a quiet database, each after 5 ms


def settle(folder: Path, answer: Path) -> None:
    """Sweeps without patience, seals what is there, and lets the product verify itself."""
    _wait_until_quiet()
    while wiring.sweeper().sweep(timedelta(0)):
        pass
    record_something()  # so that there is something to seal, and the file to write
    _wait_until_final()
    try:
        upkeep.seal_and_publish()
        found = [*_verified(), *_verified_elsewhere(folder / "bundle")]
    except SealRefusedError as refused:
        found = [f"the sealer refuses: {refused}"]
    answer.write_text(json.dumps(found))


def _verified() -> Iterator[str]:
    report = wiring.verifier(wiring.key_folder().verifier_keys()).verify()
    yield from (f"the verifier: {finding}" for finding in report.findings)


def _verified_elsewhere(bundle: Path) -> Iterator[str]:
    wiring.bundle(0, None).write(bundle)
    command: list[Any] = [sys.executable, bundle / "audit_verify.py", bundle]
    command += ["--vkey", wiring.key_folder().path / "vkeys"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own program
    if ran.returncode:
        yield f"the stand-alone verifier: {ran.returncode} {ran.stdout}{ran.stderr}"


def _wait_until_quiet() -> None:
    """A server notices some time later that a client is dead, and may still commit for it."""
    _wait_for(
        "SELECT count(*) = 0 FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def _wait_until_final() -> None:
    """Transactions in the databases of other lanes hold the seal up."""
    _wait_for("SELECT max(xid) < pg_snapshot_xmin(pg_current_snapshot()) FROM audit_event")


def _wait_for(statement: str) -> None:
    if connection.vendor != "postgresql":
        return
    for _ in range(_LOOKS):
        with connection.cursor() as cursor:
            cursor.execute(statement)
            if cursor.fetchone() == (True,):
                return
        _PAUSE.wait(0.005)
    raise TimeoutError(statement)
