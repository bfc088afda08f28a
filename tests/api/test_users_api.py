import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from unittest.mock import create_autospec
from uuid import UUID

import pytest

from core import container
from core.ports import CacheProtocol
from core.result import Success
from tests.factories import PASSWORD, UserFactory
from tests.mailing import delivered
from tests.plugin.fixtures import JsonClient
from users import models
from users.domain.roles import Role

EMAIL = "test@example.com"
NEW = {"email": EMAIL, "password": "SecurePass123!"}


def test_user_registration_flow(client: JsonClient) -> None:
    response = client.post(
        "/api/v1/users", json={"email": "test@example.com", "password": "SecurePass123!"}
    )
    assert response.status_code == 201
    data = response.json()
    assert "id" in data
    assert data["email"] == "test@example.com"


def test_create_user_endpoint_with_an_overridden_cache(client: JsonClient) -> None:
    """The seed's strategy 5: `container.override` is its `dependency_overrides`."""
    mock_cache = create_autospec(CacheProtocol, instance=True)
    mock_cache.set.return_value = Success(None)
    with container.override(get_cache=mock_cache):
        response = client.post("/api/v1/users", json=NEW)
    assert response.status_code == 201
    assert mock_cache.set.called


class TestRegistration:
    """Uses fixtures: client, override."""

    def test_the_account_is_described(self, client: JsonClient) -> None:
        answer = client.post("/api/v1/users", json=NEW | {"email": " Test@EXAMPLE.com"})
        user = models.User.objects.get()
        assert answer.json() == {
            "id": str(user.pk),
            "email": EMAIL,
            "is_verified": False,
            "created_at": user.created_at.isoformat().replace("+00:00", "Z"),
        }

    @pytest.mark.parametrize("is_verified", [True, False])
    def test_a_taken_address_is_answered_like_a_fresh_one(
        self, client: JsonClient, is_verified: bool
    ) -> None:
        UserFactory.create(email="taken@example.com", is_verified=is_verified)
        fresh = client.post("/api/v1/users", json=NEW | {"email": "fresh@example.com"})
        taken = client.post("/api/v1/users", json=NEW | {"email": "taken@example.com"})
        ours, theirs = fresh.json(), taken.json()
        blank = dict.fromkeys(["id", "created_at", "email"], "")
        assert (fresh.status_code, taken.status_code) == (201, 201)
        assert json.dumps(ours | blank) == json.dumps(theirs | blank)
        assert [len(value) for value in ours.values() if isinstance(value, str)] == [
            len(value) for value in theirs.values() if isinstance(value, str)
        ]
        assert {UUID(ours["id"]).version, UUID(theirs["id"]).version} == {7}
        varying = {"X-Trace-Id": "", "RateLimit": ""}
        assert {**fresh.headers, **varying} == {**taken.headers, **varying}
        assert sorted(message.to[0] for message in delivered()) == [
            "fresh@example.com",
            "taken@example.com",
        ]

    def test_the_answer_for_a_taken_address_names_no_account(self, client: JsonClient) -> None:
        user = UserFactory.create(email=EMAIL)
        answers = [client.post("/api/v1/users", json=NEW).json()["id"] for _ in range(2)]
        assert len({*answers, str(user.pk)}) == 3

    def test_an_installation_may_choose_to_tell_that_an_address_is_taken(
        self, client: JsonClient, override: Callable[..., AbstractContextManager[None]]
    ) -> None:
        override(get_settings=replace(container.get_settings(), registration_reveals_taken=True))
        UserFactory.create(email=EMAIL)
        answer = client.post("/api/v1/users", json=NEW)
        assert (answer.status_code, answer.json()["code"]) == (409, "email_already_exists")

    @pytest.mark.conforms("Z3")
    def test_fields_that_nobody_asked_for_change_nothing(self, client: JsonClient) -> None:
        more = {"role": "admin", "is_verified": True, "id": str(UUID(int=1)), "at": "1999-01-01"}
        assert client.post("/api/v1/users", json=NEW | more).status_code == 201
        user = models.User.objects.get()
        assert (user.role, user.is_verified) == (Role.USER, False)
        assert user.pk != UUID(int=1)
        assert user.created_at.year > 1999


class TestCurrentUser:
    """Uses fixtures: client."""

    def test_an_account_reads_itself(self, client: JsonClient) -> None:
        user = UserFactory.create(email=EMAIL)
        answer = client.as_user(EMAIL, PASSWORD).get("/api/v1/users/me")
        assert answer.status_code == 200
        assert answer.json() == {
            "id": str(user.pk),
            "email": EMAIL,
            "is_verified": True,
            "created_at": user.created_at.isoformat().replace("+00:00", "Z"),
            "role": "user",
        }

    def test_nobody_is_asked_to_sign_in(self, client: JsonClient) -> None:
        answer = client.get("/api/v1/users/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="dashtam"'
