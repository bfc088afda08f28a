"""What the owner of an account is told of its sign-ins."""

from datetime import timedelta
from typing import Any

import pytest

from tests.factories import PASSWORD, UserFactory
from tests.fakes.clock import FakeClock
from tests.mailing import delivered
from tests.plugin.fixtures import JsonClient

EMAIL = "person@example.com"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def person(frozen: FakeClock, client: JsonClient) -> JsonClient:
    UserFactory.create(email=EMAIL)
    return client


def sign_in(client: JsonClient, agent: str = "curl/8", address: str = "192.0.2.1") -> Any:
    answer = client.post(
        "/api/v1/sessions",
        json={"email": EMAIL, "password": PASSWORD},
        HTTP_USER_AGENT=agent,
        REMOTE_ADDR=address,
    )
    assert answer.status_code == 201, answer.content
    return answer.json()


def told() -> list[str]:
    return [str(message.subject) for message in delivered()]


class TestNewDevices:
    """Uses fixtures: person."""

    def test_the_first_sign_in_is_no_news(self, person: JsonClient) -> None:
        sign_in(person)
        assert told() == []

    def test_the_same_device_on_the_same_network_is_no_news(self, person: JsonClient) -> None:
        sign_in(person)
        sign_in(person, address="192.0.2.200")
        assert told() == []

    @pytest.mark.conforms("A20")
    @pytest.mark.parametrize(
        "change", [{"agent": FIREFOX}, {"address": "198.51.100.1"}], ids=["device", "network"]
    )
    def test_a_new_one_is(self, person: JsonClient, change: dict[str, str]) -> None:
        sign_in(person)
        sign_in(person, **change)
        (message,) = delivered()
        assert message.subject == "A sign-in to your account that you should know of"
        assert "was not used before" in str(message.body)
        assert message.to == [EMAIL]
        assert change.get("address", "Firefox on Linux") in str(message.body)

    @pytest.mark.conforms("A20")
    def test_a_success_after_three_wrong_passwords_is(self, person: JsonClient) -> None:
        sign_in(person)
        for _ in range(3):
            person.post("/api/v1/sessions", json={"email": EMAIL, "password": "wrong"})
        sign_in(person)
        (message,) = delivered()
        assert "wrong passwords before it" in str(message.body)

    def test_the_list_tells_it_too(self, person: JsonClient) -> None:
        sign_in(person)
        tokens = sign_in(person, agent=FIREFOX)
        person.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
        listed = person.get("/api/v1/sessions").json()["results"]
        assert [each["marks"] for each in listed] == [["new_device"], []]


class TestReuse:
    """Uses fixtures: person, frozen."""

    @pytest.mark.conforms("A20")
    def test_the_owner_is_told_that_a_token_was_used_twice(
        self, person: JsonClient, frozen: FakeClock
    ) -> None:
        stolen = sign_in(person)["refresh_token"]
        fresh = person.post("/api/v1/tokens", json={"refresh_token": stolen}).json()
        person.credentials(HTTP_AUTHORIZATION=f"Bearer {fresh['access_token']}")
        assert person.get("/api/v1/users/me").status_code == 200
        frozen.advance(timedelta(seconds=11))
        refused = JsonClient().post("/api/v1/tokens", json={"refresh_token": stolen})
        assert refused.status_code == 401
        assert told() == ["A session of your account was ended"]
