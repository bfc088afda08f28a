"""What admins do to accounts, and what nobody else does."""

import re
from datetime import timedelta
from typing import Any

import pytest

from audit.models import AuditEvent
from audit.wiring import reader
from core.ids import uuid7
from sessions_app import models as session_models
from tests.factories import PASSWORD, UserFactory
from tests.fakes.clock import FakeClock
from tests.mailing import delivered
from tests.plugin.fixtures import JsonClient
from users import models

USERS = "/api/v1/admin/users"
ADMIN, EMAIL = "admin@example.com", "person@example.com"
NEW = "another horse, another battery"


@pytest.fixture
def admin(frozen: FakeClock, client: JsonClient) -> JsonClient:
    UserFactory.create(email=ADMIN, role="admin")
    return client.as_user(ADMIN, PASSWORD)


def emails(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [each["email"] for each in answer.json()["results"]]


class TestWhoMay:
    """Uses fixtures: admin, client, frozen."""

    def calls(self, client: JsonClient, user: models.User) -> list[Any]:
        return [
            client.get(USERS),
            client.post(USERS, json={"email": "x@example.com"}),
            client.get(f"{USERS}/{user.pk}"),
            client.patch(f"{USERS}/{user.pk}", {"role": "admin"}),
            client.post(f"{USERS}/{user.pk}/password-reset-tokens"),
            client.post(f"{USERS}/{user.pk}/locks"),
            client.post(f"{USERS}/{user.pk}/unlocks"),
            client.post(f"{USERS}/{user.pk}/session-revocations"),
        ]

    @pytest.mark.parametrize("role", ["user", "auditor"])
    def test_nobody_below_an_admin(self, client: JsonClient, role: str) -> None:
        user = UserFactory.create(email=EMAIL, role=role)
        answers = self.calls(client.as_user(EMAIL, PASSWORD), user)
        assert {one.json()["code"] for one in answers} == {"permission_denied"}
        user.refresh_from_db()
        assert (user.role, delivered()) == (role, [])

    def test_nobody_who_has_not_signed_in(self, client: JsonClient) -> None:
        answers = self.calls(client, UserFactory.create(email=EMAIL))
        assert {one.status_code for one in answers} == {401}

    def test_no_admin_whose_password_was_proved_long_ago(
        self, admin: JsonClient, frozen: FakeClock
    ) -> None:
        user = UserFactory.create(email=EMAIL)
        frozen.advance(timedelta(minutes=11))
        answers = self.calls(admin, user)
        assert {one.json()["code"] for one in answers} == {"reauthentication_required"}

    def test_an_unknown_account_is_told(self, admin: JsonClient) -> None:
        path = f"{USERS}/{uuid7()}"
        answers = [
            admin.get(path),
            admin.patch(path, {"is_active": False}),
            admin.post(f"{path}/password-reset-tokens"),
            admin.post(f"{path}/locks"),
            admin.post(f"{path}/unlocks"),
        ]
        assert {one.json()["code"] for one in answers} == {"user_not_found"}


class TestReading:
    """Uses fixtures: admin."""

    def test_a_long_list_goes_on_at_its_next(self, admin: JsonClient) -> None:
        for n in range(4):
            UserFactory.create(email=f"p{n}@example.com")
        page, seen = {"next": f"{USERS}?limit=2"}, []
        while page["next"]:
            page = admin.get(page["next"]).json()
            seen += [each["email"] for each in page["results"]]
        assert seen == [*(f"p{n}@example.com" for n in (3, 2, 1, 0)), ADMIN]

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("email=PERSON@example.com", [EMAIL]),
            ("email=person", []),
            ("role=admin", [ADMIN]),
            ("is_active=false", [EMAIL]),
            ("is_active=true", [ADMIN]),
            ("role=user&is_active=true", []),
        ],
    )
    def test_it_can_be_narrowed(self, admin: JsonClient, asked: str, found: list[str]) -> None:
        UserFactory.create(email=EMAIL, is_active=False)
        assert emails(admin.get(f"{USERS}?{asked}")) == found

    @pytest.mark.parametrize(
        "asked",
        ["role=king", "limit=0", "before=x", "is_active=maybe", "role=", "email=", "before="],
    )
    def test_what_cannot_be_asked_is_told(self, admin: JsonClient, asked: str) -> None:
        assert admin.get(f"{USERS}?{asked}").status_code == 400

    def test_one_account_is_read_without_its_hash_and_on_record(self, admin: JsonClient) -> None:
        user = UserFactory.create(email=EMAIL)
        answer = admin.get(f"{USERS}/{user.pk}")
        assert answer.json().keys() == {
            "id",
            "email",
            "is_verified",
            "created_at",
            "role",
            "is_active",
            "session_tier",
            "max_sessions",
            "updated_at",
        }
        viewer = models.User.objects.get(email=ADMIN)
        assert AuditEvent.objects.for_user(viewer.pk).filter(action="user.viewed").exists()
        assert not AuditEvent.objects.for_user(user.pk).filter(action="user.viewed").exists()


class TestChanging:
    """Uses fixtures: admin."""

    def test_limits_and_roles_change_and_each_kind_is_on_record(self, admin: JsonClient) -> None:
        user = UserFactory.create(email=EMAIL)
        changes = {"role": "auditor", "session_tier": "plus", "max_sessions": 9}
        answer = admin.patch(f"{USERS}/{user.pk}", changes)
        assert answer.status_code == 200
        assert answer.json().items() >= changes.items()
        actions = AuditEvent.objects.for_user(user.pk).values_list("action", flat=True)
        assert {"user.changed", "user.role_changed", "user.limits_changed"} <= set(actions)

    @pytest.mark.conforms("Z4")
    def test_a_higher_role_counts_from_the_next_request_on(self, admin: JsonClient) -> None:
        auditor = UserFactory.create(email="later@example.com")
        them = JsonClient().as_user("later@example.com", PASSWORD)
        assert them.get("/api/v1/audit/events").status_code == 403
        admin.patch(f"/api/v1/admin/users/{auditor.pk}", {"role": "auditor"})
        assert them.get("/api/v1/audit/events").status_code == 200

    @pytest.mark.conforms("S9", "Z4")
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [({"is_active": False}, "deactivated"), ({"role": "user"}, "demoted")],
    )
    def test_what_is_lost_ends_the_sessions_at_once(
        self, admin: JsonClient, changes: dict[str, Any], reason: str
    ) -> None:
        user = UserFactory.create(email=EMAIL, role="auditor")
        theirs = JsonClient().as_user(EMAIL, PASSWORD)
        admin.patch(f"{USERS}/{user.pk}", changes)
        assert theirs.get("/api/v1/users/me").status_code == 401
        session = session_models.DeviceSession.objects.get(user=user)
        assert session.revoked_reason == reason

    def test_nobody_changes_their_own_role(self, admin: JsonClient) -> None:
        me = models.User.objects.get()
        UserFactory.create(email="second@example.com", role="admin")
        answer = admin.patch(f"{USERS}/{me.pk}", {"role": "user"})
        assert (answer.status_code, answer.json()["code"]) == (403, "own_role")

    def test_the_last_admin_stays_active(self, admin: JsonClient) -> None:
        me = models.User.objects.get()
        answer = admin.patch(f"{USERS}/{me.pk}", {"is_active": False})
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")
        assert admin.get("/api/v1/users/me").status_code == 200

    @pytest.mark.conforms("Z3")
    def test_nothing_else_changes_whatever_is_sent(self, admin: JsonClient) -> None:
        user = UserFactory.create(email=EMAIL)
        more = {"email": "x@example.com", "password": "x", "token_version": 9}
        assert admin.patch(f"{USERS}/{user.pk}", more).status_code == 200
        before = (user.email, user.password, user.is_verified, user.token_version)
        user.refresh_from_db()
        assert (user.email, user.password, user.is_verified, user.token_version) == before

    @pytest.mark.parametrize(
        "changes",
        [
            {"role": "king"},
            {"is_active": None},
            {"is_verified": False},
            {"session_tier": ""},
            {"max_sessions": 0},
        ],
        ids=str,
    )
    def test_what_cannot_be_is_told(self, admin: JsonClient, changes: dict[str, Any]) -> None:
        user = UserFactory.create(email=EMAIL)
        assert admin.patch(f"{USERS}/{user.pk}", changes).status_code == 400


class TestLocking:
    """Uses fixtures: admin."""

    def test_nobody_signs_in_until_it_is_lifted_and_sessions_go_on(self, admin: JsonClient) -> None:
        user = UserFactory.create(email=EMAIL)
        theirs = JsonClient().as_user(EMAIL, PASSWORD)
        answer = admin.post(f"{USERS}/{user.pk}/locks", json={"hours": 2, "reason": "a call"})
        assert (answer.status_code, answer.json().keys()) == (201, {"locked_until"})
        body = {"email": EMAIL, "password": PASSWORD}
        assert JsonClient().post("/api/v1/sessions", json=body).status_code == 401
        assert theirs.get("/api/v1/users/me").status_code == 200
        assert admin.post(f"{USERS}/{user.pk}/unlocks").status_code == 204
        assert JsonClient().post("/api/v1/sessions", json=body).status_code == 201

    @pytest.mark.parametrize("body", [{"hours": 0}, {"hours": 721}, {"hours": "2"}], ids=str)
    def test_what_cannot_be_is_told(self, admin: JsonClient, body: dict[str, Any]) -> None:
        path = f"{USERS}/{UserFactory.create(email=EMAIL).pk}/locks"
        assert admin.post(path, json=body).status_code == 400

    def test_all_sessions_of_a_person_end_at_once(self, admin: JsonClient) -> None:
        user = UserFactory.create(email=EMAIL)
        theirs = JsonClient().as_user(EMAIL, PASSWORD)
        answer = admin.post(f"{USERS}/{user.pk}/session-revocations", json={"reason": "a theft"})
        assert (answer.status_code, answer.json()) == (200, {"sessions": 1})
        assert theirs.get("/api/v1/users/me").status_code == 401
        attempt = AuditEvent.objects.for_user(user.pk).get(action="sessions.revoked", phase=1)
        seen = reader().find(attempt.pk)
        assert seen is not None
        assert seen.personal == {"stated_reason": "a theft"}


class TestInviting:
    """Uses fixtures: admin."""

    def mailed_token(self) -> str:
        return str(re.findall(r"dsh_once_[\w-]+", str(delivered()[-1].body))[0])

    def accept(self, token: str, password: str = NEW) -> Any:
        body = {"token": token, "password": password}
        return JsonClient().post("/api/v1/invitations", json=body)

    @pytest.mark.conforms("A16")
    def test_the_person_chooses_a_password_and_signs_in(self, admin: JsonClient) -> None:
        answer = admin.post(USERS, json={"email": EMAIL, "role": "auditor"})
        assert (answer.status_code, answer.json()["role"]) == (201, "auditor")
        assert self.accept(self.mailed_token()).status_code == 204
        assert JsonClient().as_user(EMAIL, NEW).get("/api/v1/users/me").status_code == 200

    @pytest.mark.conforms("A16")
    def test_before_that_no_password_signs_in(self, admin: JsonClient) -> None:
        admin.post(USERS, json={"email": EMAIL})
        for password in ("", "!", models.User.objects.get(email=EMAIL).password):
            body = {"email": EMAIL, "password": password}
            assert JsonClient().post("/api/v1/sessions", json=body).status_code in (400, 401)

    @pytest.mark.conforms("A16")
    def test_the_link_works_once(self, admin: JsonClient) -> None:
        admin.post(USERS, json={"email": EMAIL})
        token = self.mailed_token()
        self.accept(token)
        assert self.accept(token).json()["code"] == "invalid_one_use_token"

    def test_a_taken_address_is_told(self, admin: JsonClient) -> None:
        answer = admin.post(USERS, json={"email": ADMIN})
        assert (answer.status_code, answer.json()["code"]) == (409, "email_already_exists")

    @pytest.mark.conforms("A19")
    def test_a_reset_is_started_without_learning_anything(self, admin: JsonClient) -> None:
        user = UserFactory.create(email=EMAIL)
        answer = admin.post(f"{USERS}/{user.pk}/password-reset-tokens")
        assert (answer.status_code, answer.content) == (202, b"")
        body = {"token": self.mailed_token(), "password": NEW}
        assert JsonClient().post("/api/v1/password-resets", json=body).status_code == 204
