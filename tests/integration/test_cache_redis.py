"""The cache on a real server."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core import container
from core.cache import RedisCache
from core.errors import CacheError, ErrorCode
from core.ports import CacheProtocol
from core.result import Failure, Success
from core.settings import Settings
from tests.assertions import assert_failure, assert_success
from tests.contracts.caches import (
    METHODS,
    Call,
    CountingContract,
    ManyContract,
    TimeContract,
    ValuesContract,
)
from tests.plugin.faults import NO_REDIS, Faults


@pytest.mark.integration
class TestCacheIntegration:
    """Integration tests for cache infrastructure.

    Uses fixtures from conftest.py:
    - cache_adapter: Fresh RedisCache per test
    - redis_test_client: Fresh Redis client per test
    """

    def test_cache_connection_works(self, cache_adapter):
        """Test description with clear intent."""
        result = cache_adapter.ping()
        assert isinstance(result, Success)

    def test_set_and_get_string(self, cache_adapter):
        """Test with REAL Redis instance."""
        # Set value
        set_result = cache_adapter.set("test_key", "test_value")
        assert isinstance(set_result, Success)
        # Get value
        get_result = cache_adapter.get("test_key")
        assert isinstance(get_result, Success)
        assert get_result.value == "test_value"

    def test_set_returns_none_on_success(self, cache_adapter):
        result = cache_adapter.set("test_key", "test_value")
        assert isinstance(result, Success)
        assert result.value is None  # set() returns None on success

        get_result = cache_adapter.get("test_key")
        assert isinstance(get_result, Success)
        assert get_result.value == "test_value"

    def test_cache_operation(self, cache_adapter):
        result = cache_adapter.set("key", "value", ttl=60)
        assert result.is_success

    def test_invalid_json(self, cache_adapter):
        cache_adapter.set("invalid_json", "{not json")
        result = cache_adapter.get_json("invalid_json")
        assert isinstance(result, Failure)
        assert isinstance(result.error, CacheError)
        assert "parse json" in result.error.message.lower()


@pytest.mark.contract(of=CacheProtocol)
class TestRedisCache(ValuesContract, TimeContract, CountingContract, ManyContract):
    """Uses fixtures: redis_test_client."""

    @pytest.fixture(params=["", "[p]*:"])
    def cache(
        self, request: pytest.FixtureRequest, redis_test_client: redis.Redis
    ) -> CacheProtocol:
        return RedisCache(redis_test_client, prefix=request.param)


PREFIXES = ["a:", "a*:", "a?:", "[a]:", "[^b]:", "a\\:", "*", ""]


class TestPrefix:
    """Uses `redis_test_client`: two caches on one server."""

    def test_a_key_stands_under_its_prefix(self, redis_test_client: redis.Redis):
        RedisCache(redis_test_client, prefix="a:").set("key", "value")
        assert redis_test_client.keys() == ["a:key"]

    @pytest.mark.parametrize("method", [name for name in METHODS if name not in {"flush", "ping"}])
    def test_no_method_sees_another_prefix(self, redis_test_client: redis.Redis, method: str):
        other = RedisCache(redis_test_client, prefix="b:")
        other.set("key", "1", ttl=3600)
        METHODS[method](RedisCache(redis_test_client, prefix="a:"))
        assert (assert_success(other.get("key")), assert_success(other.ttl("key"))) == ("1", 3600)

    @pytest.mark.parametrize("prefix", [prefix for prefix in PREFIXES if prefix])
    @pytest.mark.parametrize(
        "delete", [METHODS["flush"], METHODS["delete_pattern"]], ids=["flush", "delete_pattern"]
    )
    def test_to_delete_everything_spares_what_is_under_no_or_another_prefix(
        self, redis_test_client: redis.Redis, delete: Call, prefix: str
    ):
        others = {"key", "b:key", "ab:key", "aa:key", "abc:key", "a", "c:key"}
        redis_test_client.mset(dict.fromkeys(others, ""))
        RedisCache(redis_test_client, prefix=prefix).set("key", "")
        assert_success(delete(RedisCache(redis_test_client, prefix=prefix)))
        assert set(redis_test_client.keys()) == others

    def test_without_a_prefix_flush_empties_the_database(self, redis_test_client: redis.Redis):
        RedisCache(redis_test_client, prefix="a:").set("key", "")
        RedisCache(redis_test_client).flush()
        assert redis_test_client.keys() == []


class TestForeignValues:
    """What somebody else may have put there. Uses `cache_adapter` and `redis_test_client`."""

    @pytest.mark.parametrize("method", ["get", "get_json", "increment"])
    def test_a_value_of_another_type_is_a_failure(
        self, cache_adapter: RedisCache, redis_test_client: redis.Redis, method: str
    ):
        redis_test_client.lpush("key", "value")
        error = assert_failure(METHODS[method](cache_adapter), ErrorCode.CACHE_ERROR)
        assert error.infrastructure_code == "ResponseError"

    @pytest.mark.parametrize("method", ["get", "get_json", "get_many"])
    def test_bytes_that_are_no_text_are_a_failure(
        self, cache_adapter: RedisCache, redis_test_client: redis.Redis, method: str
    ):
        redis_test_client.set("key", b"\xff\xfe")
        error = assert_failure(METHODS[method](cache_adapter), ErrorCode.CACHE_ERROR)
        assert error.infrastructure_code == "UnicodeDecodeError"


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://:hunter2@127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture
def dead_server() -> str:
    """An address where nobody listens any more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"redis://:hunter2@127.0.0.1:{port}/0"


@pytest.fixture
def production_cache(dead_server: str, environ: Callable[..., Settings]) -> Iterator[CacheProtocol]:
    """As the container makes it, with its prefix and its patience."""
    settings = environ(
        ENVIRONMENT="testing",
        SECRET_KEY="s" * 32,
        DATABASE_URL="sqlite://:memory:",
        REDIS_URL=dead_server,
    )
    container.reset()
    with container.override(get_settings=settings):
        yield container.get_cache()
    container.reset()


class TestDeadServer:
    """Uses `production_cache`, whose server is gone, and `silent_server`."""

    @pytest.mark.parametrize("method", METHODS)
    def test_every_method_fails_and_none_raises(self, production_cache: CacheProtocol, method: str):
        error = assert_failure(METHODS[method](production_cache), ErrorCode.CACHE_ERROR)
        assert (type(error), error.infrastructure_code) == (CacheError, "ConnectionError")

    @pytest.mark.parametrize("method", METHODS)
    def test_nobody_waits_for_it(self, production_cache: CacheProtocol, method: str):
        began = time.perf_counter()
        METHODS[method](production_cache)
        assert time.perf_counter() - began < 0.5

    def test_the_failure_does_not_tell_the_password(self, production_cache: CacheProtocol):
        assert "hunter2" not in repr(production_cache.get("key"))

    def test_the_cache_does_not_tell_the_password(self, production_cache: CacheProtocol):
        assert "hunter2" not in repr(production_cache)

    @pytest.mark.parametrize("method", METHODS)
    def test_a_server_that_never_answers_is_a_failure_too(self, silent_server: str, method: str):
        client = redis.Redis.from_url(
            silent_server,
            decode_responses=True,
            socket_timeout=0.05,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            error = assert_failure(
                METHODS[method](RedisCache(client, prefix="a:")), ErrorCode.CACHE_ERROR
            )
        assert error.infrastructure_code == "TimeoutError"

    @pytest.mark.slow(reason="the patience of production is one second")
    def test_production_waits_one_second_for_a_server_that_never_answers(
        self, silent_server: str, environ: Callable[..., Settings]
    ):
        settings = environ(
            ENVIRONMENT="testing",
            SECRET_KEY="s" * 32,
            DATABASE_URL="sqlite://:memory:",
            REDIS_URL=silent_server,
        )
        container.reset()
        began = time.perf_counter()
        with container.override(get_settings=settings):
            assert_failure(container.get_cache().get("key"), ErrorCode.CACHE_ERROR)
        assert 0.9 < time.perf_counter() - began < 3


def test_a_server_that_is_no_redis_is_a_failure_too(faults: Faults):
    faults.cache_at(faults.babbling(NO_REDIS))
    cache = container.get_cache()
    error = assert_failure(cache.get("key"), ErrorCode.CACHE_ERROR)  # at its greeting
    assert error.infrastructure_code == "AttributeError"
    assert_failure(cache.increment("key"), ErrorCode.CACHE_ERROR)
