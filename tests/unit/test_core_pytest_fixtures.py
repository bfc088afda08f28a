"""The seed's fixtures do what it says of them."""

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import MagicMock, create_autospec

import pytest

from core import container
from core.errors import ErrorCode
from core.ports import CacheProtocol
from core.result import Success
from core.settings import Environment, Settings
from tests.assertions import assert_failure, assert_success
from tests.fakes.clock import FakeClock
from tests.plugin.fixtures import CleanupTracker
from users.domain.user import User

REQUIRED = {"SECRET_KEY": "x" * 32, "DATABASE_URL": "postgres://test"}


class TestEventLoop:
    """Uses fixtures: event_loop."""

    def test_it_runs_what_it_is_given(self, event_loop: asyncio.AbstractEventLoop) -> None:
        assert event_loop.run_until_complete(asyncio.sleep(0, result="done")) == "done"

    def test_it_is_open_and_not_running(self, event_loop: asyncio.AbstractEventLoop) -> None:
        assert not event_loop.is_closed()
        assert not event_loop.is_running()


class TestAsyncContextManagers:
    """Uses fixtures: mock_async_context_manager."""

    async def test_it_gives_what_it_was_told_to(
        self, mock_async_context_manager: Callable[..., MagicMock]
    ) -> None:
        async with mock_async_context_manager(return_value="session") as session:
            assert session == "session"

    async def test_by_default_it_gives_itself(
        self, mock_async_context_manager: Callable[..., MagicMock]
    ) -> None:
        manager = mock_async_context_manager()
        async with manager as entered:
            assert entered is manager

    async def test_it_swallows_no_exception(
        self, mock_async_context_manager: Callable[..., MagicMock]
    ) -> None:
        with pytest.raises(ZeroDivisionError):
            async with mock_async_context_manager():
                raise ZeroDivisionError


class TestCleanupTracker:
    def test_the_last_thing_made_is_the_first_undone(self) -> None:
        undone: list[int] = []
        tracker = CleanupTracker()
        tracker.add(lambda: undone.append(1))
        tracker.add(lambda: undone.append(2))
        tracker.cleanup_all()
        assert undone == [2, 1]

    def test_async_cleanups_are_awaited(self) -> None:
        undone: list[str] = []

        async def close() -> None:
            undone.append("closed")

        tracker = CleanupTracker()
        tracker.add(close)
        tracker.cleanup_all()
        assert undone == ["closed"]

    def test_every_error_is_raised_and_none_stops_the_others(self) -> None:
        undone: list[str] = []
        tracker = CleanupTracker()
        tracker.add(lambda: undone.append("still"))
        tracker.add(lambda: 1 / 0)
        with pytest.raises(ExceptionGroup) as raised:
            tracker.cleanup_all()
        assert [type(error) for error in raised.value.exceptions] == [ZeroDivisionError]
        assert undone == ["still"]

    def test_the_fixture_runs_them_after_the_test(self, cleanup_tracker: CleanupTracker) -> None:
        cleanup_tracker.add(lambda: None)
        assert len(cleanup_tracker.cleanups) == 1


class TestEnviron:
    """Uses fixtures: environ."""

    def test_the_settings_see_only_what_is_given(self, environ: Callable[..., Settings]) -> None:
        settings = environ(ENVIRONMENT="testing", **REQUIRED)
        assert settings.environment is Environment.TESTING
        assert settings.redis_url is None

    def test_a_second_call_forgets_the_first(self, environ: Callable[..., Settings]) -> None:
        environ(ENVIRONMENT="testing", REDIS_URL="redis://one", **REQUIRED)
        assert environ(ENVIRONMENT="testing", **REQUIRED).redis_url is None

    def test_other_variables_stay(self, environ: Callable[..., Settings]) -> None:
        path = os.environ["PATH"]
        environ(ENVIRONMENT="testing", **REQUIRED)
        assert os.environ["PATH"] == path


class TestOverride:
    """Uses fixtures: override."""

    def test_the_container_gives_what_it_is_told_to(
        self, override: Callable[..., AbstractContextManager[None]]
    ) -> None:
        fake = create_autospec(CacheProtocol, instance=True)
        override(get_cache=fake)
        assert container.get_cache() is fake

    def test_the_innermost_wins(
        self, override: Callable[..., AbstractContextManager[None]]
    ) -> None:
        outer, inner = (create_autospec(CacheProtocol, instance=True) for _ in range(2))
        override(get_cache=outer)
        override(get_cache=inner)
        assert container.get_cache() is inner


class TestMockContainerDependencies:
    """Uses fixtures: mock_container_dependencies."""

    def test_each_container_function_gives_its_mock(
        self, mock_container_dependencies: dict[str, Any]
    ) -> None:
        given = {name: getattr(container, f"get_{name}")() for name in mock_container_dependencies}
        assert given == mock_container_dependencies

    def test_the_defaults_are_the_seeds(self, mock_container_dependencies: dict[str, Any]) -> None:
        assert assert_success(mock_container_dependencies["cache"].get("key")) is None
        assert assert_success(mock_container_dependencies["cache"].set("key", "value")) is None
        assert mock_container_dependencies["secrets"].get_secret("database/url") == "mock-secret"

    def test_a_call_that_the_port_does_not_have_is_refused(
        self, mock_container_dependencies: dict[str, Any]
    ) -> None:
        with pytest.raises(TypeError):
            mock_container_dependencies["cache"].get("key", "a default")


class TestClock:
    """Uses fixtures: clock, frozen."""

    def test_it_stands_still(self, clock: FakeClock) -> None:
        assert clock.now() == clock.now()

    def test_it_advances_when_it_is_told_to(self, clock: FakeClock) -> None:
        before = clock.now()
        assert clock.advance(timedelta(hours=1)) == before + timedelta(hours=1)

    def test_the_frozen_system_clock_stands_where_it_stands(self, frozen: FakeClock) -> None:
        assert datetime.now(UTC) == frozen.now()

    def test_the_frozen_system_clock_advances_with_it(self, frozen: FakeClock) -> None:
        frozen.advance(timedelta(days=1))
        assert datetime.now(UTC) == frozen.now()


class TestMakers:
    """Uses fixtures: create_user."""

    def test_a_made_user_can_sign_in(self, create_user: Callable[..., User]) -> None:
        assert create_user().can_login()

    def test_what_is_given_is_taken(self, create_user: Callable[..., User]) -> None:
        assert not create_user(is_verified=False).can_login()


class TestAssertions:
    def test_assert_success_unpacks(self) -> None:
        assert assert_success(Success(3)) == 3

    def test_assert_failure_refuses_a_success(self) -> None:
        with pytest.raises(AssertionError, match="expected a Failure"):
            assert_failure(Success(3), ErrorCode.NOT_FOUND)
