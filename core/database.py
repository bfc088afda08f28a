"""The database as the house sees it: units of work, over Django's connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Protocol, TypeVar

from django.db import Error, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from core import context, unit_of_work
from core.actions import Phase
from core.errors import AuditError, DomainError, ErrorCode, InfrastructureError
from core.events import DomainEvent
from core.keys import UnknownKeyError
from core.logging import ConsoleLogger
from core.result import Failure, Result
from core.settings import get_settings
from core.signals import trail
from core.unit_of_work import NotRecordedError, UnitOfWork

C_contra = TypeVar("C_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)
C = TypeVar("C")
T = TypeVar("T")
_NOT_NOW: Final = "The service cannot do and record this now; try again."


class Database:
    """With `independent=True` each session has a connection of its own, closed at its end."""

    def __init__(self, alias: str = "default", *, independent: bool = False) -> None:
        self.alias = alias
        self._independent = independent

    @contextmanager
    def get_session(self) -> Iterator[UnitOfWork]:
        with (
            context.ensured(),
            self._connection(),
            UnitOfWork(self.alias, on_failure=record_failure) as unit,
        ):
            yield unit

    def write(self) -> None:
        """The row that is about to change belongs to the unit of work that is open here."""
        unit_of_work.current().write()

    def ping(self) -> None:
        """Raises `OperationalError` when the database does not answer."""
        with connections[self.alias].cursor() as cursor:
            cursor.execute("SELECT 1")

    @contextmanager
    def _connection(self) -> Iterator[None]:
        if not self._independent:
            yield
            return
        shared = connections[self.alias]
        own = shared.copy()
        connections[self.alias] = own
        try:
            yield
        finally:
            own.close()
            connections[self.alias] = shared


def echo_sql(sender: object, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """For `connection_created`: DB_ECHO logs every statement, with its values."""
    connection.force_debug_cursor = get_settings().db_echo


def record_failure(unit: UnitOfWork, attempt: DomainEvent, error: BaseException) -> None:
    """FAILED, in autocommit. When it cannot be written, the attempt stays without outcome."""
    reason = type(error).__name__
    try:
        _drop_dead_connection(unit.alias)
        trail.send(
            sender=type(attempt),
            event=attempt,
            phase=Phase.FAILED,
            session=unit,
            metadata=context.current(),
            error=reason,
        )
    except (Error, UnknownKeyError, OSError):
        ConsoleLogger().error("outcome_not_recorded", action=attempt.action, reason=reason)


def _drop_dead_connection(alias: str) -> None:
    """Where no transaction had begun, nobody has dropped a connection that was cut."""
    connection = connections[alias]
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


class Handler(Protocol[C_contra, T_co]):
    def handle(self, command: C_contra, /) -> Result[T_co, DomainError]: ...


@dataclass(frozen=True)
class InUnitOfWork(Generic[C, T]):
    """A handler with its transaction around it: what an app's wiring hands out."""

    handler: Handler[C, T]
    database: Database

    def handle(self, command: C, /) -> Result[T, DomainError]:
        try:
            with self.database.get_session():
                return self.handler.handle(command)
        except NotRecordedError as error:
            return _unavailable(AuditError(ErrorCode.AUDIT_UNAVAILABLE, _NOT_NOW), error.__cause__)
        except (OperationalError, InterfaceError) as error:
            return _unavailable(
                InfrastructureError(ErrorCode.DATABASE_UNAVAILABLE, _NOT_NOW), error
            )


def _unavailable(
    refusal: InfrastructureError, error: BaseException | None
) -> Failure[InfrastructureError]:
    ConsoleLogger().error(refusal.code, error=str(error))
    return Failure(replace(refusal, infrastructure_code=type(error).__name__))
