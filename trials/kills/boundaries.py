"""Where a process dies. Each boundary wraps what lies there, in the process that is to die alone:
product code knows nothing of it."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any, Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

import core.database
from audit.adapters.keys import KeyFolder
from audit.application import sealing
from audit.repositories.attempts import DjangoOpenAttempts
from audit.repositories.sealed import DjangoSealedLog
from audit.repositories.trail import DjangoTrail
from core import unit_of_work
from core.actions import Phase
from trials.kills.wrapping import COMMIT, wrap

_CHANGES: Final = ("INSERT", "UPDATE", "DELETE")


class Role(StrEnum):
    WRITER = "writer"
    SEALER = "sealer"
    SWEEPER = "sweeper"


@dataclass
class Trap:
    """Closes when it is passed for the last of `passes` times."""

    random: Random
    passes: int
    commits: list[float] = field(default_factory=list)

    def passed(self) -> None:
        if self._is_last():
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, commit: Callable[..., Any], *given: Any) -> None:
        """Somewhere within the next commit, or just before or behind it. A timer whose signal
        is not handled: the kernel ends the process as by SIGKILL, and to the microsecond, which
        another process could not."""
        if self._is_last():
            usual = sorted(self.commits)[len(self.commits) // 2] if self.commits else 0.0005
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, 1e-6 + self.random.uniform(0, 1.5 * usual))
            commit(*given)
            signal.pause()
        began = time.perf_counter()
        commit(*given)
        self.commits.append(time.perf_counter() - began)

    def _is_last(self) -> bool:
        self.passes -= 1
        return self.passes == 0


@dataclass(frozen=True)
class Boundary:
    """`passes` is how often it may be passed unharmed, at most."""

    role: Role
    name: str
    arm: Callable[[Trap], None]
    passes: int = 8

    def __str__(self) -> str:
        return f"{self.role}: {self.name}"


def _before_attempt(trap: Trap) -> None:
    wrap(DjangoTrail, "append", before=lambda _, entry: _if(entry.phase is Phase.ATTEMPTED, trap))


def _after_attempt(trap: Trap) -> None:
    wrap(DjangoTrail, "append", after=lambda _, entry: _if(entry.phase is Phase.ATTEMPTED, trap))


def _in_business(trap: Trap) -> None:
    def look(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(statement, params, many, context)
        is_business = statement.startswith(_CHANGES) and "audit_" not in statement
        _if(is_business and unit_of_work.is_writing(), trap)
        return result

    connection.execute_wrappers.append(look)


def _after_event(trap: Trap) -> None:
    wrap(DjangoTrail, "append", after=lambda *_: _if(connection.in_atomic_block, trap))


def _during_commit(trap: Trap) -> None:
    commit = getattr(BaseDatabaseWrapper, COMMIT)
    setattr(BaseDatabaseWrapper, COMMIT, lambda self: trap.around(commit, self))


def _after_commit(trap: Trap) -> None:
    wrap(BaseDatabaseWrapper, COMMIT, after=lambda _: trap.passed())


def _before_failure(trap: Trap) -> None:
    wrap(core.database, "record_failure", before=lambda *_: trap.passed())


def _before_signing(trap: Trap) -> None:
    wrap(sealing, "sign_checkpoint", before=lambda *_: trap.passed())


def _before_tiles(trap: Trap) -> None:
    wrap(DjangoSealedLog, "advance", before=lambda *_: trap.passed())


def _between_tiles_and_checkpoint(trap: Trap) -> None:
    """Only where a whole tile was just written, which is each 256 leaves."""
    written: list[Any] = []

    def look(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        if statement.startswith("INSERT INTO audit_tile"):
            written[:] = params
        _if(statement.startswith("INSERT INTO audit_checkpoint") and bool(written), trap)
        return execute(statement, params, many, context)

    connection.execute_wrappers.append(look)


def _before_seal_commits(trap: Trap) -> None:
    wrap(DjangoSealedLog, "advance", after=lambda *_: trap.passed())


def _while_seal_commits(trap: Trap) -> None:
    """Not while a transaction ends in which there was nothing to seal."""
    advanced: list[bool] = []
    commit = getattr(BaseDatabaseWrapper, COMMIT)

    def wrapped(self: BaseDatabaseWrapper) -> None:
        if not advanced:
            commit(self)
            return
        advanced.clear()
        trap.around(commit, self)

    wrap(DjangoSealedLog, "advance", after=lambda *_: advanced.append(True))
    setattr(BaseDatabaseWrapper, COMMIT, wrapped)


def _before_file(trap: Trap) -> None:
    wrap(KeyFolder, "keep", before=lambda *_: trap.passed())


def _before_rename(trap: Trap) -> None:
    wrap(Path, "replace", before=lambda *_: trap.passed())


def _before_abandoning(trap: Trap) -> None:
    wrap(DjangoOpenAttempts, "_insert", before=lambda *_: trap.passed())


def _after_abandoning(trap: Trap) -> None:
    wrap(DjangoOpenAttempts, "_insert", after=lambda *_: trap.passed())


def _if(condition: bool, trap: Trap) -> None:
    if condition:
        trap.passed()


NAMED: Final = (
    Boundary(Role.WRITER, "before the attempt", _before_attempt),
    Boundary(Role.WRITER, "after the attempt's commit", _after_attempt),
    Boundary(Role.WRITER, "in the business, after a write", _in_business, 16),
    Boundary(Role.WRITER, "after the event, before COMMIT", _after_event),
    Boundary(Role.WRITER, "during COMMIT", _during_commit),
    Boundary(Role.WRITER, "after COMMIT, before the response", _after_commit),
    Boundary(Role.WRITER, "after ROLLBACK, before FAILED", _before_failure, 2),
    Boundary(Role.SEALER, "before signing", _before_signing, 4),
    Boundary(Role.SEALER, "before the tiles are written", _before_tiles, 4),
    Boundary(Role.SEALER, "after a tile, before the checkpoint", _between_tiles_and_checkpoint, 1),
    Boundary(Role.SEALER, "after the checkpoint, before COMMIT", _before_seal_commits, 4),
    Boundary(Role.SEALER, "during COMMIT", _while_seal_commits, 4),
    Boundary(Role.SEALER, "after COMMIT, before the file", _before_file, 4),
    Boundary(Role.SEALER, "in the file, before its rename", _before_rename, 4),
    Boundary(Role.SWEEPER, "before its INSERT", _before_abandoning, 2),
    Boundary(Role.SWEEPER, "after its INSERT, before COMMIT", _after_abandoning, 2),
    Boundary(Role.SWEEPER, "after COMMIT", _after_commit, 2),
)


def _nowhere(trap: Trap) -> None:
    """The lane kills it."""


ANY_MOMENT: Final = tuple(Boundary(role, "at any moment", _nowhere) for role in Role)
# Of an installation: there is no key yet, and no checkpoint anywhere.
FIRST_SEAL: Final = tuple(
    # Three files get their names then, and there is one of everything else.
    replace(
        boundary, name=f"first seal, {boundary.name}", passes=3 if "rename" in boundary.name else 1
    )
    for boundary in NAMED
    if boundary.role is Role.SEALER and boundary.arm is not _between_tiles_and_checkpoint
)
ALL: Final = (*NAMED, *FIRST_SEAL, *ANY_MOMENT)
