"""Where short-lived facts are kept: Redis or Valkey, or this process's memory when embedded."""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import redis

from core.clock import SystemClock
from core.errors import CacheError, ErrorCode
from core.ports import Clock
from core.result import Failure, Result, Success

P = ParamSpec("P")
S = TypeVar("S", bound="_JsonValues")
T = TypeVar("T")

NO_ANSWER: Final = (redis.RedisError, OSError, ValueError, AttributeError)
"""What the driver raises when a store is away, or when what answers there is none: AttributeError
where the greeting is not the mapping that it expects."""


def _answering(
    method: Callable[Concatenate[S, P], T],
) -> Callable[Concatenate[S, P], Result[T, CacheError]]:
    """What the method returns becomes a Success, what the driver raises a Failure."""

    @wraps(method)
    def answer(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Result[T, CacheError]:
        try:
            return Success(method(self, *args, **kwargs))
        except NO_ANSWER as error:
            return Failure(
                CacheError(
                    ErrorCode.CACHE_ERROR,
                    f"The cache could not {method.__name__.replace('_', ' ')}.",
                    infrastructure_code=type(error).__name__,
                )
            )

    return answer


def _refuse_no_time(ttl: int) -> None:
    if ttl <= 0:
        raise ValueError("a time to live is at least one second")


class _JsonValues:
    """JSON on top of the text that a cache keeps."""

    def get(self, key: str) -> Result[str | None, CacheError]:
        raise NotImplementedError

    def set(self, key: str, value: str, ttl: int | None = None) -> Result[None, CacheError]:
        raise NotImplementedError

    def get_json(self, key: str) -> Result[Any, CacheError]:
        found = self.get(key)
        if isinstance(found, Failure) or found.value is None:
            return found
        try:
            return Success(json.loads(found.value))
        except (ValueError, RecursionError):
            return Failure(
                CacheError(
                    ErrorCode.CACHE_ERROR,
                    f"Failed to parse JSON for key {key!r}.",
                    infrastructure_code="JSONDecodeError",
                )
            )

    def set_json(self, key: str, value: Any, ttl: int | None = None) -> Result[None, CacheError]:
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            return Failure(
                CacheError(
                    ErrorCode.CACHE_ERROR,
                    f"The value for key {key!r} has no form in JSON.",
                    infrastructure_code="JSONEncodeError",
                )
            )
        return self.set(key, text, ttl=ttl)


class RedisCache(_JsonValues):
    """The client must have `decode_responses=True` and timeouts; its pool is its owner's."""

    def __init__(self, redis_client: redis.Redis, prefix: str = "") -> None:
        self._redis: Any = redis_client
        self._prefix = prefix
        self._prefix_in_patterns = re.sub(r"([*?\[\]\\])", r"\\\1", prefix)

    @_answering
    def get(self, key: str) -> str | None:
        value: str | None = self._redis.get(self._prefix + key)
        return value

    @_answering
    def set(self, key: str, value: str, ttl: int | None = None) -> None:
        self._redis.set(self._prefix + key, value, ex=ttl)

    @_answering
    def delete(self, key: str) -> bool:
        return bool(self._redis.delete(self._prefix + key))

    @_answering
    def exists(self, key: str) -> bool:
        return bool(self._redis.exists(self._prefix + key))

    @_answering
    def expire(self, key: str, ttl: int) -> bool:
        # Redis would delete the key.
        _refuse_no_time(ttl)
        return bool(self._redis.expire(self._prefix + key, ttl))

    @_answering
    def ttl(self, key: str) -> int | None:
        """None when the key is not there or never expires."""
        seconds = int(self._redis.ttl(self._prefix + key))
        return seconds if seconds >= 0 else None

    @_answering
    def increment(self, key: str, amount: int = 1) -> int:
        return int(self._redis.incrby(self._prefix + key, amount))

    @_answering
    def decrement(self, key: str, amount: int = 1) -> int:
        return int(self._redis.decrby(self._prefix + key, amount))

    @_answering
    def get_many(self, keys: Iterable[str]) -> dict[str, str]:
        wanted = list(keys)
        values = self._redis.mget([self._prefix + key for key in wanted]) if wanted else []
        return {key: value for key, value in zip(wanted, values, strict=True) if value is not None}

    @_answering
    def set_many(self, values: Mapping[str, str], ttl: int | None = None) -> None:
        with self._redis.pipeline(transaction=True) as pipe:
            for key, value in values.items():
                pipe.set(self._prefix + key, value, ex=ttl)
            pipe.execute()

    @_answering
    def delete_pattern(self, pattern: str) -> int:
        """Glob (`*`, `?`, `[…]`); walks the keys without stopping the server."""
        return self._delete_matching(pattern)

    @_answering
    def flush(self) -> None:
        """Only what is under this cache's prefix, when it has one."""
        if self._prefix:
            self._delete_matching("*")
        else:
            self._redis.flushdb()

    @_answering
    def ping(self) -> None:
        self._redis.ping()

    def _delete_matching(self, pattern: str) -> int:
        match = self._prefix_in_patterns + pattern
        keys = list(self._redis.scan_iter(match=match, count=500))
        return int(self._redis.unlink(*keys)) if keys else 0


class LocalCache(_JsonValues):
    """For one process: the embedded default. Nothing here outlives it or is shared."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._entries: dict[str, tuple[str, datetime | None]] = {}
        self._sweep_above = 10_000

    @_answering
    def get(self, key: str) -> str | None:
        return self._find(key)

    @_answering
    def set(self, key: str, value: str, ttl: int | None = None) -> None:
        self._put({key: value}, ttl)

    @_answering
    def delete(self, key: str) -> bool:
        with self._lock:
            found = self._find(key) is not None
            self._entries.pop(key, None)
            return found

    @_answering
    def exists(self, key: str) -> bool:
        return self._find(key) is not None

    @_answering
    def expire(self, key: str, ttl: int) -> bool:
        with self._lock:
            value = self._find(key)
            if value is not None:
                self._entries[key] = (value, self._deadline(ttl))
            return value is not None

    @_answering
    def ttl(self, key: str) -> int | None:
        """None when the key is not there or never expires."""
        with self._lock:
            if self._find(key) is None:
                return None
            deadline = self._entries[key][1]
            if deadline is None:
                return None
            return round((deadline - self._clock.now()).total_seconds())

    @_answering
    def increment(self, key: str, amount: int = 1) -> int:
        return self._add(key, amount)

    @_answering
    def decrement(self, key: str, amount: int = 1) -> int:
        return self._add(key, -amount)

    @_answering
    def get_many(self, keys: Iterable[str]) -> dict[str, str]:
        found = {key: self._find(key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}

    @_answering
    def set_many(self, values: Mapping[str, str], ttl: int | None = None) -> None:
        self._put(values, ttl)

    @_answering
    def delete_pattern(self, pattern: str) -> int:
        """Glob (`*`, `?`, `[…]`)."""
        with self._lock:
            self._sweep()
            keys = [key for key in self._entries if fnmatchcase(key, pattern)]
            for key in keys:
                del self._entries[key]
            return len(keys)

    @_answering
    def flush(self) -> None:
        with self._lock:
            self._entries.clear()

    @_answering
    def ping(self) -> None:
        return None

    def _put(self, values: Mapping[str, str], ttl: int | None) -> None:
        with self._lock:
            if len(self._entries) > self._sweep_above:
                self._sweep()
            deadline = self._deadline(ttl)
            self._entries |= {key: (value, deadline) for key, value in values.items()}

    def _find(self, key: str) -> str | None:
        with self._lock:
            value, deadline = self._entries.get(key, (None, None))
            if deadline is not None and deadline <= self._clock.now():
                del self._entries[key]
                return None
            return value

    def _add(self, key: str, amount: int) -> int:
        with self._lock:
            found = self._find(key)
            total = (0 if found is None else int(found)) + amount
            deadline = self._entries[key][1] if key in self._entries else None
            self._entries[key] = (str(total), deadline)
            return total

    def _deadline(self, ttl: int | None) -> datetime | None:
        if ttl is None:
            return None
        _refuse_no_time(ttl)
        return self._clock.now() + timedelta(seconds=ttl)

    def _sweep(self) -> None:
        for key in list(self._entries):
            self._find(key)
