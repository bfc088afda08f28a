"""What the contexts contribute to each other's pages and to the dashboard: each registers its own
in its `panel.py`, and none knows the others."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest

from core.errors import DomainError


@dataclass
class NotShownError(Exception):
    """That somebody looks cannot be recorded."""

    error: DomainError


@dataclass(frozen=True)
class Section:
    """A part of the page of one thing."""

    title: str
    template: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number of the dashboard, which leads to what it counts. `is_bad` where somebody should
    look."""

    label: str
    value: str
    hint: str = ""
    link: str
    is_bad: bool = False


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Counts over the span, one of each series for each label."""

    title: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[int]]
    link: str


@dataclass(frozen=True, kw_only=True)
class Ranking:
    title: str
    rows: Sequence[tuple[str, str, str]]
    """What, how much, and where its list is."""
    empty: str


Card = Figure | Chart | Ranking


@dataclass(frozen=True)
class Span:
    """Of the dashboard, in steps of the same length that begin at full hours or days; the last one
    is not over yet."""

    name: str
    step: timedelta
    steps: int
    now: datetime

    @property
    def until(self) -> datetime:
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + self.step * ((self.now - midnight) // self.step + 1)

    @property
    def since(self) -> datetime:
        return self.until - self.step * self.steps

    @property
    def text(self) -> str:
        return SPANS[self.name][0]

    @property
    def bounds(self) -> list[datetime]:
        return [self.since + self.step * n for n in range(self.steps + 1)]

    @property
    def labels(self) -> list[str]:
        form = "%H:%M" if self.step < timedelta(days=1) else "%d %b"
        return [moment.strftime(form) for moment in self.bounds[:-1]]


SPANS: Final[Mapping[str, tuple[str, timedelta, int]]] = {
    "24h": ("24 hours", timedelta(hours=1), 24),
    "7d": ("7 days", timedelta(hours=6), 28),
    "30d": ("30 days", timedelta(days=1), 30),
}


def span_of(asked: str | None, now: datetime) -> Span:
    """The day before now where what is asked for is none of `SPANS`."""
    name = asked if asked and asked in SPANS else "24h"
    _, step, steps = SPANS[name]
    return Span(name, step, steps, now)


@dataclass
class Parts:
    sections: dict[str, list[Callable[[HttpRequest, UUID], Section | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    cards: list[Callable[[HttpRequest, Span], Iterable[Card]]] = field(default_factory=list)
    find_person: Callable[[str], UUID | None] = field(default=lambda text: None)
    name_people: Callable[[Iterable[UUID]], Mapping[UUID, tuple[str, str]]] = field(
        default=lambda ids: {}
    )
    """The addresses of those who are still there, and where their pages are."""

    def sections_of(self, kind: str, request: HttpRequest, thing: UUID) -> list[Section]:
        shown = (show(request, thing) for show in self.sections[kind])
        return [section for section in shown if section is not None]


parts: Final = Parts()
