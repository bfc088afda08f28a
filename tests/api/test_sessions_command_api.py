"""`manage.py sessions`: anybody's, for whoever keeps the server."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core.actions import Phase
from core.events import DomainEvent
from core.ids import uuid7
from sessions_app.domain.events import SessionRevocationAttempted, SessionsRevocationAttempted
from sessions_app.models import DeviceSession
from tests.factories import PASSWORD, UserFactory
from tests.plugin.fixtures import JsonClient
from users.domain.events import AccountsViewed

ADA, BOB = "ada@example.com", "bob@example.com"
WHY = "--reason", "a lost phone"


@pytest.fixture
def devices(client: JsonClient) -> list[JsonClient]:
    """Two of Ada's and one of Bob's."""
    for email in (ADA, BOB):
        UserFactory.create(email=email)
    return [JsonClient().as_user(email, PASSWORD) for email in (ADA, ADA, BOB)]


def sessions(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("sessions", *arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as stopped:
        return int(str(stopped.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def listed(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sessions("list", "--json", *arguments)[1].splitlines()]


def are_open(devices: list[JsonClient]) -> list[bool]:
    return [device.get("/api/v1/users/me").status_code == 200 for device in devices]


def first() -> str:
    return str(DeviceSession.objects.order_by("pk")[0].pk)


class TestList:
    """Uses fixtures: devices."""

    def test_the_newest_come_first(self, devices: list[JsonClient]) -> None:
        assert [each["email"] for each in listed()] == [BOB, ADA, ADA]
        assert [each["email"] for each in listed("--limit", "1")] == [BOB]
        assert "more than 1: say --limit" in sessions("list", "--limit", "1")[2]

    def test_one_persons_by_address_or_id(self, devices: list[JsonClient]) -> None:
        ids = [each["id"] for each in listed("--user", ADA.upper())]
        assert len(ids) == 2
        assert [each["id"] for each in listed("--user", listed()[1]["user_id"])] == ids

    def test_the_live_and_those_that_ended(self, devices: list[JsonClient]) -> None:
        sessions("revoke", "--user", ADA, *WHY)
        states = [each["state"] for each in listed()]
        assert states == ["live", "revoked", "revoked"]
        assert [each["email"] for each in listed("--live")] == [BOB]
        assert [each["email"] for each in listed("--ended")] == [ADA, ADA]

    def test_in_a_pipe_each_is_a_line(self, devices: list[JsonClient]) -> None:
        _, out, _ = sessions("list", "--user", BOB)
        session_id, email, _, address, _, state = out.strip().split("\t")
        assert (session_id, email) == (listed()[0]["id"], BOB)
        assert (address, state) == ("127.0.0.1", "live")

    def test_that_somebody_looked_is_on_the_trail(
        self, devices: list[JsonClient], published: list[DomainEvent]
    ) -> None:
        sessions("list")
        sessions("list", "--user", ADA)
        looks = [event for event in published if isinstance(event, AccountsViewed)]
        assert [event.whose is None for event in looks] == [True, False]

    def test_nobody_has_none(self, devices: list[JsonClient]) -> None:
        code, out, err = sessions("list", "--user", str(uuid7()))
        assert (code, out, "no such user" in err) == (1, "", True)
        assert "no such session" in sessions("list", "--ended")[2]


class TestRevoke:
    """Uses fixtures: devices."""

    def test_one_ends_at_once_and_its_reason_is_on_the_trail(
        self, devices: list[JsonClient], published: list[DomainEvent]
    ) -> None:
        assert sessions("revoke", first(), *WHY)[:2] == (0, "Ended: 1 session.\n")
        assert are_open(devices) == [False, True, True]
        attempt, outcome = published[:2]
        assert isinstance(attempt, SessionRevocationAttempted)
        assert (attempt.stated_reason, outcome.phase) == (WHY[1], Phase.SUCCEEDED)

    def test_all_of_a_person(self, devices: list[JsonClient], published: list[DomainEvent]) -> None:
        code, out, _ = sessions("revoke", "--user", ADA, *WHY, "--json")
        assert (code, json.loads(out)) == (0, {"sessions": 2})
        attempt = published[0]
        assert isinstance(attempt, SessionsRevocationAttempted)
        assert attempt.stated_reason == WHY[1]
        assert are_open(devices) == [False, False, True]

    def test_one_that_has_ended_or_never_was_is_refused_with_1(
        self, devices: list[JsonClient]
    ) -> None:
        sessions("revoke", first(), *WHY)
        code, out, err = sessions("revoke", first(), *WHY)
        assert (code, out, err.strip()) == (1, "", "It has ended already.")
        code, _, err = sessions("revoke", str(uuid7()), *WHY)
        assert (code, "manage.py sessions list" in err) == (1, True)

    @pytest.mark.parametrize("person", ["nobody@example.com", str(uuid7())], ids=["address", "id"])
    def test_nobodys_are_refused_with_1(self, devices: list[JsonClient], person: str) -> None:
        assert sessions("revoke", "--user", person, *WHY)[0] == 1
        assert are_open(devices) == [True] * 3

    @pytest.mark.parametrize(
        "asked",
        [WHY, (str(uuid7()),), (str(uuid7()), "--user", ADA, *WHY)],
        ids=["which", "why", "one of them"],
    )
    def test_which_and_why_must_be_said(
        self, devices: list[JsonClient], asked: tuple[str, ...]
    ) -> None:
        with pytest.raises(CommandError):
            sessions("revoke", *asked)
