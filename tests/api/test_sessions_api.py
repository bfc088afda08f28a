from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from sessions_app import models
from sessions_app.api import views
from tests.factories import PASSWORD, UserFactory
from tests.plugin.fixtures import JsonClient
from users import models as user_models

EMAIL = "test@example.com"
Override = Callable[..., AbstractContextManager[None]]


def sign_in(client: JsonClient, email: str = EMAIL, password: str = PASSWORD, **extra: Any) -> Any:
    return client.post("/api/v1/sessions", json={"email": email, "password": password}, **extra)


class TestSignIn:
    """Uses fixtures: client."""

    @pytest.mark.conforms("S23")
    def test_tokens_are_handed_out_and_kept_in_no_cache(self, client: JsonClient) -> None:
        UserFactory.create(email=EMAIL)
        answer = sign_in(client)
        assert answer.status_code == 201
        assert answer.headers["Cache-Control"] == "no-store"
        tokens = answer.json()
        assert tokens.pop("access_token").startswith("dsh_access_")
        assert tokens.pop("refresh_token").startswith("dsh_refresh_")
        assert tokens.pop("device_token").startswith("dsh_device_")
        assert tokens == {"token_type": "Bearer", "expires_in": 900}

    def test_every_refusal_is_one_answer(self, client: JsonClient) -> None:
        UserFactory.create(email="wrong@example.com")
        UserFactory.create(email="inactive@example.com", is_active=False)
        UserFactory.create(email="unverified@example.com", is_verified=False)
        UserFactory.create(email="locked@example.com")
        for _ in range(5):
            sign_in(client, "locked@example.com", "wrong")
        tries = {
            "unknown@example.com": PASSWORD,
            "wrong@example.com": "wrong",
            "inactive@example.com": PASSWORD,
            "unverified@example.com": PASSWORD,
            "locked@example.com": PASSWORD,
            "no address": PASSWORD,
        }
        answers = [sign_in(client, email, password) for email, password in tries.items()]
        bodies = [answer.json() | {"trace_id": ""} for answer in answers]
        varying = {"X-Trace-Id": "", "RateLimit": ""}
        headers = [dict(answer.headers) | varying for answer in answers]
        assert [answer.status_code for answer in answers] == [401] * 6
        assert bodies == [bodies[0]] * 6
        assert headers == [headers[0]] * 6
        assert bodies[0]["code"] == "invalid_credentials"

    def test_guessing_an_unknown_address_leaves_what_guessing_a_known_one_does(
        self, client: JsonClient
    ) -> None:
        UserFactory.create(email=EMAIL)
        for email in [EMAIL, "unknown@example.com"]:
            for _ in range(5):
                sign_in(client, email, "wrong")
        guards = user_models.SignInGuard.objects.all()
        left = [(guard.failures, guard.locked_until is not None) for guard in guards]
        assert left == [(5, True), (5, True)]

    def test_an_old_token_does_not_stand_in_the_way(self, client: JsonClient) -> None:
        UserFactory.create(email=EMAIL)
        answer = sign_in(client, HTTP_AUTHORIZATION="Bearer dsh_access_old")
        assert answer.status_code == 201


class TestOwnSessions:
    """Uses fixtures: client, monkeypatch."""

    def test_a_session_tells_where_it_is_used(self, client: JsonClient) -> None:
        UserFactory.create(email=EMAIL)
        tokens = sign_in(client, HTTP_USER_AGENT="curl/8", REMOTE_ADDR="192.0.2.1").json()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
        (session,) = client.get("/api/v1/sessions").json()["results"]
        row = models.DeviceSession.objects.get()
        assert session["id"] == str(row.pk)
        assert (session["device"], session["ip_address"]) == ("curl", "192.0.2.1")
        assert session.keys() == {
            "id",
            "device",
            "ip_address",
            "location",
            "created_at",
            "last_seen_at",
            "expires_at",
            "is_current",
            "marks",
        }

    @pytest.mark.conforms("S13", "Z2")
    def test_one_of_them_is_the_current_one_and_none_is_anybody_elses(
        self, client: JsonClient
    ) -> None:
        UserFactory.create(email=EMAIL)
        UserFactory.create(email="other@example.com")
        sign_in(client, "other@example.com")
        sign_in(client)
        client.as_user(EMAIL, PASSWORD)
        listed = client.get("/api/v1/sessions").json()["results"]
        assert [session["is_current"] for session in listed] == [True, False]

    def test_a_long_list_goes_on_at_its_next(
        self, client: JsonClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(views, "PAGE_SIZE", 2)
        UserFactory.create(email=EMAIL, max_sessions=5)
        for _ in range(4):
            sign_in(client)
        client.as_user(EMAIL, PASSWORD)
        page, listed = {"next": "http://testserver/api/v1/sessions"}, []
        while page["next"]:
            page = client.get(page["next"]).json()
            listed.append([session["id"] for session in page["results"]])
        ids = models.DeviceSession.objects.order_by("-pk").values_list("pk", flat=True)
        assert listed == [[str(one) for one in ids[at : at + 2]] for at in (0, 2, 4)]


class TestRevocation:
    """Uses fixtures: client."""

    @pytest.mark.conforms("S3", "S8", "S20", "S27")
    @pytest.mark.parametrize("path", ["current", "id"])
    def test_a_revoked_session_is_refused_at_once(self, client: JsonClient, path: str) -> None:
        UserFactory.create(email=EMAIL)
        tokens = sign_in(client).json()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
        name = {"current": "current", "id": models.DeviceSession.objects.get().pk}[path]
        assert client.delete(f"/api/v1/sessions/{name}").status_code == 204
        refused = client.get("/api/v1/users/me")
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
        assert refused.headers["WWW-Authenticate"].endswith('error="invalid_token"')
        refresh = {"refresh_token": tokens["refresh_token"]}
        assert client.post("/api/v1/tokens", json=refresh).status_code == 401

    @pytest.mark.conforms("S13")
    def test_another_session_of_ones_own_can_be_ended(self, client: JsonClient) -> None:
        UserFactory.create(email=EMAIL)
        sign_in(client)
        other = models.DeviceSession.objects.get()
        client.as_user(EMAIL, PASSWORD)
        assert client.delete(f"/api/v1/sessions/{other.pk}").status_code == 204
        assert client.get("/api/v1/users/me").status_code == 200
        other.refresh_from_db()
        assert other.revoked_reason == "revoked"

    @pytest.mark.conforms("Z2")
    def test_somebody_elses_session_is_not_told_from_one_that_never_was(
        self, client: JsonClient
    ) -> None:
        UserFactory.create(email=EMAIL)
        UserFactory.create(email="other@example.com")
        sign_in(client, "other@example.com")
        theirs = models.DeviceSession.objects.get()
        client.as_user(EMAIL, PASSWORD)
        never = str(theirs.pk).replace("-7", "-6", 1)
        answers = [client.delete(f"/api/v1/sessions/{one}") for one in (theirs.pk, never)]
        bodies = [answer.json() | {"trace_id": "", "instance": ""} for answer in answers]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert bodies[0] == bodies[1]
        theirs.refresh_from_db()
        assert theirs.revoked_at is None
