"""`manage.py users`: accounts, for whoever keeps the server."""

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from core.actions import Phase
from core.events import DomainEvent
from core.ids import uuid7
from tests.factories import PASSWORD, UserFactory
from tests.plugin.fixtures import JsonClient
from users import models
from users.domain.roles import Role

EMAIL = "ada@example.com"
CHANGING = ["lock", "unlock", "deactivate", "reactivate"]
WHY = "--reason", "she asked by telephone"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def addresses(self) -> list[str]:
        return [line.partition("\t")[0] for line in self.out.splitlines()]


def users(*arguments: str) -> Ran:
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command("users", *arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as stopped:
        code = int(str(stopped.code))
    return Ran(code, out.getvalue(), err.getvalue())


@pytest.fixture
def ada(client: JsonClient) -> models.User:
    return UserFactory.create(email=EMAIL)


def sign_in(password: str = PASSWORD) -> int:
    body = {"email": EMAIL, "password": password}
    return int(JsonClient().post("/api/v1/sessions", json=body).status_code)


def on_the_trail(action: str) -> list[bytes]:
    return [bytes(event.entry) for event in AuditEvent.objects.filter(action=action)]


class TestList:
    """Uses fixtures: ada."""

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ([], ["carl@example.net", "root@example.com", EMAIL]),
            (["--email", "EXAMPLE.com"], ["root@example.com", EMAIL]),
            (["--role", "admin"], ["root@example.com"]),
            (["--inactive"], ["carl@example.net"]),
            (["--limit", "1"], ["carl@example.net"]),
        ],
        ids=str,
    )
    def test_the_newest_come_first_and_those_asked_for_alone(
        self, ada: models.User, asked: list[str], found: list[str]
    ) -> None:
        UserFactory.create(email="root@example.com", role=Role.ADMIN)
        UserFactory.create(email="carl@example.net", is_active=False)
        assert users("list", *asked).addresses == found

    def test_the_locked_are_those_whom_a_stranger_cannot_sign_in_as(self, ada: models.User) -> None:
        UserFactory.create(email="bob@example.com")
        assert (users("list", "--locked").addresses, sign_in()) == ([], 201)
        for _ in range(5):
            sign_in("wrong")
        ran = users("list", "--locked", "--json")
        assert [(each["email"], each["is_locked"]) for each in ran.documents] == [(EMAIL, True)]

    def test_what_is_left_out_is_told_beside_the_list(self, ada: models.User) -> None:
        UserFactory.create()
        assert "more than 1: say --limit" in users("list", "--limit", "1").err
        assert "no such account" in users("list", "--email", "nobody@").err

    def test_that_somebody_looked_is_on_the_trail(self, ada: models.User) -> None:
        users("list", "--role", "user")
        users("show", EMAIL)
        assert len(on_the_trail("user.viewed")) == 2


class TestShow:
    """Uses fixtures: ada."""

    def test_the_account_its_lock_and_its_sessions(self, ada: models.User) -> None:
        sign_in()
        out = users("show", EMAIL).out
        assert out.splitlines()[:4] == [
            f"Account: {EMAIL}",
            f"Id: {ada.pk}",
            "Role: user",
            "State: active",
        ]
        assert "Lock: none" in out
        assert out.count("Live session: ") == 1

    def test_by_its_id_for_programs(self, ada: models.User) -> None:
        sign_in()
        users("lock", EMAIL, *WHY)
        (shown,) = users("show", str(ada.pk), "--json").documents
        assert shown["email"] == EMAIL
        assert (shown["lock"]["is_locked"], shown["lock"]["known_locked"]) == (True, 0)
        assert shown["last_sign_in_at"] == shown["sessions"][0]["created_at"]
        assert "salt" not in json.dumps(shown)

    def test_who_never_signed_in(self, ada: models.User) -> None:
        assert "Last sign-in: none in the last 90 days" in users("show", EMAIL).out


class TestChanges:
    """Uses fixtures: ada."""

    def test_a_lock_keeps_the_password_from_opening_and_its_lift_lets_it(
        self, ada: models.User
    ) -> None:
        ran = users("lock", EMAIL, "--hours", "48", *WHY)
        assert "Nobody signs in until " in ran.out
        assert sign_in() == 401
        assert users("unlock", EMAIL, *WHY, "--json").documents == [
            {"id": str(ada.pk), "locked_until": None}
        ]
        assert sign_in() == 201

    def test_who_is_deactivated_is_out_until_they_are_not(
        self, ada: models.User, client: JsonClient
    ) -> None:
        client.as_user(EMAIL, PASSWORD)
        assert users("deactivate", EMAIL, *WHY, "--json").documents[0]["is_active"] is False
        assert (sign_in(), client.get("/api/v1/users/me").status_code) == (401, 401)
        assert "can sign in again" in users("reactivate", str(ada.pk), *WHY).out
        assert sign_in() == 201

    @pytest.mark.parametrize("verb", CHANGING)
    def test_each_is_on_the_trail_with_its_reason(
        self, ada: models.User, published: list[DomainEvent], verb: str
    ) -> None:
        assert users(verb, EMAIL, *WHY).code == 0
        attempt, *others = published
        assert attempt.phase is Phase.ATTEMPTED
        assert getattr(attempt, "stated_reason") == WHY[1]  # noqa: B009  # of several events
        assert Phase.SUCCEEDED in {event.phase for event in others}

    @pytest.mark.parametrize("verb", CHANGING)
    def test_none_is_done_without_a_reason(self, ada: models.User, verb: str) -> None:
        with pytest.raises(CommandError, match="--reason"):
            users(verb, EMAIL)

    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            (["show", "nobody@example.com"], "users list --email PART"),
            (["show", str(uuid7())], "no such user"),
            (["lock", str(uuid7()), *WHY], "no such user"),
            (["unlock", "nobody@example.com", *WHY], "Nobody has this address"),
        ],
        ids=["address", "id", "id to lock", "address to unlock"],
    )
    def test_nobody_is_refused_with_1(self, ada: models.User, asked: list[str], told: str) -> None:
        ran = users(*asked)
        assert (ran.code, ran.out, told in ran.err) == (1, "", True)

    def test_the_last_admin_stays(self, ada: models.User) -> None:
        UserFactory.create(email="root@example.com", role=Role.ADMIN)
        ran = users("deactivate", "root@example.com", *WHY)
        assert (ran.code, "the last admin" in ran.err) == (1, True)
