from typing import Any

import pytest

from sessions_app import models
from tests.factories import PASSWORD, UserFactory
from tests.plugin.fixtures import JsonClient

EMAIL = "test@example.com"


@pytest.fixture
def tokens(client: JsonClient) -> dict[str, Any]:
    UserFactory.create(email=EMAIL)
    answer = client.post("/api/v1/sessions", json={"email": EMAIL, "password": PASSWORD})
    return dict(answer.json())


def refresh(client: JsonClient, text: str) -> Any:
    return client.post("/api/v1/tokens", json={"refresh_token": text})


def is_accepted(client: JsonClient, text: str) -> bool:
    answer = client.get("/api/v1/users/me", HTTP_AUTHORIZATION=f"Bearer {text}")
    return bool(answer.status_code == 200)


class TestTokens:
    """Uses fixtures: client, tokens."""

    @pytest.mark.conforms("S23")
    def test_a_refresh_token_gets_new_tokens_that_no_cache_keeps(
        self, client: JsonClient, tokens: dict[str, Any]
    ) -> None:
        answer = refresh(client, tokens["refresh_token"])
        renewed = answer.json()
        assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
        assert renewed.keys() == tokens.keys() - {"device_token"}
        assert not set(renewed.values()) & {tokens["access_token"], tokens["refresh_token"]}
        assert is_accepted(client, renewed["access_token"])

    def test_a_lost_answer_is_given_again(self, client: JsonClient, tokens: dict[str, Any]) -> None:
        first = refresh(client, tokens["refresh_token"]).json()
        assert refresh(client, tokens["refresh_token"]).json() == first

    def test_a_token_of_two_generations_ago_ends_the_session(
        self, client: JsonClient, tokens: dict[str, Any]
    ) -> None:
        second = refresh(client, tokens["refresh_token"]).json()
        third = refresh(client, second["refresh_token"]).json()
        assert refresh(client, tokens["refresh_token"]).status_code == 401
        assert not is_accepted(client, third["access_token"])
        assert models.DeviceSession.objects.get().revoked_reason == "refresh_token_reuse"

    @pytest.mark.conforms("S24")
    def test_every_refusal_is_one_answer(self, client: JsonClient, tokens: dict[str, Any]) -> None:
        forged = tokens["refresh_token"][:-5] + "AAAAA"
        ended = refresh(client, tokens["refresh_token"]).json()["refresh_token"]
        bearer = f"Bearer {tokens['access_token']}"
        client.delete("/api/v1/sessions/current", HTTP_AUTHORIZATION=bearer)
        tries = ["nonsense", forged, tokens["access_token"], ended]
        answers = [refresh(client, text) for text in tries]
        bodies = [answer.json() | {"trace_id": ""} for answer in answers]
        assert [answer.status_code for answer in answers] == [401] * 4
        assert bodies == [bodies[0]] * 4
        assert bodies[0]["code"] == "invalid_grant"

    @pytest.mark.conforms("S32")
    def test_a_token_in_the_address_or_a_form_is_not_read(
        self, client: JsonClient, tokens: dict[str, Any]
    ) -> None:
        access = tokens["access_token"]
        answers = [
            client.get(f"/api/v1/users/me?access_token={access}"),
            client.get("/api/v1/users/me", HTTP_COOKIE=f"access_token={access}"),
            client.get("/api/v1/users/me", HTTP_AUTHORIZATION=f"Token {access}"),
            client.get("/api/v1/users/me", HTTP_AUTHORIZATION=access),
        ]
        assert [answer.status_code for answer in answers] == [401] * 4
