"""Negative controls: what the trail would be if it were built as such trails often are. The
checker must catch both, or its silence about the real one means nothing."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from random import Random
from threading import Event
from typing import Any, Final

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.protection import remove_triggers
from audit.repositories import sealed
from core import container
from core.actions import Phase
from core.signals import SignalEventBus, trail
from trials.kills.boundaries import NAMED, Boundary, Role
from trials.kills.wrapping import COMMIT, wrap

_LONGEST_DELAY: Final = 0.02  # seconds
_PAUSE: Final = Event()
_FOR_GOOD: Final = ExitStack()  # the process ends with the trial
_BY_SEQ: Final = """
    SELECT e.epoch, e.xid::text::bigint, e.seq, e.id, e.entry, e.mac FROM audit_event e
    WHERE (%s::int, %s::bigint) IS NOT NULL AND e.seq > %s
    ORDER BY e.seq LIMIT %s
"""


@dataclass(frozen=True)
class Control:
    """`arrange` is run once, on the database that all others are copies of; `boundaries` are where
    processes are killed. Nobody sweeps meanwhile: what is missing then was lost to a kill."""

    boundaries: tuple[Boundary, ...]
    writers: int
    install: Callable[[Random], None]
    arrange: Callable[[], None] = lambda: None


class _AfterCommit:
    """In the place of the signal `trail`: a success is recorded when its business is committed."""

    def send(self, sender: object, phase: Phase, **event: Any) -> None:
        record = partial(trail.send, sender=sender, phase=phase, **event)
        if phase is Phase.SUCCEEDED:
            transaction.on_commit(record)
            return
        record()


def _record_after_commit(random: Random) -> None:
    bus = SignalEventBus(records=_AfterCommit())  # type: ignore[arg-type]
    _FOR_GOOD.enter_context(container.override(get_event_bus=bus))


def _take_triggers_off() -> None:
    # They refuse a change without its event, and this writer has none yet when it commits.
    remove_triggers(None, using="default")


def _seal_by_seq(random: Random) -> None:
    """A row that commits after one with a higher number was sealed is never seen again. Writers
    take their time between the two, as real ones do under load."""
    sealed._UNSEALED["postgresql"] = _BY_SEQ  # noqa: SLF001
    wrap(BaseDatabaseWrapper, COMMIT, before=lambda _: _wait(random))


def _wait(random: Random) -> None:
    _PAUSE.wait(random.uniform(0, _LONGEST_DELAY))


_AROUND_COMMIT: Final = tuple(
    each for each in NAMED if each.role is Role.WRITER and "COMMIT" in each.name
)
_NOT_SWEEPING: Final = tuple(each for each in NAMED if each.role is not Role.SWEEPER)
CONTROLS: Final = {
    "after-commit": Control(_AROUND_COMMIT, 2, _record_after_commit, _take_triggers_off),
    # SQLite has one writer at a time: there, the order of the numbers is that of the commits.
    "seq-cursor": Control(_NOT_SWEEPING, 4, _seal_by_seq),
}
