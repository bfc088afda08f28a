"""The shared infrastructure, each made once. Call through the module: `container.get_cache()`.

`override(get_cache=fake)` reaches every thread, a live server's too: the stack is the process's.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import Any, Final, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.cache import LocalCache, RedisCache
from core.database import Database
from core.limiter import Limiter, local_limiter, shared_limiter
from core.logging import ConsoleLogger
from core.ports import CacheProtocol, EventBusProtocol, LoggerProtocol, SecretsProtocol
from core.secrets import EnvironmentSecrets
from core.settings import Settings
from core.settings import get_settings as read_settings
from core.signals import SignalEventBus

T = TypeVar("T")
_PREFIX: Final = "dashtam:"
_lock = threading.Lock()
# lru_cache alone lets two threads make two of a kind, when both come first.
_making = threading.RLock()
_overrides: list[dict[str, Any]] = []
_made: list[Callable[[], None]] = []


def _provider(make: Callable[[], T]) -> Callable[[], T]:
    cached = lru_cache(maxsize=1)(make)
    _made.append(cached.cache_clear)

    @wraps(make)
    def get() -> T:
        for layer in _overrides[::-1]:
            if make.__name__ in layer:
                replacement: T = layer[make.__name__]
                return replacement
        with _making:
            return cached()

    return get


@_provider
def get_settings() -> Settings:
    return read_settings()


@_provider
def get_cache() -> CacheProtocol:
    url = get_settings().redis_url
    if url is None:
        return get_own_cache()
    return RedisCache(redis_client=_redis_client(url), prefix=_PREFIX)


@_provider
def get_own_cache() -> CacheProtocol:
    """Of this process alone: where no other is, or while the other is away."""
    return LocalCache()


@_provider
def get_limiter() -> Limiter:
    url = get_settings().redis_url
    if url is None:
        return local_limiter()
    return shared_limiter(url, _redis_client(url), prefix=f"{_PREFIX}limits")


def _redis_client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=1,
        socket_timeout=1,
        # A login must not wait for a dead cache: one try, then a Failure.
        retry=Retry(NoBackoff(), 0),
    )


@_provider
def get_secrets() -> SecretsProtocol:
    return EnvironmentSecrets()


@_provider
def get_database() -> Database:
    return Database()


@_provider
def get_logger() -> LoggerProtocol:
    return ConsoleLogger()


@_provider
def get_event_bus() -> EventBusProtocol:
    return SignalEventBus()


@contextmanager
def override(**providers: Any) -> Iterator[None]:
    """`with override(get_cache=fake): …`; the innermost wins."""
    if unknown := providers.keys() - _PROVIDERS:
        raise LookupError(f"The container has no {', '.join(sorted(unknown))}.")
    layer = dict(providers)
    with _lock:
        _overrides.append(layer)
    try:
        yield
    finally:
        with _lock:
            _overrides[:] = [other for other in _overrides if other is not layer]


def reset() -> None:
    """Forgets what was made: the next call makes it anew from the settings."""
    for forget in _made:
        forget()


def leftovers() -> list[str]:
    """The overrides that are still on: after a test there must be none."""
    return sorted(name for layer in _overrides for name in layer)


_PROVIDERS = {name for name in globals() if name.startswith("get_")}
