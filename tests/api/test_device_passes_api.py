"""A lock that strangers provoke does not keep an account's owner out."""

import re
from datetime import timedelta
from typing import Any

import pytest

from core import container
from tests.factories import PASSWORD, UserFactory, arranged
from tests.fakes.clock import FakeClock
from tests.mailing import delivered
from tests.plugin.fixtures import JsonClient
from users import models
from users.domain.roles import Role

EMAIL = "test@example.com"
PANEL = "/admin/login/?next=/admin/"


def sign_in(client: JsonClient, password: str = PASSWORD, device_token: str | None = None) -> Any:
    container.get_cache().flush()
    headers = {"HTTP_X_DEVICE_TOKEN": device_token} if device_token else {}
    body = {"email": EMAIL, "password": password}
    return client.post("/api/v1/sessions", json=body, **headers)


def lock(email: str = EMAIL) -> None:
    for _ in range(5):
        assert sign_in(JsonClient(), "wrong").status_code == 401


def grant(token: str) -> Any:
    return JsonClient().post("/api/v1/device-passes", json={"token": token})


def mailed_token() -> str:
    return str(re.findall(r"dsh_once_[\w-]+", str(delivered()[-1].body))[0])


def signed_in(client: JsonClient) -> dict[str, Any]:
    answer = sign_in(client)
    assert answer.status_code == 201
    tokens: dict[str, Any] = answer.json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    return tokens


@pytest.fixture
def owner(frozen: FakeClock, client: JsonClient) -> models.User:
    return UserFactory.create(email=EMAIL, session_tier="pro")


class TestKnownDevice:
    """Uses fixtures: client, frozen, owner."""

    @pytest.mark.conforms("A12")
    def test_it_signs_in_while_strangers_are_locked(
        self, client: JsonClient, owner: models.User
    ) -> None:
        device_token = signed_in(client)["device_token"]
        lock()
        assert sign_in(JsonClient()).status_code == 401
        answer = sign_in(JsonClient(), device_token=device_token)
        assert (answer.status_code, answer.json()["device_token"]) == (201, device_token)

    def test_the_owner_proves_the_password_in_a_session_all_the_same(
        self, client: JsonClient, owner: models.User
    ) -> None:
        signed_in(client)
        lock()
        proof = {"password": PASSWORD}
        assert client.post("/api/v1/users/me/reauthentications", json=proof).status_code == 201

    def test_wrong_proofs_lock_the_session_alone(
        self, client: JsonClient, owner: models.User
    ) -> None:
        signed_in(client)
        path = "/api/v1/users/me/reauthentications"
        for _ in range(5):
            assert client.post(path, json={"password": "wrong"}).status_code == 401
        assert client.post(path, json={"password": PASSWORD}).status_code == 401
        assert sign_in(JsonClient()).status_code == 201

    def test_ending_all_sessions_forgets_the_other_devices(
        self, client: JsonClient, owner: models.User
    ) -> None:
        other, mine = signed_in(JsonClient()), signed_in(client)
        shown = {"HTTP_X_DEVICE_TOKEN": mine["device_token"]}
        assert client.delete("/api/v1/sessions", **shown).status_code == 204
        lock()
        answers = [
            sign_in(JsonClient(), device_token=each["device_token"]).status_code
            for each in (other, mine)
        ]
        assert answers == [401, 201]


class TestMailedPass:
    """Uses fixtures: client, frozen, owner."""

    def test_a_locked_owner_gets_in_by_the_mailbox(
        self, client: JsonClient, owner: models.User
    ) -> None:
        lock()
        answer = grant(mailed_token())
        assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
        device_token = answer.json()["device_token"]
        assert sign_in(JsonClient()).status_code == 401
        assert sign_in(JsonClient(), device_token=device_token).status_code == 201

    def test_it_needs_the_password_all_the_same(
        self, client: JsonClient, owner: models.User
    ) -> None:
        lock()
        device_token = grant(mailed_token()).json()["device_token"]
        assert sign_in(JsonClient(), "wrong", device_token).status_code == 401

    def test_the_link_works_once_and_for_a_day(
        self, client: JsonClient, owner: models.User, frozen: FakeClock
    ) -> None:
        lock()
        token = mailed_token()
        assert [grant(token).status_code for _ in range(2)] == [201, 400]
        frozen.advance(timedelta(minutes=15))
        lock()
        token = mailed_token()
        frozen.advance(timedelta(hours=24))
        assert grant(token).json()["code"] == "invalid_one_use_token"

    def test_an_address_without_an_account_gets_no_mail(self, client: JsonClient) -> None:
        lock()
        assert delivered() == []

    def test_the_link_of_an_account_that_is_closed_meanwhile_grants_nothing(
        self, client: JsonClient, owner: models.User
    ) -> None:
        lock()
        token = mailed_token()
        with arranged():
            models.User.objects.update(is_active=False)
        assert grant(token).status_code == 400


class TestPanel:
    """Uses fixtures: client, frozen."""

    @pytest.mark.conforms("S33")
    def test_a_browser_keeps_the_pass_where_no_script_reads_it(
        self, client: JsonClient, frozen: FakeClock
    ) -> None:
        UserFactory.create(email=EMAIL, role=Role.ADMIN)
        form = {"username": EMAIL, "password": PASSWORD}
        answer = client.post(PANEL, form, format="multipart")
        cookie = answer.cookies["device_token"]
        assert cookie.value.startswith("dsh_device_")
        assert cookie["max-age"] == 180 * 24 * 3600
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")

    def test_a_browser_that_was_here_before_gets_in_while_strangers_are_locked(
        self, client: JsonClient, frozen: FakeClock
    ) -> None:
        UserFactory.create(email=EMAIL, role=Role.ADMIN)
        form = {"username": EMAIL, "password": PASSWORD}
        assert client.post(PANEL, form, format="multipart").status_code == 302
        lock()
        assert JsonClient().post(PANEL, form, format="multipart").status_code == 200
        assert client.post(PANEL, form, format="multipart").status_code == 302
