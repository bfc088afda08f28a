"""How long rows waited for their seal: each of them afterwards, and the oldest one meanwhile."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from audit.queries import lag
from audit.repositories.attempts import DjangoOpenAttempts
from audit.repositories.sealed import DjangoSealedLog
from core import container
from trials.places import Place

_AT_ONCE = timedelta(0)


class Sample(NamedTuple):
    """`at` is in seconds since the beginning, `rows` those on the trail, `oldest` the age in
    seconds of the one that waits longest, `open` the attempts without an outcome, if counted."""

    at: float
    rows: int
    waiting: int
    oldest: float
    open: int | None


def sample(at: float, *, with_attempts: bool) -> Sample:
    waiting = lag.waiting("default")
    rows = DjangoSealedLog("default").frontier().size + waiting.events
    return Sample(at, rows, *waiting, _open_attempts() if with_attempts else None)


def _open_attempts() -> int:
    attempts = DjangoOpenAttempts("default", container.get_settings().audit_keys)
    return len(attempts.without_outcome(_AT_ONCE))


@dataclass(frozen=True)
class Lags:
    """In seconds, from the insert of a row to that of the checkpoint which covers it first, by the
    clock of the database."""

    seconds: list[float]
    unsealed: int = 0

    def at(self, share: float) -> float:
        """So many of them are not greater. A row that no checkpoint covers waits for ever."""
        return quantile([*self.seconds, *[math.inf] * self.unsealed], share)


def quantile(numbers: Sequence[float], share: float) -> float:
    """By nearest rank; 0 of nothing."""
    place = max(math.ceil(share * len(numbers)) - 1, 0)
    return sorted(numbers)[place] if numbers else 0.0


class Leaf(NamedTuple):
    id: UUID
    recorded: float


def read_leaves(place: Place, name: str) -> list[Leaf]:
    """In the order of the leaves, by the clock of the database."""
    statement = (
        "SELECT id, extract(epoch FROM recorded_at)::float8 FROM audit_event e"
        " ORDER BY e.epoch, e.xid, e.seq"
    )
    return [Leaf(*row) for row in place.read(name, statement)]


def lags_of(
    leaves: Sequence[Leaf], checkpoints: Sequence[tuple[int, float]], began: float, ended: float
) -> Lags:
    """Of what was recorded meanwhile. A checkpoint is its size and its moment."""
    sealed = list(_sealed(checkpoints))
    waited = [
        at - leaf.recorded
        for leaf, at in zip(leaves, sealed, strict=False)
        if began <= leaf.recorded <= ended
    ]
    rest = leaves[len(sealed) :]
    return Lags(waited, sum(began <= leaf.recorded <= ended for leaf in rest))


def _sealed(checkpoints: Sequence[tuple[int, float]]) -> Iterator[float]:
    """When, leaf by leaf."""
    size = 0
    for next_size, at in checkpoints:
        yield from [at] * (next_size - size)
        size = next_size
