"""The cache of one process: what every cache promises, and what that cannot see: time."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest

from core.cache import LocalCache
from core.errors import ErrorCode
from core.ports import CacheProtocol
from tests.assertions import assert_failure, assert_success
from tests.contracts.caches import (
    CountingContract,
    ManyContract,
    TimeContract,
    ValuesContract,
)
from tests.fakes.clock import FakeClock


@pytest.fixture
def cache(clock: FakeClock) -> LocalCache:
    return LocalCache(clock)


@pytest.mark.contract(of=CacheProtocol)
class TestLocalCache(ValuesContract, TimeContract, CountingContract, ManyContract):
    pass


class TestTime:
    """Uses `cache`, which goes by `clock`."""

    @pytest.mark.parametrize(
        ("seconds", "value"), [(0, "value"), (59.999, "value"), (60, None), (61, None)]
    )
    def test_a_value_is_there_until_its_time_is_over(
        self, cache: LocalCache, clock: FakeClock, seconds: float, value: str | None
    ):
        cache.set("key", "value", ttl=60)
        clock.advance(timedelta(seconds=seconds))
        assert assert_success(cache.get("key")) == value

    def test_a_value_without_a_time_stays(self, cache: LocalCache, clock: FakeClock):
        cache.set("key", "value")
        clock.advance(timedelta(days=10_000))
        assert assert_success(cache.get("key")) == "value"

    @pytest.mark.parametrize(
        ("seconds", "left"), [(0, 60), (0.4, 60), (0.6, 59), (59, 1), (60, None)]
    )
    def test_the_time_left_is_in_whole_seconds(
        self, cache: LocalCache, clock: FakeClock, seconds: float, left: int | None
    ):
        cache.set("key", "value", ttl=60)
        clock.advance(timedelta(seconds=seconds))
        assert assert_success(cache.ttl("key")) == left

    def test_to_set_anew_ends_the_old_time(self, cache: LocalCache, clock: FakeClock):
        cache.set("key", "old", ttl=60)
        cache.set("key", "new")
        clock.advance(timedelta(seconds=60))
        assert assert_success(cache.get("key")) == "new"

    def test_expire_counts_from_now(self, cache: LocalCache, clock: FakeClock):
        cache.set("key", "value", ttl=60)
        clock.advance(timedelta(seconds=30))
        cache.expire("key", 60)
        clock.advance(timedelta(seconds=59))
        assert assert_success(cache.exists("key"))

    @pytest.mark.parametrize("method", ["exists", "delete"])
    def test_what_is_over_is_not_there(self, cache: LocalCache, clock: FakeClock, method: str):
        cache.set("key", "value", ttl=60)
        clock.advance(timedelta(seconds=60))
        assert assert_success(getattr(cache, method)("key")) is False

    def test_what_is_over_cannot_be_given_more_time(self, cache: LocalCache, clock: FakeClock):
        cache.set("key", "value", ttl=60)
        clock.advance(timedelta(seconds=60))
        assert assert_success(cache.expire("key", 60)) is False

    def test_what_is_over_is_not_among_many(self, cache: LocalCache, clock: FakeClock):
        cache.set("gone", "value", ttl=60)
        cache.set("here", "value")
        clock.advance(timedelta(seconds=60))
        assert assert_success(cache.get_many(["gone", "here"])) == {"here": "value"}

    def test_what_is_over_does_not_count_as_deleted(self, cache: LocalCache, clock: FakeClock):
        cache.set_many({"a:1": "", "a:2": ""}, ttl=60)
        cache.set("a:3", "")
        clock.advance(timedelta(seconds=60))
        assert assert_success(cache.delete_pattern("a:*")) == 1

    def test_a_count_keeps_its_time(self, cache: LocalCache, clock: FakeClock):
        cache.set("count", "1", ttl=60)
        cache.increment("count")
        clock.advance(timedelta(seconds=60))
        assert assert_success(cache.get("count")) is None

    def test_a_count_begins_again_when_its_time_is_over(self, cache: LocalCache, clock: FakeClock):
        cache.set("count", "41", ttl=60)
        clock.advance(timedelta(seconds=60))
        cache.increment("count")
        assert (
            assert_success(cache.get("count")),
            assert_success(cache.ttl("count")),
        ) == ("1", None)

    def test_without_a_clock_it_goes_by_the_system_s(self, frozen: FakeClock):
        cache = LocalCache()
        cache.set("key", "value", ttl=60)
        frozen.advance(timedelta(seconds=60))
        assert assert_success(cache.get("key")) is None


class TestMemory:
    """Uses `cache`, which goes by `clock`."""

    def test_what_is_over_is_swept_when_there_is_much(self, cache: LocalCache, clock: FakeClock):
        cache.set_many({str(number): "" for number in range(10_001)}, ttl=60)
        clock.advance(timedelta(seconds=60))
        cache.set("one more", "")
        assert len(cache._entries) == 1

    def test_two_caches_share_nothing(self, cache: LocalCache):
        cache.set("key", "value")
        assert assert_success(LocalCache().get("key")) is None

    def test_it_is_a_cache(self, cache: LocalCache):
        assert isinstance(cache, CacheProtocol)


class TestRefusal:
    """Uses `cache`."""

    @pytest.mark.parametrize("ttl", [0, -1])
    def test_many_values_for_no_time_are_refused_together(self, cache: LocalCache, ttl: int):
        assert_failure(cache.set_many({"a": "1", "b": "2"}, ttl=ttl), ErrorCode.CACHE_ERROR)
        assert assert_success(cache.get_many(["a", "b"])) == {}

    def test_the_failure_names_the_operation_and_no_value(self, cache: LocalCache):
        cache.set("count", "hunter2")
        error = assert_failure(cache.increment("count"), ErrorCode.CACHE_ERROR)
        assert (error.message, error.infrastructure_code) == (
            "The cache could not increment.",
            "ValueError",
        )


class TestThreads:
    """Uses `cache`."""

    def test_no_increment_is_lost(self, cache: LocalCache):
        together = Barrier(4, timeout=5)

        def count() -> None:
            together.wait()
            for _ in range(100):
                cache.increment("count")

        threads = [Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert assert_success(cache.get("count")) == "400"
