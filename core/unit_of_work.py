"""One command, one attempt, one transaction, one outcome.

The attempt is committed first, on its own, and arms the unit. The first write, or the outcome,
begins the transaction; what comes before it (reads, password hashing) holds no lock. The outcome
is its last statement. A Failure that a handler returns commits: its counters and its record
belong together. An exception rolls back, and the trail gets FAILED on its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any
from uuid import UUID

from django.db import Error, connections, transaction

from core.actions import OUTCOMES, Phase
from core.events import DomainEvent
from core.keys import UnknownKeyError
from core.logging import ConsoleLogger

_current: ContextVar["UnitOfWork | None"] = ContextVar("unit_of_work", default=None)


class UnitOfWorkError(RuntimeError):
    """A handler broke the order attempt, writes, outcome: a mistake in the code."""


class NotRecordedError(Exception):
    """What cannot be recorded must not happen: the unit fails closed."""


class AttemptNotRecordedError(NotRecordedError):
    """Nothing has begun."""


def current() -> "UnitOfWork":
    unit = _current.get()
    if unit is None:
        raise UnitOfWorkError("No unit of work is open: wrap the handler in its app's wiring.")
    return unit


def is_writing() -> bool:
    """Whether rows may change here and now: an open unit has begun its transaction."""
    unit = _current.get()
    return unit is not None and unit.has_begun


class UnitOfWork:
    """`attempt_id` is the trail's id of the attempt, kept here for its outcome."""

    def __init__(
        self, alias: str, on_failure: Callable[["UnitOfWork", DomainEvent, BaseException], None]
    ) -> None:
        self.alias = alias
        self.attempt_id: UUID | None = None
        self._on_failure = on_failure
        self._attempt: DomainEvent | None = None
        self._transaction: Any = None
        self._closed = False
        self._effects: list[Callable[[], None]] = []

    def __enter__(self) -> "UnitOfWork":
        blocks = connections[self.alias].atomic_blocks
        # As `atomic(durable=True)` has it, but before the attempt is on record: inside somebody
        # else's transaction nothing here would be durable. The wrapper of a test is let pass.
        if blocks and not getattr(blocks[-1], "_from_testcase", False):
            raise UnitOfWorkError("A unit of work cannot open inside a transaction.")
        if _current.get() is not None:
            raise UnitOfWorkError("Handlers do not call handlers: a unit of work is open here.")
        self._token = _current.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None and self._attempt is not None and not self._closed:
                error = UnitOfWorkError(f"{type(self._attempt).__name__} was left without outcome.")
                self._end(error)
                raise error
            self._end(error)
        finally:
            _current.reset(self._token)
        if error is None:
            for effect in self._effects:
                _run(effect)

    def write(self) -> None:
        """Repositories say this before they change a row."""
        self._must_be_open()
        if self._attempt is None and self._transaction is None:
            raise UnitOfWorkError("A write before its event: publish the attempt first.")
        if self._closed:
            raise UnitOfWorkError("A write after the outcome: publish the outcome last.")
        self._begin()

    @property
    def has_begun(self) -> bool:
        return self._transaction is not None

    def after_commit(self, effect: Callable[[], None]) -> None:
        """For what the world outside may see; not run when the unit rolls back."""
        self._must_be_open()
        self._effects.append(effect)

    @contextmanager
    def recording(self, event: DomainEvent) -> Iterator[Phase]:
        """Around the publishing of an event: the phase that stands on the trail."""
        phase = self._admit(event)
        try:
            yield phase
        except (Error, UnknownKeyError, OSError) as error:  # no database, no key, no receiver
            if event.phase is Phase.ATTEMPTED:
                raise AttemptNotRecordedError from error
            if isinstance(error, Error):
                raise
            raise NotRecordedError from error
        if event.phase is Phase.ATTEMPTED:
            self._attempt = event
        self._closed = self._closed or phase in OUTCOMES

    def _admit(self, event: DomainEvent) -> Phase:
        self._must_be_open()
        name = type(event).__name__
        if self._closed:
            raise UnitOfWorkError(f"{name} came after the outcome, which is the last.")
        if event.phase is Phase.ATTEMPTED:
            if self._attempt is not None or self._transaction is not None:
                raise UnitOfWorkError(f"{name} is not the first event of its unit of work.")
            return Phase.ATTEMPTED
        self._begin()
        return event.phase if self._attempt is not None else Phase.SOLE

    def _must_be_open(self) -> None:
        # What began after the end, or on another thread's connection, nobody would finish.
        if _current.get() is not self:
            raise UnitOfWorkError("This unit of work is not open here.")

    def _begin(self) -> None:
        if self._transaction is None:
            begun = transaction.atomic(using=self.alias, durable=True)
            begun.__enter__()
            self._transaction = begun

    def _end(self, error: BaseException | None) -> None:
        begun, self._transaction = self._transaction, None
        try:
            if begun is not None:
                begun.__exit__(type(error) if error else None, error, None)
        except Error as refused:  # at COMMIT
            self._record_failure(refused)
            raise
        if error is not None:
            self._record_failure(error)

    def _record_failure(self, error: BaseException) -> None:
        if self._attempt is not None:
            self._on_failure(self, self._attempt, error)


def _run(effect: Callable[[], None]) -> None:
    """The change is committed: nobody may be told otherwise, and the other effects are due too."""
    try:
        effect()
    except Exception as error:  # noqa: BLE001  logged, with its traceback
        ConsoleLogger().error("effect_failed", exc_info=error)
