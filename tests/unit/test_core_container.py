"""Glue, tested for what it promises: ports are satisfied, each thing is made once, overrides."""

import inspect
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from threading import Barrier, BrokenBarrierError, Thread
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

from core import container
from core.cache import LocalCache, RedisCache
from core.database import Database
from core.ports import CacheProtocol, EventBusProtocol, LoggerProtocol, SecretsProtocol
from core.settings import Settings
from tests.fakes import container as fake_container

PORTS = {
    "get_cache": CacheProtocol,
    "get_secrets": SecretsProtocol,
    "get_logger": LoggerProtocol,
    "get_event_bus": EventBusProtocol,
}
PROVIDERS = [*PORTS, "get_own_cache", "get_limiter", "get_database", "get_settings"]


def methods(port: type) -> list[str]:
    return [name for name in vars(port) if not name.startswith("_")]


def parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    found = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default) for each in found if each.name != "self"]


def test_container_returns_protocol_types():
    """Verify container returns protocol implementations."""
    from core.container import get_cache, get_secrets

    # Verify types (structural typing with Protocol)
    cache = get_cache()
    secrets = get_secrets()
    # Check that returned objects satisfy protocol
    assert hasattr(cache, "get")
    assert hasattr(cache, "set")
    assert hasattr(secrets, "get_secret")


class TestWhatItReturns:
    """Uses `override`."""

    @pytest.mark.parametrize(("provider", "port"), PORTS.items())
    def test_every_provider_returns_an_implementation_of_its_port(self, provider: str, port: type):
        assert isinstance(getattr(container, provider)(), port)

    @pytest.mark.parametrize(
        ("provider", "method"),
        [(provider, method) for provider, port in PORTS.items() for method in methods(port)],
    )
    def test_every_method_has_the_signature_of_its_port(self, provider: str, method: str):
        made = getattr(getattr(container, provider)(), method)
        assert parameters(made) == parameters(getattr(PORTS[provider], method))

    @pytest.mark.parametrize("method", methods(CacheProtocol))
    def test_the_embedded_cache_has_the_signatures_of_its_port(self, method: str):
        made = getattr(LocalCache(), method)
        assert parameters(made) == parameters(getattr(CacheProtocol, method))

    def test_the_database_is_the_default_one(self):
        assert container.get_database().alias == "default"

    def test_without_a_redis_the_cache_is_this_process(
        self,
        environ: Callable[..., Settings],
        override: Callable[..., AbstractContextManager[None]],
    ):
        settings = environ(
            ENVIRONMENT="development", SECRET_KEY="s", DATABASE_URL="sqlite://", REDIS_URL=""
        )
        container.reset()
        override(get_settings=settings)
        assert isinstance(container.get_cache(), LocalCache)

    def test_with_a_redis_the_cache_is_that_redis(self):
        assert isinstance(container.get_cache(), RedisCache)


class TestMaking:
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_each_thing_is_made_once(self, provider: str):
        get = getattr(container, provider)
        assert get() is get()

    @pytest.mark.parametrize("provider", [name for name in PROVIDERS if name != "get_settings"])
    def test_after_a_reset_each_thing_is_made_anew(self, provider: str):
        get = getattr(container, provider)
        first = get()
        container.reset()
        assert get() is not first

    def test_threads_that_come_first_together_get_the_same(self, monkeypatch: pytest.MonkeyPatch):
        """Without a lock both would be inside the constructor at once."""
        both_inside = Barrier(2, timeout=0.05)

        class SlowDatabase(Database):
            def __init__(self) -> None:
                with suppress(BrokenBarrierError):
                    both_inside.wait()
                super().__init__()

        monkeypatch.setattr(container, "Database", SlowDatabase)
        container.reset()
        found: list[Database] = []
        threads = [Thread(target=lambda: found.append(container.get_database())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found[0] is found[1]


class TestOverride:
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_an_override_takes_the_place_of_what_was_made(self, provider: str):
        getattr(container, provider)()
        fake = object()
        with container.override(**{provider: fake}):
            assert getattr(container, provider)() is fake

    def test_the_real_thing_is_back_afterwards(self):
        real = container.get_cache()
        with container.override(get_cache=LocalCache()):
            pass
        assert container.get_cache() is real

    def test_the_real_thing_is_back_after_an_exception(self):
        real = container.get_cache()
        with pytest.raises(ZeroDivisionError), container.override(get_cache=LocalCache()):
            raise ZeroDivisionError
        assert container.get_cache() is real

    def test_the_innermost_wins(self):
        inner = LocalCache()
        with container.override(get_cache=LocalCache()), container.override(get_cache=inner):
            assert container.get_cache() is inner

    def test_the_outer_one_is_back_when_the_inner_one_ends(self):
        outer = LocalCache()
        with container.override(get_cache=outer):
            with container.override(get_cache=LocalCache()):
                pass
            assert container.get_cache() is outer

    def test_what_is_not_overridden_shines_through(self):
        outer = LocalCache()
        with container.override(get_cache=outer), container.override(get_logger=object()):
            assert container.get_cache() is outer

    def test_equal_layers_are_told_apart(self):
        first, second = (container.override(get_cache=None) for _ in range(2))
        with first:
            second.__enter__()
            with container.override(get_cache=1):
                second.__exit__(None, None, None)
                assert container.leftovers() == ["get_cache", "get_cache"]

    def test_other_threads_see_it(self):
        fake, found = LocalCache(), []
        with container.override(get_cache=fake):
            thread = Thread(target=lambda: found.append(container.get_cache()))
            thread.start()
            thread.join()
        assert found == [fake]

    def test_a_provider_that_does_not_exist_is_refused(self):
        with (
            pytest.raises(LookupError, match=r"^The container has no get_cash, get_sekrets\.$"),
            container.override(get_sekrets=1, get_cash=2, get_cache=3),
        ):
            pass

    def test_a_refused_override_leaves_nothing(self):
        with suppress(LookupError), container.override(get_cash=1, get_cache=2):
            pass
        assert container.leftovers() == []

    def test_what_is_still_overridden_can_be_asked(self):
        with container.override(get_secrets=1, get_cache=2):
            assert container.leftovers() == ["get_cache", "get_secrets"]


class TestStrategies:
    """The ways in which a test replaces the container. Uses `mock_container_dependencies` and
    `override`."""

    def test_a_container_function_can_be_patched(self):
        fake = LocalCache()
        with patch("core.container.get_cache", return_value=fake):
            assert container.get_cache() is fake

    def test_the_module_can_be_substituted(self):
        with patch.dict(sys.modules, {"core.container": fake_container}):
            substituted: ModuleType = __import__("core.container", fromlist=["get_cache"])
            assert isinstance(substituted.get_cache(), LocalCache)

    @pytest.mark.parametrize(
        ("name", "port"),
        [(provider.removeprefix("get_"), port) for provider, port in PORTS.items()],
    )
    def test_every_mock_of_the_fixture_answers_for_its_port(
        self, mock_container_dependencies: dict[str, Any], name: str, port: type
    ):
        found = getattr(container, f"get_{name}")()
        assert (found, isinstance(found, port)) == (mock_container_dependencies[name], True)

    def test_a_mock_of_the_fixture_refuses_a_call_that_its_port_refuses(
        self, mock_container_dependencies: dict[str, Any]
    ):
        with pytest.raises(TypeError):
            mock_container_dependencies["cache"].set("key", "value", seconds=60)

    def test_the_mocked_secret_is_what_the_architecture_says(
        self, mock_container_dependencies: dict[str, Any]
    ):
        assert mock_container_dependencies["secrets"].get_secret("any") == "mock-secret"

    def test_the_override_fixture_lasts_until_the_test_ends(
        self, override: Callable[..., AbstractContextManager[None]]
    ):
        fake = LocalCache()
        override(get_cache=fake)
        assert container.get_cache() is fake
