"""Eight processes that change rows of their own at once on PostgreSQL, alone and on record, and the
sealing of what they have recorded.

    alone   one transaction: UPDATE of a row by the ORM, and the business work in it
    insert  the same with one row for the trail that was made beforehand: the driver's prepared
            INSERT, with all triggers and indexes, and nothing else
    sole    the same in a unit of work, behind one event: one transaction, one INSERT on the trail
    pair    as the product does it: ATTEMPTED in a commit of its own, then the transaction with the
            UPDATE, the business work and SUCCEEDED; two commits, two INSERTs

Events are sent through the bus and recorded by audit's receiver: pseudonyms are read and what is
personal is encrypted. Each writer has a person of its own.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from threading import Event
from time import perf_counter
from typing import Any, Final
from uuid import UUID

from django.db import connections, transaction
from django.db.models import F

from audit.adapters.keys import KeyFolder
from audit.application.sealing import Sealer
from audit.domain.checkpoint import SigningKey
from audit.domain.entry import sole_id
from audit.repositories.sealed import DjangoSealedLog
from core import container, context
from core.ids import uuid7
from trials.bench import changes
from trials.bench.events import REQUEST, ItemChangeAttempted, ItemChanged, ItemChangeSucceeded
from trials.bench.measures import TIMES, Measure, at_least, ratio
from trials.bench.models import Item

WRITERS: Final = 8
_WORK: Final = 0.005
_WARM: Final = 0.3
"""Seconds before anything is counted."""
_PAUSE: Final = Event()
_GOALS: Final = {
    "pair": ("attempt and outcome", True),
    "sole": ("one event", True),
    "insert": ("the raw INSERT of one event", False),
}
_ROWS: Final = 50
_EVENTS: Final = {"alone": 0, "insert": 1, "sole": 1, "pair": 2}


def measures(folder: Path, seconds: float, rounds: int) -> list[Measure]:
    sealer, sealed = _sealer(folder), []
    taken: dict[tuple[str, float], list[float]] = {}
    with _writers() as writers:
        for _ in range(rounds):
            for work in (_WORK, 0.0):
                for arm in _EVENTS:
                    rate = writers.rate(arm, work, seconds)
                    taken.setdefault((arm, work), []).append(rate)
            sealed.append(_seal(sealer))
    return [*_overheads(taken), _sealing(taken, sealed)]


def _overheads(taken: dict[tuple[str, float], list[float]]) -> Iterator[Measure]:
    for row, work, how, limit in (
        ("1", _WORK, "5 ms of work", 0.93),
        ("2", 0.0, "no think time", 0.70),
    ):
        alone = taken["alone", work]
        for arm, (what, goal) in _GOALS.items():
            rates = taken[arm, work]
            yield Measure(
                row,
                f"business and {what} against business alone, {WRITERS} writers, {how}",
                ratio(rates, alone),
                at_least(limit) if goal else None,
                detail=f"{median(rates):,.0f} and {median(alone):,.0f} changes/s",
            )


def _sealing(taken: dict[tuple[str, float], list[float]], sealed: list[float]) -> Measure:
    """Against the arm that inserts most."""
    inserted = [
        [_EVENTS[arm] * rate for rate in taken[arm, 0.0]] for arm in ("insert", "sole", "pair")
    ]
    peak = max(inserted, key=median)
    return Measure(
        "5",
        "sealing end to end against the peak rate of inserting",
        ratio(sealed, peak),
        at_least(15, TIMES),
        TIMES,
        f"{median(sealed):,.0f} and {median(peak):,.0f} events/s",
    )


def _sealer(folder: Path) -> Sealer:
    keeper = KeyFolder(folder / "audit")
    keeper.add(SigningKey.generate("bench.invalid/audit"))
    return Sealer(
        log=DjangoSealedLog("default"),
        keeper=keeper,
        mac_keys=container.get_settings().audit_keys,
    )


def _seal(sealer: Sealer) -> float:
    """All that was recorded since, in the batches of the product: events a second."""
    before = sealer.log.frontier().size
    begun = perf_counter()
    checkpoint = sealer.seal_all()
    seconds = perf_counter() - begun
    assert checkpoint
    return (checkpoint.size - before) / seconds


@dataclass(frozen=True)
class _Writers:
    pipes: list[Connection]

    def rate(self, arm: str, work: float, seconds: float) -> float:
        """Changes a second, of all of them."""
        begin = perf_counter() + _WARM
        for pipe in self.pipes:
            pipe.send((arm, work, begin, begin + seconds))
        counts = [pipe.recv() for pipe in self.pipes]
        assert all(counts), "a writer wrote nothing"
        return float(sum(counts) / seconds)


@contextmanager
def _writers() -> Iterator[_Writers]:
    """Forked from a process that has imported everything and has no connection open."""
    connections.close_all()
    fork, pipes, children = get_context("fork"), [], []
    for _ in range(WRITERS):
        ours, theirs = fork.Pipe()
        child = fork.Process(target=_write, args=(theirs,), daemon=True)
        child.start()
        theirs.close()
        pipes.append(ours)
        children.append(child)
    try:
        yield _Writers(pipes)
    finally:
        for pipe in pipes:
            pipe.send(None)
        for child in children:
            child.join()


def _write(orders: Connection) -> None:
    person = uuid7()
    rows = [Item.objects.create(name=str(person), note="new").pk for _ in range(_ROWS)]
    with context.bound(replace(REQUEST, actor_id=person)):
        while (order := orders.recv()) is not None:
            arm, work, begin, end = order
            orders.send(_count(partial(_ARMS[arm], person, work), rows, begin, end))
    connections.close_all()
    os._exit(0)


def _count(change: Callable[[int], None], rows: list[int], begin: float, end: float) -> int:
    """The clock is that of the machine, the same for all."""
    count = number = 0
    while (now := perf_counter()) < end:
        change(rows[number % _ROWS])
        number += 1
        count += now >= begin
    return count


def _alone(person: UUID, work: float, row: int) -> None:
    with transaction.atomic():
        _change(row, work)


def _insert(person: UUID, work: float, row: int) -> None:
    with transaction.atomic():
        _change(row, work)
        changes.driver()([sole_id(), *_made_before()])


@cache
def _made_before() -> list[Any]:
    return changes.made(1)[0][1:]


def _sole(person: UUID, work: float, row: int) -> None:
    bus = container.get_event_bus()
    with container.get_database().get_session() as unit:
        bus.publish(ItemChanged(user_id=person, count=row), session=unit)
        _change(row, work)


def _pair(person: UUID, work: float, row: int) -> None:
    bus = container.get_event_bus()
    with container.get_database().get_session() as unit:
        bus.publish(ItemChangeAttempted(user_id=person, count=row), session=unit)
        unit.write()
        _change(row, work)
        bus.publish(ItemChangeSucceeded(user_id=person, count=row), session=unit)


def _change(row: int, work: float) -> None:
    Item.objects.filter(pk=row).update(count=F("count") + 1)
    if work:
        _PAUSE.wait(work)


_ARMS: Final[dict[str, Any]] = {"alone": _alone, "insert": _insert, "sole": _sole, "pair": _pair}
