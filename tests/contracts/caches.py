"""What every cache promises."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest

from core.errors import CacheError, ErrorCode
from core.ports import CacheProtocol
from core.result import Result
from tests.assertions import assert_failure, assert_success

Call = Callable[[CacheProtocol], Result[Any, CacheError]]

METHODS: dict[str, Call] = {
    "get": lambda cache: cache.get("key"),
    "set": lambda cache: cache.set("key", "value", ttl=60),
    "get_json": lambda cache: cache.get_json("key"),
    "set_json": lambda cache: cache.set_json("key", [1]),
    "delete": lambda cache: cache.delete("key"),
    "exists": lambda cache: cache.exists("key"),
    "expire": lambda cache: cache.expire("key", 60),
    "ttl": lambda cache: cache.ttl("key"),
    "increment": lambda cache: cache.increment("key"),
    "decrement": lambda cache: cache.decrement("key"),
    "get_many": lambda cache: cache.get_many(["key"]),
    "set_many": lambda cache: cache.set_many({"key": "value"}),
    "delete_pattern": lambda cache: cache.delete_pattern("*"),
    "flush": lambda cache: cache.flush(),
    "ping": lambda cache: cache.ping(),
}


def at_once(times: int, work: Callable[[], object]) -> None:
    together = Barrier(times, timeout=5)

    def begin() -> None:
        together.wait()
        work()

    threads = [Thread(target=begin) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class ValuesContract:
    """What every cache promises. Uses `cache`: each of the caches there are, one after another."""

    def test_it_is_a_cache(self, cache: CacheProtocol):
        assert isinstance(cache, CacheProtocol)

    def test_it_answers(self, cache: CacheProtocol):
        assert assert_success(cache.ping()) is None

    def test_the_suite_knows_every_method(self, cache: CacheProtocol):
        assert {name for name in vars(CacheProtocol) if not name.startswith("_")} == METHODS.keys()

    @pytest.mark.parametrize("value", ["value", "", "naïve 🦊\n", "0", "x" * 100_000], ids=len)
    def test_a_value_comes_back_as_it_was(self, cache: CacheProtocol, value: str):
        cache.set("key", value)
        assert assert_success(cache.get("key")) == value

    @pytest.mark.parametrize("key", ["key", "", "a:b c", "naïve🦊", "*", "[key]", "k\nk"])
    def test_any_text_is_a_key(self, cache: CacheProtocol, key: str):
        cache.set(key, "value")
        assert assert_success(cache.get(key)) == "value"

    @pytest.mark.parametrize(
        ("method", "answer"),
        [
            ("get", None),
            ("get_json", None),
            ("delete", False),
            ("exists", False),
            ("expire", False),
            ("ttl", None),
            ("get_many", {}),
            ("delete_pattern", 0),
            ("increment", 1),
            ("decrement", -1),
        ],
    )
    def test_what_is_not_there_is_no_failure(
        self, cache: CacheProtocol, method: str, answer: object
    ):
        assert assert_success(METHODS[method](cache)) == answer

    def test_to_set_anew_replaces_the_value(self, cache: CacheProtocol):
        cache.set("key", "old")
        cache.set("key", "new")
        assert assert_success(cache.get("key")) == "new"

    def test_what_is_deleted_is_gone(self, cache: CacheProtocol):
        cache.set("key", "value")
        assert (assert_success(cache.delete("key")), assert_success(cache.get("key"))) == (
            True,
            None,
        )

    @pytest.mark.parametrize("value", ["value", ""])
    def test_what_is_there_exists(self, cache: CacheProtocol, value: str):
        cache.set("key", value)
        assert assert_success(cache.exists("key")) is True

    @pytest.mark.parametrize("value", [None, True, 7, "text", [1, [2]], {"a": {"b": None}}, []])
    def test_json_comes_back_as_it_was(self, cache: CacheProtocol, value: object):
        cache.set_json("key", value)
        assert assert_success(cache.get_json("key")) == value

    def test_json_is_kept_as_text(self, cache: CacheProtocol):
        cache.set_json("key", {"a": 1})
        assert assert_success(cache.get("key")) == '{"a": 1}'

    def test_json_may_expire(self, cache: CacheProtocol):
        cache.set_json("key", 1, ttl=60)
        assert assert_success(cache.ttl("key")) == 60

    @pytest.mark.parametrize("text", ["", "{not json", "[" * 100_000], ids=len)
    def test_what_is_no_json_is_a_failure_that_names_the_key(self, cache: CacheProtocol, text: str):
        cache.set("key", text)
        error = assert_failure(cache.get_json("key"), ErrorCode.CACHE_ERROR)
        assert error.message == "Failed to parse JSON for key 'key'."

    @pytest.mark.parametrize(
        "value",
        [object(), {1, 2}, float("nan"), b"bytes", {(1, 2): 3}],
        ids=["an object", "a set", "nan", "bytes", "a key that is no text"],
    )
    def test_what_has_no_json_is_a_failure_and_not_kept(self, cache: CacheProtocol, value: object):
        assert_failure(cache.set_json("key", value), ErrorCode.CACHE_ERROR)
        assert assert_success(cache.exists("key")) is False

    def test_a_value_that_contains_itself_is_a_failure(self, cache: CacheProtocol):
        value: list[object] = []
        value.append(value)
        assert_failure(cache.set_json("key", value), ErrorCode.CACHE_ERROR)

    def test_the_failure_does_not_quote_the_value(self, cache: CacheProtocol):
        cache.set("key", "hunter2")
        assert "hunter2" not in repr(cache.get_json("key"))


class TimeContract:
    """Uses `cache`. That values vanish in time is tested where the clock can be held:
    tests/unit/test_core_local_cache.py; a server has a clock of its own."""

    def test_a_value_without_a_time_has_none_left(self, cache: CacheProtocol):
        cache.set("key", "value")
        assert assert_success(cache.ttl("key")) is None

    def test_a_value_with_a_time_has_that_left(self, cache: CacheProtocol):
        cache.set("key", "value", ttl=3600)
        assert assert_success(cache.ttl("key")) == 3600

    def test_a_value_can_be_given_a_time_later(self, cache: CacheProtocol):
        cache.set("key", "value")
        assert (assert_success(cache.expire("key", 60)), assert_success(cache.ttl("key"))) == (
            True,
            60,
        )

    def test_to_set_anew_ends_the_old_time(self, cache: CacheProtocol):
        cache.set("key", "old", ttl=60)
        cache.set("key", "new")
        assert assert_success(cache.ttl("key")) is None

    def test_to_count_keeps_the_time(self, cache: CacheProtocol):
        cache.set("key", "1", ttl=60)
        cache.increment("key")
        assert assert_success(cache.ttl("key")) == 60

    @pytest.mark.parametrize("ttl", [0, -1])
    def test_no_time_at_all_is_refused(self, cache: CacheProtocol, ttl: int):
        assert_failure(cache.set("key", "value", ttl=ttl), ErrorCode.CACHE_ERROR)
        assert assert_success(cache.exists("key")) is False

    @pytest.mark.parametrize("ttl", [0, -1])
    def test_no_time_at_all_does_not_delete(self, cache: CacheProtocol, ttl: int):
        cache.set("key", "value")
        assert_failure(cache.expire("key", ttl), ErrorCode.CACHE_ERROR)
        assert assert_success(cache.get("key")) == "value"


class CountingContract:
    """Uses `cache`."""

    def test_a_count_goes_up_from_nothing(self, cache: CacheProtocol):
        cache.increment("count")
        assert assert_success(cache.increment("count", 4)) == 5

    def test_a_count_goes_down(self, cache: CacheProtocol):
        cache.set("count", "5")
        assert assert_success(cache.decrement("count", 7)) == -2

    def test_a_count_is_kept_as_text(self, cache: CacheProtocol):
        cache.increment("count", 7)
        assert assert_success(cache.get("count")) == "7"

    @pytest.mark.parametrize("value", ["", "seven", "1.5"])
    @pytest.mark.parametrize("method", ["increment", "decrement"])
    def test_what_is_no_number_cannot_be_counted(
        self, cache: CacheProtocol, method: str, value: str
    ):
        cache.set("key", value)
        assert_failure(METHODS[method](cache), ErrorCode.CACHE_ERROR)
        assert assert_success(cache.get("key")) == value

    def test_no_count_is_lost_between_threads(self, cache: CacheProtocol):
        at_once(4, lambda: [cache.increment("count") for _ in range(25)])
        assert assert_success(cache.get("count")) == "100"

    def test_exactly_one_of_many_threads_is_first(self, cache: CacheProtocol):
        counts: list[int] = []
        at_once(8, lambda: counts.append(assert_success(cache.increment("count"))))
        assert sorted(counts) == [1, 2, 3, 4, 5, 6, 7, 8]


class ManyContract:
    """Uses `cache`."""

    def test_many_are_set_and_found_at_once(self, cache: CacheProtocol):
        cache.set_many({"a": "1", "b": "2"})
        assert assert_success(cache.get_many(["a", "b", "c"])) == {"a": "1", "b": "2"}

    def test_an_empty_value_is_among_them(self, cache: CacheProtocol):
        cache.set_many({"a": ""})
        assert assert_success(cache.get_many(["a"])) == {"a": ""}

    def test_none_are_none(self, cache: CacheProtocol):
        assert (assert_success(cache.set_many({})), assert_success(cache.get_many([]))) == (
            None,
            {},
        )

    def test_keys_may_come_from_a_generator(self, cache: CacheProtocol):
        cache.set_many({"a": "1", "b": "2"})
        assert assert_success(cache.get_many(key for key in "ab")) == {"a": "1", "b": "2"}

    @pytest.mark.parametrize("key", ["a", "b"])
    def test_many_share_a_time(self, cache: CacheProtocol, key: str):
        cache.set_many({"a": "1", "b": "2"}, ttl=60)
        assert assert_success(cache.ttl(key)) == 60

    @pytest.mark.parametrize("ttl", [0, -1])
    def test_no_time_at_all_is_refused_for_all(self, cache: CacheProtocol, ttl: int):
        assert_failure(cache.set_many({"a": "1", "b": "2"}, ttl=ttl), ErrorCode.CACHE_ERROR)
        assert assert_success(cache.get_many(["a", "b"])) == {}

    @pytest.mark.parametrize(
        ("pattern", "left"),
        [
            ("*", set()),
            ("user:*", {"use:1", "session:1"}),
            ("user:?", {"use:1", "session:1", "user:10"}),
            ("user:[12]", {"use:1", "session:1", "user:10"}),
            ("user:1", {"use:1", "session:1", "user:2", "user:10"}),
            ("User:*", {"use:1", "session:1", "user:1", "user:2", "user:10"}),
            ("", {"use:1", "session:1", "user:1", "user:2", "user:10"}),
        ],
    )
    def test_a_pattern_deletes_what_it_matches(
        self, cache: CacheProtocol, pattern: str, left: set[str]
    ):
        keys = ["use:1", "session:1", "user:1", "user:2", "user:10"]
        cache.set_many(dict.fromkeys(keys, ""))
        deleted = assert_success(cache.delete_pattern(pattern))
        assert (deleted, set(assert_success(cache.get_many(keys)))) == (5 - len(left), left)

    def test_a_pattern_finds_more_than_one_page_of_keys(self, cache: CacheProtocol):
        cache.set_many({f"key:{number}": "" for number in range(1200)})
        assert assert_success(cache.delete_pattern("key:*")) == 1200

    def test_flush_leaves_nothing(self, cache: CacheProtocol):
        cache.set_many({"a": "1", "b": "2"})
        assert assert_success(cache.flush()) is None
        assert assert_success(cache.get_many(["a", "b"])) == {}
