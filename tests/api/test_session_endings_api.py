"""Ending one session, the others, all, and everybody's."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from core.ids import uuid7
from sessions_app import models
from tests.factories import PASSWORD, UserFactory
from tests.fakes.clock import FakeClock
from tests.plugin.fixtures import JsonClient

EMAIL = "person@example.com"
ROTATIONS = "/api/v1/admin/token-rotations"


@pytest.fixture
def devices(frozen: FakeClock, client: JsonClient) -> list[JsonClient]:
    """Three of one person."""
    UserFactory.create(email=EMAIL, session_tier="pro")
    return [JsonClient().as_user(EMAIL, PASSWORD) for _ in range(3)]


@pytest.fixture
def admin(frozen: FakeClock, client: JsonClient) -> JsonClient:
    UserFactory.create(email="admin@example.com", role="admin")
    return JsonClient().as_user("admin@example.com", PASSWORD)


def opens(client: JsonClient) -> bool:
    return bool(client.get("/api/v1/users/me").status_code == 200)


class TestOthers:
    """Uses fixtures: devices, frozen."""

    @pytest.mark.conforms("S10")
    def test_all_but_this_one_end(self, devices: list[JsonClient]) -> None:
        assert devices[1].delete("/api/v1/sessions/others").status_code == 204
        assert list(map(opens, devices)) == [False, True, False]

    @pytest.mark.conforms("S21")
    def test_each_that_ends_is_on_record(self, devices: list[JsonClient]) -> None:
        devices[1].delete("/api/v1/sessions/others")
        ended = AuditEvent.objects.filter(action="session.ended")
        assert ended.count() == 2
        ids = {row.pk for row in models.DeviceSession.objects.filter(revoked_at__isnull=False)}
        assert {event.resource_id for event in ended} == ids

    @pytest.mark.conforms("Z2")
    def test_nobody_elses_ends(self, devices: list[JsonClient], admin: JsonClient) -> None:
        admin.delete("/api/v1/sessions/others")
        assert list(map(opens, devices)) == [True] * 3


class TestAll:
    """Uses fixtures: devices, frozen."""

    def test_this_one_ends_too(self, devices: list[JsonClient]) -> None:
        assert devices[0].delete("/api/v1/sessions").status_code == 204
        assert list(map(opens, devices)) == [False] * 3


class TestStepUp:
    """Uses fixtures: devices, frozen. What a stolen session must not do (ASVS 7.5.2)."""

    @pytest.mark.parametrize("path", ["sessions/others", "sessions"])
    def test_a_password_of_long_ago_ends_no_other(
        self, devices: list[JsonClient], frozen: FakeClock, path: str
    ) -> None:
        frozen.advance(timedelta(minutes=10, seconds=1))
        answer = devices[0].delete(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (401, "reauthentication_required")
        assert list(map(opens, devices)) == [True] * 3

    @pytest.mark.conforms("S13")
    def test_nor_a_single_other_one(self, devices: list[JsonClient], frozen: FakeClock) -> None:
        frozen.advance(timedelta(minutes=10, seconds=1))
        listed = devices[0].get("/api/v1/sessions").json()["results"]
        other = next(each["id"] for each in listed if not each["is_current"])
        assert devices[0].delete(f"/api/v1/sessions/{other}").status_code == 401
        assert list(map(opens, devices)) == [True] * 3

    def test_but_itself(self, devices: list[JsonClient], frozen: FakeClock) -> None:
        frozen.advance(timedelta(minutes=10, seconds=1))
        listed = devices[0].get("/api/v1/sessions").json()["results"]
        this = next(each["id"] for each in listed if each["is_current"])
        assert devices[0].delete(f"/api/v1/sessions/{this}").status_code == 204
        assert list(map(opens, devices)) == [False, True, True]


class TestReauthentication:
    """Uses fixtures: devices, frozen."""

    def prove(self, device: JsonClient, password: str = PASSWORD) -> Any:
        return device.post("/api/v1/users/me/reauthentications", json={"password": password})

    @pytest.mark.conforms("S12")
    def test_it_allows_again_what_needs_a_recent_proof(
        self, devices: list[JsonClient], frozen: FakeClock
    ) -> None:
        frozen.advance(timedelta(minutes=11))
        device = devices[0]
        device.credentials(HTTP_AUTHORIZATION=f"Bearer {self.prove(device).json()['access_token']}")
        assert device.delete("/api/v1/sessions/others").status_code == 204

    @pytest.mark.conforms("S5")
    def test_the_tokens_of_before_end_at_once(self, devices: list[JsonClient]) -> None:
        assert self.prove(devices[0]).status_code == 201
        assert list(map(opens, devices)) == [False, True, True]

    @pytest.mark.conforms("S5")
    def test_the_refresh_token_of_before_is_a_thiefs(self, client: JsonClient) -> None:
        UserFactory.create(email=EMAIL)
        tokens = client.post("/api/v1/sessions", json={"email": EMAIL, "password": PASSWORD}).json()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
        fresh = self.prove(client).json()
        refreshed = client.post("/api/v1/tokens", json={"refresh_token": tokens["refresh_token"]})
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {fresh['access_token']}")
        assert refreshed.status_code == 401
        assert not opens(client)

    def test_the_new_ones_refresh(self, devices: list[JsonClient], client: JsonClient) -> None:
        fresh = self.prove(devices[0]).json()
        answer = client.post("/api/v1/tokens", json={"refresh_token": fresh["refresh_token"]})
        assert answer.status_code == 201

    def test_a_wrong_password_proves_nothing_and_counts(self, devices: list[JsonClient]) -> None:
        codes = [self.prove(devices[0], "wrong").json()["code"] for _ in range(5)]
        assert codes == ["invalid_credentials"] * 5
        assert self.prove(devices[0]).status_code == 401  # locked, as at sign-in
        assert opens(devices[0])

    @pytest.mark.conforms("L6")
    def test_it_is_on_record(self, devices: list[JsonClient]) -> None:
        self.prove(devices[0], "wrong")
        self.prove(devices[0])
        events = AuditEvent.objects.filter(action="session.reauthenticated").order_by("pk")
        assert [event.phase for event in events] == [1, 3, 1, 2]


def rotate(client: JsonClient, **order: Any) -> Any:
    return client.post(ROTATIONS, json={"reason": "a leak"} | order)


class TestRotation:
    """Uses fixtures: devices, admin, frozen."""

    @pytest.mark.conforms("S11")
    def test_everybody_signs_in_again(self, devices: list[JsonClient], admin: JsonClient) -> None:
        answer = rotate(admin)
        assert answer.status_code == 201
        assert answer.json()["sessions"] == 4
        assert list(map(opens, [*devices, admin])) == [False] * 4
        assert opens(JsonClient().as_user(EMAIL, PASSWORD))

    def test_of_somebody_who_is_not_there_it_is_refused(
        self, devices: list[JsonClient], admin: JsonClient
    ) -> None:
        answer = rotate(admin, user_id=str(uuid7()))
        assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")
        assert list(map(opens, [*devices, admin])) == [True] * 4

    def test_a_refresh_token_of_before_refreshes_nothing(
        self, devices: list[JsonClient], admin: JsonClient
    ) -> None:
        tokens = (
            JsonClient()
            .post("/api/v1/sessions", json={"email": EMAIL, "password": PASSWORD})
            .json()
        )
        rotate(admin)
        answer = JsonClient().post(
            "/api/v1/tokens", json={"refresh_token": tokens["refresh_token"]}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_grant")

    @pytest.mark.conforms("S11")
    def test_one_person_may_be_meant(self, devices: list[JsonClient], admin: JsonClient) -> None:
        me = devices[0].get("/api/v1/users/me").json()["id"]
        assert rotate(admin, user_id=me).json()["sessions"] == 3
        assert list(map(opens, [*devices, admin])) == [False] * 3 + [True]

    def test_a_dry_run_counts_and_ends_nothing(
        self, devices: list[JsonClient], admin: JsonClient
    ) -> None:
        devices[0].post("/api/v1/access-tokens", json={"name": "x", "scope": "read"})
        answer = rotate(admin, dry_run=True)
        assert answer.status_code == 200
        assert (answer.json()["sessions"], answer.json()["personal_tokens"]) == (4, 1)
        assert list(map(opens, [*devices, admin])) == [True] * 4
        assert not AuditEvent.objects.filter(action="tokens.rotated").exists()

    def test_a_dry_run_of_nobody_is_told(self, admin: JsonClient) -> None:
        answer = rotate(admin, dry_run=True, user_id=str(uuid7()))
        assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")

    def test_within_the_grace_period_they_still_work(
        self, devices: list[JsonClient], admin: JsonClient, frozen: FakeClock
    ) -> None:
        rotate(admin, grace_seconds=60)
        fresh = JsonClient().as_user(EMAIL, PASSWORD)
        frozen.advance(timedelta(seconds=59))
        assert list(map(opens, devices)) == [True] * 3
        frozen.advance(timedelta(seconds=1))
        assert list(map(opens, [*devices, fresh])) == [False] * 3 + [True]

    def test_a_later_grace_does_not_bring_back_what_has_ended(
        self, devices: list[JsonClient], admin: JsonClient
    ) -> None:
        rotate(admin)
        again = JsonClient().as_user("admin@example.com", PASSWORD)
        rotate(again, grace_seconds=3600)
        assert list(map(opens, devices)) == [False] * 3
        assert opens(again)

    def test_what_has_ended_is_not_listed_and_takes_no_place(
        self, devices: list[JsonClient], admin: JsonClient
    ) -> None:
        rotate(admin)
        fresh = JsonClient().as_user(EMAIL, PASSWORD)
        assert len(fresh.get("/api/v1/sessions").json()["results"]) == 1

    def test_a_personal_token_ends_too(self, devices: list[JsonClient], admin: JsonClient) -> None:
        made = devices[0].post("/api/v1/access-tokens", json={"name": "x", "scope": "read"})
        program = JsonClient()
        program.credentials(HTTP_AUTHORIZATION=f"Bearer {made.json()['token']}")
        assert opens(program)
        rotate(admin)
        assert not opens(program)

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"grace_seconds": -1}, "grace_seconds"),
            ({"grace_seconds": 604801}, "grace_seconds"),
            ({"reason": ""}, "reason"),
            ({"user_id": "me"}, "user_id"),
        ],
    )
    def test_what_is_not_allowed_is_named(
        self, admin: JsonClient, wrong: dict[str, Any], field: str
    ) -> None:
        answer = rotate(admin, **wrong)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])

    def test_it_is_for_admins(self, devices: list[JsonClient]) -> None:
        assert rotate(devices[0]).status_code == 403

    def test_and_on_record_with_its_reason(self, admin: JsonClient) -> None:
        rotate(admin)
        rotated = AuditEvent.objects.filter(action="tokens.rotated").order_by("pk")
        assert [event.phase for event in rotated] == [1, 2]
        assert b'"reason":"a leak"' in bytes(rotated[1].entry)


def rotate_by_command(*arguments: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("rotate_tokens", "--reason", "x", *arguments, stdout=out, stderr=err)
    except SystemExit as stopped:
        return int(str(stopped.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


class TestCommand:
    """Uses fixtures: devices."""

    def test_it_tells_what_would_end(self, devices: list[JsonClient]) -> None:
        _, out, _ = rotate_by_command("--global", "--dry-run")
        assert "It would end 3 sessions and 0 personal tokens" in out
        assert list(map(opens, devices)) == [True] * 3

    @pytest.mark.parametrize("order", [[], ["--yes"], ["--global", "--user", EMAIL]], ids=str)
    def test_whose_end_must_be_said(self, devices: list[JsonClient], order: list[str]) -> None:
        with pytest.raises(CommandError, match="--global"):
            rotate_by_command(*order)
        assert list(map(opens, devices)) == [True] * 3

    def test_a_grace_out_of_its_bounds_is_wrong_usage(self) -> None:
        with pytest.raises(CommandError, match="0 to 604800"):
            rotate_by_command("--global", "--grace", "604801")

    @pytest.mark.parametrize("nobody", [str(uuid7()), "nobody@example.com"], ids=["id", "address"])
    def test_a_dry_run_refuses_what_would_be_refused(
        self, devices: list[JsonClient], nobody: str
    ) -> None:
        code, out, err = rotate_by_command("--user", nobody, "--dry-run")
        assert (code, out) == (1, "")
        assert "no such user" in err or "Nobody has this address" in err

    def test_it_ends_them(self, devices: list[JsonClient]) -> None:
        code, out, _ = rotate_by_command("--global", "--yes")
        assert code == 0
        assert "Ended: 3 sessions" in out
        assert list(map(opens, devices)) == [False] * 3

    def test_one_persons_by_their_address_and_told_to_a_program(
        self, devices: list[JsonClient], admin: JsonClient
    ) -> None:
        _, out, _ = rotate_by_command("--user", EMAIL.upper(), "--yes", "--json")
        told = json.loads(out)
        assert (told["sessions"], told["personal_tokens"], told["dry_run"]) == (3, 0, False)
        assert list(map(opens, [*devices, admin])) == [False] * 3 + [True]

    @pytest.mark.parametrize("typed", ["", "no\n"])
    def test_nobody_agreed(
        self, devices: list[JsonClient], monkeypatch: pytest.MonkeyPatch, typed: str
    ) -> None:
        monkeypatch.setattr("sys.stdin", StringIO(typed))
        code, out, err = rotate_by_command("--global")
        assert (code, out) == (1, "")
        assert "This ends 3 sessions" in err
        assert "say --yes" in err
        assert list(map(opens, devices)) == [True] * 3

    def test_somebody_did(self, devices: list[JsonClient], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", StringIO("yes\n"))
        assert rotate_by_command("--global")[0] == 0
        assert list(map(opens, devices)) == [False] * 3
