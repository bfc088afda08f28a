"""Who counts: moving windows, by the library `limits`, so that no stretch of time of a quota's
length ever lets more pass than its amount."""

import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, Protocol

from limits import RateLimitItem
from limits.storage import MovingWindowSupport, RedisStorage, Storage
from limits.strategies import MovingWindowRateLimiter

from core.cache import NO_ANSWER
from core.logging import ConsoleLogger
from core.ports import LoggerProtocol

MOST_KEYS: Final = 50_000
"""In one process. Whoever has more sources than that has no need to come back with an old one."""
PATIENCE: Final = 5
"""Seconds until a store that was away is asked again: nobody else waits for its timeout."""
_LOG_EVERY: Final = 60


@dataclass(frozen=True)
class Standing:
    """How a quota stands after a request."""

    quota: RateLimitItem
    passed: bool
    remaining: int
    resets_in: int
    """Seconds, rounded up, until there is room for one more than now."""


class Limiter(Protocol):
    def hit(self, quota: RateLimitItem, *key: str) -> Standing: ...


class WindowLimiter:
    def __init__(self, storage: Storage) -> None:
        self._windows = MovingWindowRateLimiter(storage)

    def hit(self, quota: RateLimitItem, *key: str) -> Standing:
        passed = self._windows.hit(quota, *key)
        stats = self._windows.get_window_stats(quota, *key)
        wait = ceil(stats.reset_time - time.time())
        return Standing(quota, passed, stats.remaining, min(max(wait, 1), quota.get_expiry()))


class SharedLimiter:
    """Of all processes together; while the store is away, of this one alone. Never open."""

    def __init__(self, shared: Limiter, local: Limiter, logger: LoggerProtocol) -> None:
        self._shared, self._local, self._logger = shared, local, logger
        self._away_until = self._logged_until = 0.0

    def hit(self, quota: RateLimitItem, *key: str) -> Standing:
        if time.monotonic() >= self._away_until:
            try:
                return self._shared.hit(quota, *key)
            except NO_ANSWER as error:
                self._lose(error)
        return self._local.hit(quota, *key)

    def _lose(self, error: Exception) -> None:
        now = time.monotonic()
        self._away_until = now + PATIENCE
        if now >= self._logged_until:
            self._logged_until = now + _LOG_EVERY
            self._logger.error("limits_counted_per_process", reason=type(error).__name__)


class LocalStorage(Storage, MovingWindowSupport):
    """In this process's memory. The library's own starts a thread that walks through all keys, and
    keeps every key of an attack; this one forgets the key that was asked for longest ago."""

    STORAGE_SCHEME = None

    def __init__(self, most_keys: int = MOST_KEYS) -> None:
        super().__init__()
        self._most_keys = most_keys
        self._lock = threading.Lock()
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = time.time()
        with self._lock:
            hits = self._hits.setdefault(key, deque())
            self._hits.move_to_end(key)
            _forget(hits, now - expiry)
            if len(self._hits) > self._most_keys:
                self._hits.popitem(last=False)
            if len(hits) + amount > limit:
                return False
            hits.extend([now] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = time.time()
        with self._lock:
            hits = self._hits.get(key, deque())
            _forget(hits, now - expiry)
            return (hits[0], len(hits)) if hits else (now, 0)

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        with self._lock:
            forgotten = len(self._hits)
            self._hits.clear()
            return forgotten

    def clear(self, key: str) -> None:
        with self._lock:
            self._hits.pop(key, None)

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    # Of fixed windows, which nobody here uses.
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError

    def get(self, key: str) -> int:
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError


def _forget(hits: deque[float], until: float) -> None:
    while hits and hits[0] <= until:
        hits.popleft()


def local_limiter() -> Limiter:
    return WindowLimiter(LocalStorage())


def shared_limiter(url: str, client: Any, prefix: str) -> Limiter:
    storage = RedisStorage(url, connection_pool=client.connection_pool, key_prefix=prefix)
    logger = ConsoleLogger("dashtam.limits")
    return SharedLimiter(WindowLimiter(storage), local_limiter(), logger)
