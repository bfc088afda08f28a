"""What was measured, and what it was to be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Final, TypeVar

T = TypeVar("T")
TIMES: Final = " \N{MULTIPLICATION SIGN}"


@dataclass(frozen=True)
class Goal:
    limit: float
    at_least: bool
    unit: str = ""

    def is_met_by(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:.4g}{self.unit}"


@dataclass(frozen=True)
class Measure:
    """`detail` are the figures behind it, which depend on the machine."""

    row: str
    what: str
    value: float
    goal: Goal | None = None
    unit: str = ""
    detail: str = ""

    @property
    def is_met(self) -> bool | None:
        return self.goal.is_met_by(self.value) if self.goal else None


def at_least(limit: float, unit: str = "") -> Goal:
    return Goal(limit, at_least=True, unit=unit)


def at_most(limit: float, unit: str = "") -> Goal:
    return Goal(limit, at_least=False, unit=unit)


def interleaved(arms: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """A B C A B C …: what disturbs the machine disturbs all of them."""
    found: dict[str, list[T]] = {name: [] for name in arms}
    for _ in range(rounds):
        for name, arm in arms.items():
            found[name].append(arm())
    return found


def ratio(over: list[float], under: list[float]) -> float:
    """The median of the rounds' ratios: neighbours in time are compared, and nothing else."""
    return median(a / b for a, b in zip(over, under, strict=True))


def seconds(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun
