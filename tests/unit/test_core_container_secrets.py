from typing import Any

import pytest

from core import container
from core.errors import ErrorCode
from core.ports import SecretsProtocol
from core.secrets import EnvironmentSecrets
from tests.assertions import assert_failure, assert_success
from tests.fakes.secrets import FixedSecrets


class TestGetSecrets:
    """Uses `monkeypatch` for the environment and `mock_container_dependencies`."""

    def test_it_returns_secrets(self):
        assert isinstance(container.get_secrets(), SecretsProtocol)

    def test_they_come_from_the_environment(self):
        assert isinstance(container.get_secrets(), EnvironmentSecrets)

    def test_it_is_made_once(self):
        assert container.get_secrets() is container.get_secrets()

    def test_after_a_reset_it_is_made_anew(self):
        first = container.get_secrets()
        container.reset()
        assert container.get_secrets() is not first

    def test_a_secret_that_is_set_is_found(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("PROVIDER_KEY", "hunter2")
        assert assert_success(container.get_secrets().get_secret("provider/key")) == "hunter2"

    def test_a_secret_that_is_not_set_is_a_failure(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("PROVIDER_KEY", raising=False)
        found = container.get_secrets().get_secret("provider/key")
        assert_failure(found, ErrorCode.SECRET_NOT_FOUND)

    def test_a_fake_can_take_its_place(self):
        with container.override(get_secrets=FixedSecrets()):
            found = container.get_secrets().get_secret("provider/key")
        assert assert_success(found) == "mock-secret"

    def test_the_mock_answers_with_the_mocked_secret(
        self, mock_container_dependencies: dict[str, Any]
    ):
        container.get_secrets().get_secret("provider/key")
        mock_container_dependencies["secrets"].get_secret.assert_called_once_with("provider/key")
