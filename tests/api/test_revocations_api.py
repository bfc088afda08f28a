"""Ending what a token opens by showing it (RFC 7009)."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from audit.models import AuditEvent
from core.actions import AuditAction, Phase
from sessions_app import models
from tests.factories import PASSWORD, UserFactory
from tests.fakes.clock import FakeClock
from tests.plugin.fixtures import JsonClient

PATH = "/api/v1/revocations"


@pytest.fixture
def tokens(frozen: FakeClock, client: JsonClient) -> dict[str, Any]:
    body = {"email": UserFactory.create().email, "password": PASSWORD}
    answer: dict[str, Any] = client.post("/api/v1/sessions", json=body).json()
    return answer


def has_ended() -> bool:
    return models.DeviceSession.objects.get().revoked_at is not None


class TestSessions:
    """Uses fixtures: client, frozen, tokens."""

    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    def test_either_token_ends_its_session(
        self, client: JsonClient, tokens: dict[str, Any], kind: str
    ) -> None:
        answer = client.post(PATH, json={"token": tokens[kind]})
        assert (answer.status_code, answer.content) == (200, b"")
        assert has_ended()
        assert client.post("/api/v1/tokens", json=tokens).status_code == 401

    def test_an_access_token_that_has_expired_still_signs_out(
        self, client: JsonClient, tokens: dict[str, Any], frozen: FakeClock
    ) -> None:
        frozen.advance(timedelta(hours=1))
        client.post(PATH, json={"token": tokens["access_token"]})
        assert has_ended()

    def test_a_form_will_do(self, client: JsonClient, tokens: dict[str, Any]) -> None:
        form = urlencode({"token": tokens["refresh_token"], "token_type_hint": "refresh_token"})
        answer = client.post(PATH, form, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 200
        assert has_ended()

    def test_it_is_on_record_as_a_sign_out(
        self, client: JsonClient, tokens: dict[str, Any]
    ) -> None:
        client.post(PATH, json={"token": tokens["refresh_token"]})
        event = AuditEvent.objects.get(action=AuditAction.SESSION_REVOKED, phase=Phase.SUCCEEDED)
        assert event.resource_id == models.DeviceSession.objects.get().pk

    @pytest.mark.conforms("S28")
    def test_of_a_token_that_is_not_known_the_answer_is_the_same(
        self, client: JsonClient, tokens: dict[str, Any]
    ) -> None:
        known = tokens["access_token"]
        altered = known[:-4] + ("AAAA" if known[-4:] != "AAAA" else "BBBB")
        for text in ("nonsense", altered, "dsh_pat_" + "A" * 64, "dsh_device_x"):
            answer = client.post(PATH, json={"token": text})
            assert (answer.status_code, answer.content) == (200, b"")
        assert not has_ended()

    @pytest.mark.conforms("S28")
    def test_ending_it_twice_is_a_success(self, client: JsonClient, tokens: dict[str, Any]) -> None:
        answers = [client.post(PATH, json={"token": tokens["refresh_token"]}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]


class TestPersonalTokens:
    """Uses fixtures: client, tokens."""

    def test_it_ends_alone(self, client: JsonClient, tokens: dict[str, Any]) -> None:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
        made = client.post("/api/v1/access-tokens", json={"name": "backup", "scope": "read"})
        JsonClient().post(PATH, json={"token": made.json()["token"]})
        assert client.get("/api/v1/access-tokens").json()["results"] == []
        assert not has_ended()
