"""Personal access tokens, and what they open."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from audit.models import AuditEvent
from sessions_app import models
from tests.factories import PASSWORD, UserFactory, arranged
from tests.fakes.clock import FakeClock
from tests.plugin.fixtures import JsonClient

EMAIL = "person@example.com"
TOKENS = "/api/v1/access-tokens"


@pytest.fixture
def person(frozen: FakeClock, client: JsonClient) -> JsonClient:
    UserFactory.create(email=EMAIL)
    return client.as_user(EMAIL, PASSWORD)


@pytest.fixture
def admin(frozen: FakeClock, client: JsonClient) -> JsonClient:
    UserFactory.create(email="admin@example.com", role="admin")
    return JsonClient().as_user("admin@example.com", PASSWORD)


def make(client: JsonClient, **over: Any) -> Any:
    return client.post(TOKENS, json={"name": "backup", "scope": "read"} | over)


def with_token(client: JsonClient, **over: Any) -> JsonClient:
    answer = make(client, **over)
    assert answer.status_code == 201, answer.content
    program = JsonClient()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['token']}")
    return program


class TestMaking:
    """Uses fixtures: person, admin, frozen."""

    def test_the_token_is_told_once(self, person: JsonClient) -> None:
        made = make(person, expires_in_days=7)
        assert made.status_code == 201
        assert made.headers["Cache-Control"] == "no-store"
        assert made.json()["token"].startswith("dsh_pat_")
        (listed,) = person.get(TOKENS).json()["results"]
        assert listed == {key: value for key, value in made.json().items() if key != "token"}

    def test_no_column_holds_it(self, person: JsonClient) -> None:
        token = make(person).json()["token"]
        assert token not in str(models.PersonalToken.objects.values())

    def test_a_password_that_was_proved_long_ago_is_not_enough(
        self, person: JsonClient, frozen: FakeClock
    ) -> None:
        frozen.advance(timedelta(minutes=10, seconds=1))
        answer = make(person)
        assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")
        assert (
            'error="insufficient_user_authentication", max_age="600"'
            in answer.headers["WWW-Authenticate"]
        )

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "n" * 65}, "name"),
            ({"scope": "all"}, "scope"),
            ({"scope": "introspect"}, "scope"),
            ({"expires_in_days": 0}, "expires_in_days"),
            ({"expires_in_days": 367}, "expires_in_days"),
        ],
    )
    def test_what_is_not_allowed_is_named(
        self, person: JsonClient, wrong: dict[str, Any], field: str
    ) -> None:
        answer = make(person, **wrong)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])

    def test_there_may_be_fifty(self, person: JsonClient) -> None:
        answers = [make(person).status_code for _ in range(51)]
        assert answers == [201] * 50 + [409]

    def test_it_is_on_record_without_the_token(self, person: JsonClient) -> None:
        token = make(person).json()["token"]
        made = AuditEvent.objects.filter(action="token.created").order_by("pk")
        assert [event.phase for event in made] == [1, 2]
        assert token[8:].encode() not in b"".join(bytes(event.entry) for event in made)


class TestScopes:
    """Uses fixtures: person, admin."""

    def test_one_that_reads_reads(self, person: JsonClient) -> None:
        program = with_token(person)
        assert program.get("/api/v1/users/me").json()["email"] == EMAIL

    @pytest.mark.parametrize("scope", ["read", "write"])
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("get", "sessions"),
            ("delete", "sessions/current"),
            ("delete", "sessions/01a20e92-98bb-7f6a-ac00-6c1d6d7037ea"),
            ("get", "access-tokens"),
            ("post", "access-tokens"),
            ("delete", "access-tokens/01a20e92-98bb-7f6a-ac00-6c1d6d7037ea"),
        ],
    )
    def test_none_manages_sessions_or_tokens(
        self, person: JsonClient, scope: str, method: str, path: str
    ) -> None:
        answer = getattr(with_token(person, scope=scope), method)(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "session_required")

    @pytest.mark.conforms("S29")
    @pytest.mark.parametrize("scope", ["read", "write"])
    def test_only_one_that_is_for_it_introspects(self, person: JsonClient, scope: str) -> None:
        answer = with_token(person, scope=scope).post("/api/v1/introspections", json={"token": "x"})
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")

    @pytest.mark.parametrize("hint", ["", "access_token", "anything"])
    def test_a_hint_in_a_form_is_passed_over(self, admin: JsonClient, hint: str) -> None:
        answer = with_token(admin, scope="introspect").post(
            "/api/v1/introspections",
            urlencode({"token": "x", "token_type_hint": hint}),
            content_type="application/x-www-form-urlencoded",
        )
        assert (answer.status_code, answer.json()) == (200, {"active": False})

    @pytest.mark.conforms("S31")
    def test_one_that_introspects_does_nothing_else(self, admin: JsonClient) -> None:
        answer = with_token(admin, scope="introspect").get("/api/v1/users/me")
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")

    def test_a_session_does_not_introspect(self, admin: JsonClient) -> None:
        answer = admin.post("/api/v1/introspections", json={"token": "x"})
        assert answer.status_code == 403


class TestEnd:
    """Uses fixtures: person, frozen."""

    @pytest.fixture
    def program(self, person: JsonClient) -> JsonClient:
        return with_token(person, expires_in_days=1)

    def refused(self, program: JsonClient) -> bool:
        answer = program.get("/api/v1/users/me")
        return (answer.status_code, answer.json().get("code")) == (401, "invalid_token")

    @pytest.mark.conforms("S20")
    def test_it_ends_when_its_owner_ends_it(self, person: JsonClient, program: JsonClient) -> None:
        (token,) = person.get(TOKENS).json()["results"]
        assert person.delete(f"{TOKENS}/{token['id']}").status_code == 204
        assert self.refused(program)
        assert person.delete(f"{TOKENS}/{token['id']}").status_code == 404

    @pytest.mark.conforms("Z2")
    def test_nobody_ends_another_persons(self, person: JsonClient, program: JsonClient) -> None:
        UserFactory.create(email="other@example.com")
        other = JsonClient().as_user("other@example.com", PASSWORD)
        (token,) = person.get(TOKENS).json()["results"]
        assert other.delete(f"{TOKENS}/{token['id']}").status_code == 404
        assert not self.refused(program)

    def test_it_ends_with_its_day(self, program: JsonClient, frozen: FakeClock) -> None:
        frozen.advance(timedelta(days=1) - timedelta(seconds=1))
        assert not self.refused(program)
        frozen.advance(timedelta(seconds=1))
        assert self.refused(program)

    @pytest.mark.conforms("S8")
    @pytest.mark.parametrize("change", [{"is_active": False}, {"token_version": 2}])
    def test_it_ends_with_the_account(self, program: JsonClient, change: dict[str, Any]) -> None:
        from users.models import User

        with arranged():
            User.objects.filter(email=EMAIL).update(**change)
        assert self.refused(program)

    def test_one_letter_is_enough_to_be_refused(self, person: JsonClient) -> None:
        token = make(person).json()["token"]
        for index in (9, 20, len(token) - 1):
            other = "A" if token[index] != "A" else "B"
            program = JsonClient()
            program.credentials(
                HTTP_AUTHORIZATION=f"Bearer {token[:index]}{other}{token[index + 1 :]}"
            )
            assert self.refused(program)

    def test_when_it_was_used_is_noted_once_a_minute(
        self, person: JsonClient, program: JsonClient, frozen: FakeClock
    ) -> None:
        seen = []
        for _ in range(3):
            program.get("/api/v1/users/me")
            seen.append(models.PersonalToken.objects.get().last_used_at)
            frozen.advance(timedelta(seconds=40))
        first, second, third = seen
        assert first == second
        assert first is not None
        assert third == first + timedelta(seconds=80)


class TestIntrospection:
    """Uses fixtures: person, admin, frozen."""

    @pytest.fixture
    def service(self, admin: JsonClient) -> JsonClient:
        return with_token(admin, scope="introspect")

    def ask(self, service: JsonClient, token: str) -> Any:
        answer = service.post("/api/v1/introspections", json={"token": token})
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        return answer.json()

    def test_of_a_session(self, person: JsonClient, service: JsonClient) -> None:
        tokens = person.post("/api/v1/sessions", json={"email": EMAIL, "password": PASSWORD}).json()
        told = self.ask(service, tokens["access_token"])
        assert told.pop("exp") - told.pop("iat") == 900
        assert told.pop("sub") == person.get("/api/v1/users/me").json()["id"]
        assert told.pop("sid")
        assert told == {
            "active": True,
            "token_type": "Bearer",
            "username": EMAIL,
            "role": "user",
            "scope": "read write",
        }

    def test_of_a_personal_token(self, person: JsonClient, service: JsonClient) -> None:
        told = self.ask(service, make(person).json()["token"])
        assert (told["active"], told["scope"], "sid" in told) == (True, "read", False)

    @pytest.mark.conforms("S29")
    def test_of_one_that_is_not_live_nothing_is_told(
        self, person: JsonClient, service: JsonClient
    ) -> None:
        tokens = person.post("/api/v1/sessions", json={"email": EMAIL, "password": PASSWORD}).json()
        made = make(person).json()
        person.delete(f"{TOKENS}/{made['id']}")
        for token in ["nonsense", "dsh_pat_", made["token"], tokens["refresh_token"]]:
            assert self.ask(service, token) == {"active": False}

    def test_a_form_is_understood_too(self, person: JsonClient, service: JsonClient) -> None:
        """As RFC 7662 has it."""
        answer = service.post(
            "/api/v1/introspections",
            f"token={make(person).json()['token']}&token_type_hint=access_token",
            content_type="application/x-www-form-urlencoded",
        )
        assert answer.json()["active"] is True
