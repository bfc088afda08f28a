"""Who asks, from where, by which door: bound at the edge, read by the event bus and the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final

from core.events import EventMetadata

TRACE_ID: Final = r"[A-Za-z0-9._-]{8,64}"
"""What is taken for one: letters, digits and a few signs, so that it can stand in a header and in a
line of a log."""
_current: ContextVar[EventMetadata | None] = ContextVar("metadata", default=None)


def current() -> EventMetadata:
    return _current.get() or EventMetadata()


@contextmanager
def bound(metadata: EventMetadata) -> Iterator[EventMetadata]:
    token = _current.set(metadata)
    try:
        yield metadata
    finally:
        _current.reset(token)


@contextmanager
def ensured() -> Iterator[EventMetadata]:
    """Where no edge has bound anything: one correlation for what a command does."""
    if _current.get() is not None:
        yield current()
        return
    with bound(EventMetadata()) as metadata:
        yield metadata


def amend(**changes: Any) -> None:
    """What is learned on the way in (the actor, after authentication); ends with `bound`."""
    if _current.get() is not None:
        _current.set(replace(current(), **changes))
