"""The seed's main example, and its strategies for a handler that takes from the container."""

from typing import Any
from unittest.mock import create_autospec, patch
from uuid import UUID

import pytest

from core.database import Database
from core.ports import CacheProtocol, EventBusProtocol
from core.result import Success
from tests.assertions import assert_success
from tests.fakes.event_bus import StubEventBus
from tests.fakes.users import (
    InMemoryOneUseTokenRepository,
    InMemoryUserRepository,
    RecordingMailer,
    ReversingPasswordService,
)
from users import wiring
from users.application.registration import RegisterUser, RegisterUserHandler
from users.ports import OneUseTokenRepository, PasswordService, UserRepository

COMMAND = RegisterUser(email="test@example.com", password="SecurePass123!")


class TestRegisterUserHandler:
    def test_register_user_success(self) -> None:
        """The handler stands alone, with its four ports mocked."""
        # Arrange - all 4 dependencies required
        mock_user_repo = create_autospec(UserRepository, instance=True)
        mock_user_repo.find_by_email.return_value = None
        mock_verification_repo = create_autospec(OneUseTokenRepository, instance=True)
        mock_password_service = create_autospec(PasswordService, instance=True)
        mock_password_service.hash_password.return_value = "hashed"
        mock_event_bus = create_autospec(EventBusProtocol, instance=True)
        handler = RegisterUserHandler(
            user_repo=mock_user_repo,
            verification_token_repo=mock_verification_repo,
            password_service=mock_password_service,
            event_bus=mock_event_bus,
        )

        # Act
        result = handler.handle(COMMAND)

        # Assert
        assert isinstance(result, Success)
        assert isinstance(result.value, UUID)
        mock_user_repo.save.assert_called_once()
        # Verify events: ATTEMPTED + SUCCEEDED
        assert mock_event_bus.publish.call_count == 2


@pytest.fixture
def ports() -> dict[str, Any]:
    """What reaches the database or the world, in memory; the rest comes from the container."""
    return {
        "user_repo": InMemoryUserRepository(),
        "verification_token_repo": InMemoryOneUseTokenRepository(),
        "password_service": ReversingPasswordService(),
        "event_bus": StubEventBus(),
        "mailer": RecordingMailer(),
    }


class TestWithTheContainerMocked:
    """Uses fixtures: ports, mock_container_dependencies."""

    def test_register_user_with_mocked_container(self, ports: dict[str, Any]) -> None:
        """Strategy 1: container functions are patched."""
        mock_cache = create_autospec(CacheProtocol, instance=True)
        mock_cache.set.return_value = Success(None)
        mock_database = create_autospec(Database, instance=True)
        with (
            patch("core.container.get_cache", return_value=mock_cache),
            patch("core.container.get_database", return_value=mock_database),
        ):
            result = wiring.register_user(**ports).handle(COMMAND)
        assert isinstance(result, Success)
        mock_cache.set.assert_called_once()

    def test_handler_with_mocked_container(
        self, ports: dict[str, Any], mock_container_dependencies: dict[str, Any]
    ) -> None:
        """Strategy 3: one fixture mocks the whole container."""
        result = wiring.register_user(**ports).handle(COMMAND)
        assert isinstance(result, Success)
        mock_container_dependencies["cache"].set.assert_called_once()

    def test_the_cool_down_key_does_not_tell_the_address(
        self, ports: dict[str, Any], mock_container_dependencies: dict[str, Any]
    ) -> None:
        wiring.register_user(**ports).handle(COMMAND)
        (key, _), options = mock_container_dependencies["cache"].set.call_args
        assert "test@example.com" not in key
        assert options == {"ttl": 60}

    def test_a_unit_of_work_is_opened_for_the_command(
        self, ports: dict[str, Any], mock_container_dependencies: dict[str, Any]
    ) -> None:
        wiring.register_user(**ports).handle(COMMAND)
        mock_container_dependencies["database"].get_session.assert_called_once_with()

    def test_ports_that_are_not_given_come_from_the_container(
        self, ports: dict[str, Any], mock_container_dependencies: dict[str, Any]
    ) -> None:
        del ports["event_bus"]
        assert_success(wiring.register_user(**ports).handle(COMMAND))
        assert mock_container_dependencies["event_bus"].publish.call_count == 2
