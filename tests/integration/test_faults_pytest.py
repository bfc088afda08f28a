"""The fixture `faults`: what it says fails, from the call that it says, and nothing stays."""

import threading
from pkgutil import resolve_name

import psycopg
import pytest
import redis
from django.db import OperationalError, connection

from core import container
from core.cache import RedisCache
from core.errors import ErrorCode
from core.signals import domain_event
from tests.assertions import assert_failure, assert_success
from tests.plugin.faults import CALLS, NO_WORDS, Faults


def test_a_command_fails_from_its_nth_call_on(cache_adapter: RedisCache, faults: Faults):
    faults.fail("cache.set", nth=2, error=redis.ConnectionError("lost"))
    assert_success(cache_adapter.set("key", "first"))
    for _ in range(2):
        assert_failure(cache_adapter.set("key", "second"), ErrorCode.CACHE_ERROR)
    assert assert_success(cache_adapter.get("key")) == "first"
    assert faults.asked == {"cache.set": 3}


def test_a_call_that_was_not_made_so_often_is_told(cache_adapter: RedisCache, faults: Faults):
    faults.fail("cache.set", nth=2, error=redis.ConnectionError("lost"))
    faults.fail("cache.get", error=redis.ConnectionError("lost"))
    cache_adapter.set("key", "value")
    cache_adapter.get("key")
    assert faults.missed == ["cache.set"]


def test_when_it_is_over_all_is_as_it_was(cache_adapter: RedisCache):
    before = real_calls()
    threads, receivers = threading.enumerate(), list(domain_event.receivers)
    settings = container.get_settings()
    faults = Faults()
    for call in CALLS:
        faults.fail(call, error=ZeroDivisionError())
    faults.cache_at(faults.babbling(NO_WORDS))
    faults.hears(faults.nobody())
    faults.log_to(faults.full_pipe())
    faults.over()
    assert real_calls() == before
    assert (threading.enumerate(), domain_event.receivers) == (threads, receivers)
    assert container.get_settings() is settings
    assert_success(cache_adapter.set("key", "value"))


def real_calls() -> list[object]:
    return [getattr(resolve_name(owner), call) for owner, call in CALLS.values()]


class TestDatabase:
    """Uses fixtures: transactional_db, faults."""

    @pytest.mark.parametrize("server", [Faults.nobody, lambda faults: faults.babbling(NO_WORDS)])
    def test_it_is_elsewhere_until_it_is_over(self, transactional_db: None, faults: Faults, server):
        faults.database_at(server(faults))
        with pytest.raises(OperationalError):
            connection.ensure_connection()
        faults.over()
        assert connection.introspection.table_names()

    def test_a_connection_is_cut_by_the_server(self, transactional_db: None, faults: Faults):
        connection.ensure_connection()
        faults.at("database", 1, faults.cut_connection)
        with pytest.raises(OperationalError) as cut, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        assert isinstance(cut.value.__cause__, psycopg.errors.AdminShutdown)

    def test_a_statement_waits_for_a_table_that_somebody_holds(
        self, transactional_db: None, faults: Faults
    ):
        faults.blocked_table("users_user")
        with pytest.raises(OperationalError) as late, connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM users_user")
        assert isinstance(late.value.__cause__, psycopg.errors.QueryCanceled)
