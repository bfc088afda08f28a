"""Counting in one process; what Redis adds is in tests/integration/test_limits_redis.py."""

from datetime import timedelta
from typing import Any
from unittest.mock import call, create_autospec

import pytest
import redis
from limits import RateLimitItem

from core.limiter import (
    PATIENCE,
    Limiter,
    LocalStorage,
    SharedLimiter,
    Standing,
    WindowLimiter,
    local_limiter,
)
from core.ports import LoggerProtocol
from core.quotas import read_quotas
from tests.fakes.clock import FakeClock

QUOTA = read_quotas("3/minute")[0]


class Shared:
    """A store that can be away."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    def hit(self, quota: RateLimitItem, *key: str) -> Standing:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return Standing(quota, passed=True, remaining=2, resets_in=60)


@pytest.fixture
def shared() -> Shared:
    return Shared()


@pytest.fixture
def logger() -> Any:
    return create_autospec(LoggerProtocol, instance=True)


@pytest.fixture
def limiter(shared: Shared, logger: Any) -> SharedLimiter:
    return SharedLimiter(shared, local_limiter(), logger)


def passes(limiter: Limiter, times: int, key: str = "key") -> list[bool]:
    return [limiter.hit(QUOTA, key).passed for _ in range(times)]


class TestLocal:
    """Uses `frozen`: the clock stands where the test puts it."""

    def test_as_many_pass_as_the_quota_says(self, frozen: FakeClock):
        assert passes(local_limiter(), 5) == [True, True, True, False, False]

    def test_what_remains_is_told(self, frozen: FakeClock):
        limiter = local_limiter()
        assert [limiter.hit(QUOTA, "key").remaining for _ in range(4)] == [2, 1, 0, 0]

    def test_every_key_has_its_own_count(self, frozen: FakeClock):
        limiter = local_limiter()
        passes(limiter, 3, "one")
        assert passes(limiter, 1, "another") == [True]

    def test_the_window_moves(self, frozen: FakeClock):
        limiter = local_limiter()
        passes(limiter, 1)
        frozen.advance(timedelta(seconds=40))
        passes(limiter, 2)
        assert passes(limiter, 1) == [False]
        frozen.advance(timedelta(seconds=20))
        assert passes(limiter, 2) == [True, False]

    def test_after_the_time_that_is_told_there_is_room(self, frozen: FakeClock):
        limiter = local_limiter()
        passes(limiter, 2)
        frozen.advance(timedelta(seconds=13.4))
        passes(limiter, 1)
        refused = limiter.hit(QUOTA, "key")
        assert (refused.passed, refused.resets_in) == (False, 47)
        frozen.advance(timedelta(seconds=refused.resets_in))
        assert passes(limiter, 1) == [True]

    def test_a_refusal_is_not_counted(self, frozen: FakeClock):
        limiter = local_limiter()
        passes(limiter, 3)
        frozen.advance(timedelta(seconds=59))
        passes(limiter, 50)
        frozen.advance(timedelta(seconds=1))
        assert passes(limiter, 1) == [True]

    def test_the_memory_has_an_end(self):
        limiter = WindowLimiter(LocalStorage(most_keys=2))
        passes(limiter, 3, "first")
        passes(limiter, 3, "second")
        passes(limiter, 1, "third")
        assert passes(limiter, 1, "second") == [False]
        assert passes(limiter, 1, "first") == [True]

    def test_it_can_forget(self):
        storage = LocalStorage()
        limiter = WindowLimiter(storage)
        passes(limiter, 3, "one")
        passes(limiter, 3, "another")
        storage.clear(QUOTA.key_for("one"))
        assert passes(limiter, 1, "one") == [True]
        assert (storage.reset(), storage.check()) == (2, True)
        assert passes(limiter, 1, "another") == [True]


class TestShared:
    """Uses `limiter` over `shared`, and `frozen`."""

    def test_while_the_store_answers_it_decides(self, limiter: SharedLimiter):
        assert passes(limiter, 9) == [True] * 9

    @pytest.mark.parametrize(
        "error",
        [
            redis.ConnectionError(),
            redis.TimeoutError(),
            OSError(),
            redis.ResponseError(),
            ValueError("no number"),
            AttributeError("no mapping"),
        ],
    )
    def test_without_it_the_process_counts_by_the_same_limit(
        self, limiter: SharedLimiter, shared: Shared, error: Exception
    ):
        shared.error = error
        assert passes(limiter, 4) == [True, True, True, False]

    def test_a_mistake_in_the_code_is_not_a_store_that_is_away(
        self, limiter: SharedLimiter, shared: Shared
    ):
        shared.error = TypeError()
        with pytest.raises(TypeError):
            passes(limiter, 1)

    def test_nobody_else_waits_for_a_store_that_was_away(
        self, limiter: SharedLimiter, shared: Shared, frozen: FakeClock
    ):
        shared.error = redis.TimeoutError()
        passes(limiter, 3)
        assert shared.asked == 1
        frozen.advance(timedelta(seconds=PATIENCE))
        passes(limiter, 3)
        assert shared.asked == 2

    def test_when_it_is_back_it_decides_again(
        self, limiter: SharedLimiter, shared: Shared, frozen: FakeClock
    ):
        shared.error = redis.ConnectionError()
        passes(limiter, 3)
        shared.error = None
        frozen.advance(timedelta(seconds=PATIENCE))
        assert passes(limiter, 1) == [True]

    def test_the_log_says_so_once_a_minute(
        self, limiter: SharedLimiter, shared: Shared, frozen: FakeClock, logger: Any
    ):
        shared.error = redis.ConnectionError()
        for _ in range(2 * 60 // PATIENCE):
            passes(limiter, 1)
            frozen.advance(timedelta(seconds=PATIENCE))
        line = call("limits_counted_per_process", reason="ConnectionError")
        assert logger.error.call_args_list == [line, line]
