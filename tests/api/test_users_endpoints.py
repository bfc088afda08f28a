"""An endpoint over a dependency that the test chose: what `dependency_overrides` is elsewhere."""

from collections.abc import Callable
from typing import Any
from unittest.mock import create_autospec

from core.ports import CacheProtocol
from core.result import Success
from tests.plugin.fixtures import JsonClient


def test_create_user_endpoint(client: JsonClient, override: Callable[..., Any]) -> None:
    mock_cache = create_autospec(CacheProtocol, instance=True)
    mock_cache.set.return_value = Success(None)
    override(get_cache=mock_cache)

    response = client.post(
        "/api/v1/users", json={"email": "test@example.com", "password": "SecurePass123!"}
    )

    assert response.status_code == 201
    assert mock_cache.set.called
