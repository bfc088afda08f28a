"""Two transactions in every order: each is held before each of its statements, and before its
COMMIT, while the other goes on. No chance is left to the scheduler."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, Final

from django.db import connection, connections

from audit.repositories.trail import DjangoTrail
from core import context
from core.events import EventMetadata
from core.ids import uuid7
from trials.kills.wrapping import COMMIT, wrap
from trials.races.crew import Act, CrewError, Raised
from trials.races.ground import Heat, Round

_TO_THE_END: Final = 10_000
_LOOK: Final = 0.001
_PATIENCE: Final = 20.0
_IS_WAITING: Final = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
_here: Final = threading.local()
"""`walker`, whose thread this is."""


@dataclass(frozen=True)
class Order:
    """The `first` of two comes to its statement `held`, then the other to its statement `met`;
    then the one goes on to its end, and so does the other."""

    first: int
    held: int
    met: int

    def __str__(self) -> str:
        return f"{'AB'[self.first]}{self.held} {'BA'[self.first]}{self.met}"


@dataclass
class Walker:
    """An act on a connection of its own, a statement at a time."""

    act: Act
    correlation: Any
    result: Any = None
    begun: int = 0
    pid: int = 0
    _limit: int = 0
    _is_done: bool = False
    _is_held: bool = False
    _turn: Condition = field(default_factory=Condition)

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()
        self._rest()

    def go(self, limit: int) -> None:
        """Until it is before that statement, or has ended, or waits for a lock."""
        with self._turn:
            self._limit = limit
            self._turn.notify_all()
        self._rest()

    def finish(self) -> None:
        with self._turn:
            if not self._turn.wait_for(lambda: self._is_done, _PATIENCE):
                raise CrewError("a transaction did not come to its end")

    def _rest(self) -> None:
        for _ in range(int(_PATIENCE / _LOOK)):
            with self._turn:
                if self._turn.wait_for(self._is_resting, _LOOK):
                    return
            if self.pid and _waits_for_a_lock(self.pid):
                return
        raise CrewError("a transaction does not go on")

    def _is_resting(self) -> bool:
        return self._is_done or (self.pid != 0 and self.begun >= self._limit and self._is_held)

    def _run(self) -> None:
        try:
            connection.ensure_connection()
            self.pid = connection.connection.info.backend_pid
            self._hold_before_each_statement()
            with context.bound(EventMetadata(door="race", correlation=self.correlation)):
                self.result = self.act.door().handle(self.act.command)
        except Exception as error:  # noqa: BLE001  it is told, and breaks the round
            self.result = Raised(repr(error))
        finally:
            connections.close_all()
            with self._turn:
                self._is_done = True
                self._turn.notify_all()

    def _hold_before_each_statement(self) -> None:
        commit: Callable[[], None] = getattr(connection, COMMIT)
        _here.walker = self

        def held(execute: Any, *statement: Any) -> Any:
            self.pass_on()
            return execute(*statement)

        def held_commit() -> None:
            self.pass_on()
            commit()

        connection.execute_wrappers.append(held)
        vars(connections["default"])[COMMIT] = held_commit

    def pass_on(self) -> None:
        with self._turn:
            self._is_held = True
            self._turn.notify_all()
            self._turn.wait_for(lambda: self.begun < self._limit, _PATIENCE)
            self._is_held = False
            self.begun += 1


@dataclass(frozen=True)
class Duel:
    """`arrange` makes two acts for a fresh person, and a check of what came of them."""

    arrange: Callable[[Round], tuple[Act, Act, Callable[[Heat], None]]]

    def orders(self, race: Round) -> list[Order]:
        """As many as the two have statements when nobody is beside them."""
        alone = self._walked(race, Order(0, _TO_THE_END, _TO_THE_END))
        beside = self._walked(race, Order(1, _TO_THE_END, _TO_THE_END))
        # Whoever comes second may have less to do.
        most = [max(alone[n].begun, beside[n].begun) for n in range(2)]
        return list(_orders(most))

    def fight(self, race: Round, order: Order) -> None:
        self._walked(race, order)

    def _walked(self, race: Round, order: Order) -> tuple[Walker, Walker]:
        one, other, check = self.arrange(race)
        correlation = uuid7()
        walkers = Walker(one, correlation), Walker(other, correlation)
        first, second = walkers[order.first], walkers[1 - order.first]
        for each in walkers:
            each.start()
        first.go(order.held)
        second.go(order.met)
        first.go(_TO_THE_END)
        second.go(_TO_THE_END)
        for each in walkers:
            each.finish()
        heat = Heat.of([each.result for each in walkers], correlation)
        race.records += len(heat.events)
        check(heat)
        return walkers


def _orders(most: list[int]) -> Iterator[Order]:
    for first in range(2):
        for held in range(most[first] + 1):
            for met in range(most[1 - first] + 1):
                yield Order(first, held, met)


def hold_before_records() -> None:
    """Once: the trail writes by the driver's own cursor, of which Django knows nothing."""

    def hold(*_: Any) -> None:
        if walker := getattr(_here, "walker", None):
            walker.pass_on()

    wrap(DjangoTrail, "append", before=hold)


def _waits_for_a_lock(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_IS_WAITING, [pid])
        return bool((cursor.fetchone() or [False])[0])
