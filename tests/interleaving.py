"""Two who do something at once, each on a connection of its own, held before each of their
statements: whoever directs them says who goes on, and how far. No chance is left to the scheduler,
and nothing sleeps: whether one waits for a lock, the database says."""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count
from threading import Condition
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

from django.db import connection, connections

from audit.repositories.trail import DjangoTrail
from core import context
from core.events import EventMetadata
from core.ids import uuid7

COMMIT: Final = "COMMIT"
RECORD: Final = "RECORD"
"""On the trail, which is written by the driver's own cursor: Django knows nothing of it."""
_LOOK: Final = 0.001
_PATIENCE: Final = 20.0
_IS_WAITING: Final = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
_here: Final = threading.local()
"""`session`, whose thread this is."""

MayPass = Callable[[int, str], bool]
"""Whether a session begins its statement of this number, from 0 on, with this text."""


class StuckError(Exception):
    """Whoever directs them has to look again."""


def to_the_end(number: int, statement: str) -> bool:
    return True


def before(pattern: str, nth: int = 1) -> MayPass:
    """Up to its nth statement from here on in which the pattern is found."""
    found: dict[int, bool] = {}
    numbers = count(1)

    def may_pass(number: int, statement: str) -> bool:
        if number not in found:
            found[number] = bool(re.search(pattern, statement)) and next(numbers) >= nth
        return not found[number]

    return may_pass


@dataclass
class Session:
    """Of one who acts, a statement at a time."""

    act: Callable[[], Any]
    correlation: UUID = field(default_factory=uuid7)
    result: Any = None
    error: Exception | None = None
    begun: int = 0
    pid: int = 0
    is_done: bool = False
    _may_pass: MayPass = lambda number, statement: False
    _next: str | None = None
    """Before which statement it is held."""
    _turn: Condition = field(default_factory=Condition)

    def start(self) -> None:
        """Up to its first statement."""
        threading.Thread(target=self._run, daemon=True).start()
        self._rest()

    def go(self, may_pass: MayPass = to_the_end) -> bool:
        """Until it is held, or has ended; False when it waits for a lock before."""
        with self._turn:
            self._may_pass = may_pass
            self._turn.notify_all()
        return self._rest()

    def finish(self) -> None:
        with self._turn:
            self._may_pass = to_the_end
            self._turn.notify_all()
            if not self._turn.wait_for(lambda: self.is_done, _PATIENCE):
                raise StuckError("a transaction did not come to its end")

    def _rest(self) -> bool:
        for _ in range(int(_PATIENCE / _LOOK)):
            with self._turn:
                if self._turn.wait_for(self._is_resting, _LOOK):
                    return True
            if self.pid and _waits_for_a_lock(self.pid):
                return False
        raise StuckError("a transaction does not go on")

    def _is_resting(self) -> bool:
        return self.is_done or (self._next is not None and not self._passes())

    def _passes(self) -> bool:
        return self._next is None or self._may_pass(self.begun, self._next)

    def _run(self) -> None:
        try:
            connection.ensure_connection()
            self.pid = connection.connection.info.backend_pid
            self._hold_before_each_statement()
            with context.bound(EventMetadata(door="race", correlation=self.correlation)):
                self.result = self.act()
        except Exception as error:  # noqa: BLE001  whoever directs it is told
            self.error = error
        finally:
            connections.close_all()
            with self._turn:
                self.is_done = True
                self._turn.notify_all()

    def _hold_before_each_statement(self) -> None:
        ours: Any = connections["default"]
        commit: Callable[[], None] = ours._commit  # the one place that every COMMIT passes
        _here.session = self

        def held(execute: Any, sql: str, *rest: Any) -> Any:
            self.pass_on(sql)
            return execute(sql, *rest)

        def held_commit() -> None:
            self.pass_on(COMMIT)
            commit()

        ours.execute_wrappers.append(held)
        vars(ours)["_commit"] = held_commit

    def pass_on(self, statement: str) -> None:
        with self._turn:
            self._next = statement
            self._turn.notify_all()
            self._turn.wait_for(self._passes, _PATIENCE)
            self._next = None
            self.begun += 1


def holding_records() -> AbstractContextManager[Any]:
    """While it is open, sessions are held before what they record as well."""
    append = DjangoTrail.append

    def held(self: DjangoTrail, *entry: Any) -> None:
        if session := getattr(_here, "session", None):
            session.pass_on(RECORD)
        append(self, *entry)

    return patch.object(DjangoTrail, "append", held)


def _waits_for_a_lock(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_IS_WAITING, [pid])
        return bool((cursor.fetchone() or [False])[0])


@dataclass(frozen=True)
class Ran:
    """`results` of A and of B; `waited`: who had to wait for the other on the way."""

    results: Sequence[Any]
    waited: str
    correlation: UUID


@dataclass
class Interleave:
    """`interleave(one, other, "A lock, B, A", steps)`: A comes to before the step `lock`, then B
    goes to its end, or until it waits, then A; whoever is not at its end then goes on. `steps` are
    patterns of statements by name."""

    sessions: list[Session] = field(default_factory=list)

    def __call__(
        self, one: Callable[[], Any], other: Callable[[], Any], order: str, steps: Mapping[str, str]
    ) -> Ran:
        correlation = uuid7()
        both = {name: Session(act, correlation) for name, act in (("A", one), ("B", other))}
        self.sessions += both.values()
        for session in both.values():
            session.start()
        waited = ""
        for turn in order.split(", "):
            name, _, step = turn.partition(" ")
            if not both[name].go(before(steps[step]) if step else to_the_end):
                waited += name
            elif step and both[name].is_done:
                raise StuckError(f"{name} has ended without {step}")
        self.end()
        return Ran([each.result for each in both.values()], waited, correlation)

    def end(self) -> None:
        """What one of them has raised is raised here."""
        sessions, self.sessions = self.sessions, []
        for session in sessions:
            session.finish()
        for error in (each.error for each in sessions):
            if error is not None:
                raise error
