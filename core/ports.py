"""What the inside of the house asks of the outside, and who may stand in for it."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, TypeVar, runtime_checkable

from core.actions import Phase
from core.errors import CacheError, SecretsError
from core.events import DomainEvent, EventMetadata
from core.result import Result

Event = TypeVar("Event", bound=DomainEvent)


@runtime_checkable
class Clock(Protocol):
    def now(self) -> datetime: ...


@runtime_checkable
class UnitOfWorkProtocol(Protocol):
    """One command's transaction; see `core.unit_of_work`."""

    def write(self) -> None: ...

    def after_commit(self, effect: Callable[[], None]) -> None: ...

    def recording(self, event: DomainEvent) -> AbstractContextManager[Phase]: ...


@runtime_checkable
class EventBusProtocol(Protocol):
    def publish(
        self,
        event: DomainEvent,
        *,
        session: UnitOfWorkProtocol | None = None,
        metadata: EventMetadata | None = None,
    ) -> None: ...

    def subscribe(self, event_type: type[Event], handler: Callable[[Event], None]) -> None: ...


@runtime_checkable
class CacheProtocol(Protocol):
    """Text by key. A key that is not there is `Success(None)`; a dead server is a `Failure`.

    Times to live are whole seconds.
    """

    def get(self, key: str) -> Result[str | None, CacheError]: ...

    def set(self, key: str, value: str, ttl: int | None = None) -> Result[None, CacheError]: ...

    def get_json(self, key: str) -> Result[Any, CacheError]: ...

    def set_json(
        self, key: str, value: Any, ttl: int | None = None
    ) -> Result[None, CacheError]: ...

    def delete(self, key: str) -> Result[bool, CacheError]: ...

    def exists(self, key: str) -> Result[bool, CacheError]: ...

    def expire(self, key: str, ttl: int) -> Result[bool, CacheError]: ...

    def ttl(self, key: str) -> Result[int | None, CacheError]: ...

    def increment(self, key: str, amount: int = 1) -> Result[int, CacheError]: ...

    def decrement(self, key: str, amount: int = 1) -> Result[int, CacheError]: ...

    def get_many(self, keys: Iterable[str]) -> Result[dict[str, str], CacheError]: ...

    def set_many(
        self, values: Mapping[str, str], ttl: int | None = None
    ) -> Result[None, CacheError]: ...

    def delete_pattern(self, pattern: str) -> Result[int, CacheError]: ...

    def flush(self) -> Result[None, CacheError]: ...

    def ping(self) -> Result[None, CacheError]: ...


@runtime_checkable
class SecretsProtocol(Protocol):
    """Secrets by path: 'database/url'."""

    def get_secret(self, path: str) -> Result[str, SecretsError]: ...

    def get_secret_json(self, path: str) -> Result[Any, SecretsError]: ...

    def refresh_cache(self) -> None: ...


@runtime_checkable
class LoggerProtocol(Protocol):
    def debug(self, event: str, **context: Any) -> None: ...

    def info(self, event: str, **context: Any) -> None: ...

    def warning(self, event: str, **context: Any) -> None: ...

    def error(self, event: str, **context: Any) -> None: ...

    def critical(self, event: str, **context: Any) -> None: ...

    def bind(self, **context: Any) -> "LoggerProtocol": ...
