import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from sessions_app import models as session_models
from tests.factories import PASSWORD, UserFactory
from tests.fakes.clock import FakeClock
from tests.mailing import delivered
from tests.plugin.fixtures import JsonClient
from users import models

EMAIL = "test@example.com"
NEW = "another horse, another battery"
OWN = "/api/v1/users/me/password"
CHANGE = {"current_password": PASSWORD, "new_password": NEW}


def change(client: JsonClient, **over: str) -> Any:
    return client.put(OWN, CHANGE | over)


def ask(client: JsonClient, email: str = EMAIL) -> Any:
    return client.post("/api/v1/password-reset-tokens", json={"email": email})


def reset(client: JsonClient, token: str, password: str = NEW) -> Any:
    return client.post("/api/v1/password-resets", json={"token": token, "password": password})


def sign_in(client: JsonClient, password: str, email: str = EMAIL) -> int:
    body = {"email": email, "password": password}
    return int(client.post("/api/v1/sessions", json=body).status_code)


def mailed_token() -> str:
    return str(re.findall(r"dsh_once_[\w-]+", str(delivered()[-1].body))[0])


@pytest.fixture
def me(frozen: FakeClock, client: JsonClient) -> JsonClient:
    UserFactory.create(email=EMAIL, session_tier="pro")
    return client.as_user(EMAIL, PASSWORD)


class TestChange:
    """Uses fixtures: frozen, me."""

    @pytest.mark.conforms("A9")
    def test_the_new_password_signs_in_and_the_old_one_does_not(self, me: JsonClient) -> None:
        answer = change(me)
        assert (answer.status_code, answer.content) == (204, b"")
        assert [sign_in(JsonClient(), each) for each in (PASSWORD, NEW)] == [401, 201]

    @pytest.mark.conforms("S10", "S21")
    def test_this_session_stays_and_the_others_end_with_a_reason(self, me: JsonClient) -> None:
        other = JsonClient().as_user(EMAIL, PASSWORD)
        change(me)
        answers = [one.get("/api/v1/users/me").status_code for one in (me, other)]
        assert answers == [200, 401]
        ended = session_models.DeviceSession.objects.get(revoked_at__isnull=False)
        assert ended.revoked_reason == "password_changed"
        assert AuditEvent.objects.filter(action="session.ended", resource_id=ended.pk).count() == 1

    @pytest.mark.conforms("A21")
    def test_the_owner_is_told_by_mail(self, me: JsonClient) -> None:
        change(me)
        assert delivered()[-1].subject == "Your password was changed"

    @pytest.mark.conforms("A9")
    def test_a_wrong_current_password_is_refused_and_counted(self, me: JsonClient) -> None:
        answer = change(me, current_password="wrong")
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
        assert models.SignInGuard.objects.get().failures == 1

    def test_a_weak_password_names_its_field(self, me: JsonClient) -> None:
        answer = change(me, new_password="short")
        assert (answer.status_code, answer.json()["code"]) == (400, "weak_password")
        assert answer.json()["errors"].keys() == {"new_password"}

    @pytest.mark.conforms("S12")
    def test_it_needs_a_password_that_was_proved_just_now(
        self, me: JsonClient, frozen: FakeClock
    ) -> None:
        frozen.advance(timedelta(minutes=11))
        answer = change(me)
        assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")

    def test_it_needs_a_session(self, client: JsonClient) -> None:
        assert change(client).json()["code"] == "not_authenticated"

    @pytest.mark.conforms("Z3")
    def test_nobody_elses_password_changes_whatever_is_sent(self, me: JsonClient) -> None:
        other = UserFactory.create(email="other@example.com")
        change(me, user_id=str(other.pk), email="other@example.com")
        assert sign_in(JsonClient(), PASSWORD, "other@example.com") == 201


class TestReset:
    """Uses fixtures: client, me."""

    def test_the_link_from_the_mail_sets_a_password(self, client: JsonClient) -> None:
        UserFactory.create(email=EMAIL, is_verified=False)
        assert ask(client).status_code == 202
        answer = reset(client, mailed_token())
        assert (answer.status_code, answer.content) == (204, b"")
        assert sign_in(client, NEW) == 201

    def test_every_address_is_answered_alike_and_only_one_is_mailed(
        self, client: JsonClient
    ) -> None:
        UserFactory.create(email=EMAIL)
        UserFactory.create(email="inactive@example.com", is_active=False)
        emails = [EMAIL, "unknown@example.com", "inactive@example.com", "no address"]
        answers = [ask(client, email) for email in emails]
        assert {(one.status_code, one.content) for one in answers} == {(202, b"")}
        assert [mail.to for mail in delivered()] == [[EMAIL]]

    @pytest.mark.parametrize("path", ["password-reset-tokens", "email-verification-tokens"])
    def test_known_and_unknown_addresses_cost_the_same_statements(
        self, client: JsonClient, path: str
    ) -> None:
        UserFactory.create(email=EMAIL, is_verified=False)
        counts = []
        for email in ("warm-up@example.com", EMAIL, "unknown@example.com"):
            with CaptureQueriesContext(connection) as queries:
                client.post(f"/api/v1/{path}", json={"email": email})
            # A person's first event makes their pseudonym: it is that of an account, once.
            counts.append(sum("audit_subject" not in one["sql"] for one in queries))
        assert counts[1] == counts[2]

    def test_all_sessions_end_and_the_lock_is_over(self, me: JsonClient) -> None:
        for _ in range(5):
            sign_in(JsonClient(), "wrong")
        ask(JsonClient())
        assert reset(JsonClient(), mailed_token()).status_code == 204
        assert me.get("/api/v1/users/me").status_code == 401
        assert session_models.DeviceSession.objects.get().revoked_reason == "password_reset"
        assert sign_in(JsonClient(), NEW) == 201

    def test_a_token_works_once(self, client: JsonClient) -> None:
        UserFactory.create(email=EMAIL)
        ask(client)
        token = mailed_token()
        reset(client, token)
        answer = reset(client, token, "yet another horse battery")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_one_use_token")

    @pytest.mark.conforms("Z3")
    def test_nothing_else_of_the_account_can_be_set(self, client: JsonClient) -> None:
        UserFactory.create(email=EMAIL)
        ask(client)
        body = {"token": mailed_token(), "password": NEW, "role": "admin", "email": "x@example.com"}
        client.post("/api/v1/password-resets", json=body)
        assert models.User.objects.values_list("role", "email").get() == ("user", EMAIL)


class TestVerificationTokens:
    """Uses fixtures: client."""

    def post(self, client: JsonClient, email: str) -> Any:
        return client.post("/api/v1/email-verification-tokens", json={"email": email})

    def test_an_unverified_account_gets_another_link(self, client: JsonClient) -> None:
        UserFactory.create(email=EMAIL, is_verified=False)
        assert self.post(client, EMAIL).status_code == 202
        answer = client.post("/api/v1/email-verifications", json={"token": mailed_token()})
        assert answer.status_code == 204

    def test_nobody_learns_who_is_verified(self, client: JsonClient) -> None:
        UserFactory.create(email=EMAIL)
        answers = [self.post(client, email) for email in (EMAIL, "unknown@example.com")]
        assert {(one.status_code, one.content) for one in answers} == {(202, b"")}
        assert delivered() == []

    def test_a_proved_password_of_an_unverified_account_mails_the_link_again(
        self, client: JsonClient
    ) -> None:
        UserFactory.create(email=EMAIL, is_verified=False)
        assert [sign_in(client, PASSWORD) for _ in range(2)] == [401, 401]
        assert [mail.to for mail in delivered()] == [[EMAIL]]
        assert delivered()[0].subject == "Confirm your e-mail address"
