from typing import Any

import pytest

from core import container
from core.logging import ConsoleLogger
from core.ports import LoggerProtocol

LEVELS = ["debug", "info", "warning", "error", "critical"]


class TestGetLogger:
    """Uses `mock_container_dependencies`."""

    def test_it_returns_a_logger(self):
        assert isinstance(container.get_logger(), LoggerProtocol)

    def test_it_is_the_console_logger(self):
        assert isinstance(container.get_logger(), ConsoleLogger)

    def test_it_is_made_once(self):
        assert container.get_logger() is container.get_logger()

    def test_after_a_reset_it_is_made_anew(self):
        first = container.get_logger()
        container.reset()
        assert container.get_logger() is not first

    def test_a_bound_logger_is_a_logger_of_its_own(self):
        logger = container.get_logger()
        bound = logger.bind(user="ada")
        assert (isinstance(bound, LoggerProtocol), bound is logger) == (True, False)

    @pytest.mark.parametrize("level", LEVELS)
    def test_the_mock_takes_every_level(
        self, mock_container_dependencies: dict[str, Any], level: str
    ):
        getattr(container.get_logger(), level)("something_happened", count=1)
        logged = getattr(mock_container_dependencies["logger"], level)
        logged.assert_called_once_with("something_happened", count=1)
