"""Two transactions in every order: each is held before each of its statements, and before its
COMMIT, while the other goes on. No chance is left to the scheduler."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from core.ids import uuid7
from tests.interleaving import MayPass, Session, holding_records
from trials.races.crew import Act, Raised
from trials.races.ground import Heat, Round

_TO_THE_END: Final = 10_000


@dataclass(frozen=True)
class Order:
    """The `first` of two comes to its statement `held`, then the other to its statement `met`;
    then the one goes on to its end, and so does the other."""

    first: int
    held: int
    met: int

    def __str__(self) -> str:
        return f"{'AB'[self.first]}{self.held} {'BA'[self.first]}{self.met}"


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

    def _walked(self, race: Round, order: Order) -> tuple[Session, Session]:
        one, other, check = self.arrange(race)
        correlation = uuid7()
        both = (
            Session(partial(_done, one), correlation),
            Session(partial(_done, other), correlation),
        )
        first, second = both[order.first], both[1 - order.first]
        for each in both:
            each.start()
        first.go(_before(order.held))
        second.go(_before(order.met))
        first.go()
        second.go()
        for each in both:
            each.finish()
        heat = Heat.of([_result(each) for each in both], correlation)
        race.records += len(heat.events)
        check(heat)
        return both


def _orders(most: list[int]) -> Iterator[Order]:
    for first in range(2):
        for held in range(most[first] + 1):
            for met in range(most[1 - first] + 1):
                yield Order(first, held, met)


def hold_before_records() -> None:
    """Once, for good."""
    holding_records().__enter__()


def _done(act: Act) -> Any:
    return act.door().handle(act.command)


def _before(number: int) -> MayPass:
    return lambda begun, _: begun < number


def _result(session: Session) -> Any:
    return session.result if session.error is None else Raised(repr(session.error))
