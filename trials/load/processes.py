"""What runs beside the writers, each in a process of its own, until the stage is over."""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import psycopg

from audit import upkeep, wiring
from audit.application.verification.verifier import Report
from audit.domain.checkpoint import read_checkpoint
from core.jobs import work
from trials.kills.children import Stage, note

_PAUSE: Final = Event()
_BETWEEN_VERIFICATIONS: Final = 0.05
_BETWEEN_VACUUMS: Final = 60
_LOOK: Final = 0.1


@dataclass
class Verifications:
    """`longest` is in seconds."""

    times: int = 0
    leaves: int = 0
    longest: float = 0.0
    findings: list[str] = field(default_factory=list)


def be_worker(stage: Stage) -> None:
    """As `manage.py worker`, in a thread as there; without mail, which nobody would receive."""
    stop = Event()
    thread = Thread(target=work, args=(upkeep.jobs(), stop, _Notes(stage.troubles)))
    thread.start()
    _wait_for_the_end(stage)
    stop.set()
    thread.join()


def be_verifier(stage: Stage, answer: Path) -> None:
    """As `manage.py audit_verify --since-last`, again and again."""
    done = Verifications()
    while not stage.is_over():
        began = time.monotonic()
        report = _verify_what_is_new()
        done.longest = max(done.longest, time.monotonic() - began)
        done.times += 1
        done.leaves += report.checked
        done.findings += map(str, report.findings)
        _PAUSE.wait(_BETWEEN_VERIFICATIONS)
    answer.write_text(json.dumps(asdict(done)))


def be_housekeeper(stage: Stage, url: str) -> None:
    """What autovacuum does elsewhere, and as gently: the servers of trials have none."""
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("SET vacuum_cost_delay = '2ms'")
        due = time.monotonic() + _BETWEEN_VACUUMS
        while not stage.is_over():
            if time.monotonic() >= due:
                database.execute("VACUUM (ANALYZE)")
                due = time.monotonic() + _BETWEEN_VACUUMS
            _PAUSE.wait(_LOOK)


def _verify_what_is_new() -> Report:
    keys = wiring.key_folder().verifier_keys()
    # Read before the trail is: the sealer keeps a checkpoint after it is in the database.
    kept = wiring.key_folder().checkpoint()
    outside = [read_checkpoint(kept, keys)] if kept else []
    report = wiring.verifier(keys).verify(wiring.verified_file().read(), outside)
    if report.verified and not report.exit_code:
        wiring.verified_file().keep(report.verified)
    return report


def _wait_for_the_end(stage: Stage) -> None:
    while not stage.is_over():
        _PAUSE.wait(_LOOK)


@dataclass(frozen=True)
class _Notes:
    """A job that failed is a trouble of the trial; the rest of the log is nobody's."""

    troubles: Path

    def debug(self, event: str, **context: Any) -> None: ...

    def info(self, event: str, **context: Any) -> None: ...

    def warning(self, event: str, **context: Any) -> None: ...

    def error(self, event: str, **context: Any) -> None:
        note(self.troubles, f"{event} {context}")

    critical = error

    def bind(self, **context: Any) -> "_Notes":
        return self
