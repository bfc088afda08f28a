"""A person's own account: another address, an export, and its end."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from audit.models import AuditEvent
from core import container
from core.actions import Phase
from sessions_app import models as session_models
from tests.factories import PASSWORD, UserFactory
from tests.fakes.clock import FakeClock
from tests.mailing import delivered
from tests.plugin.fixtures import JsonClient
from users import models

OLD, NEW = "old@example.com", "new@example.com"
ME = "/api/v1/users/me"


@pytest.fixture
def me(frozen: FakeClock, client: JsonClient) -> JsonClient:
    UserFactory.create(email=OLD, session_tier="pro")
    return client.as_user(OLD, PASSWORD)


def ask(client: JsonClient, email: str = NEW, **more: Any) -> Any:
    return client.put(f"{ME}/email", {"email": email} | more)


def confirm(client: JsonClient, token: str) -> Any:
    return client.post("/api/v1/email-changes", json={"token": token})


def token_to(address: str) -> str:
    (mail,) = [mail for mail in delivered() if mail.to == [address]]
    return str(re.findall(r"dsh_once_[\w-]+", str(mail.body))[0])


class TestEmail:
    """Uses fixtures: frozen, me."""

    def test_the_new_mailbox_decides_and_this_session_stays(self, me: JsonClient) -> None:
        assert ask(me).status_code == 202
        assert me.get(ME).json()["email"] == OLD
        answer = confirm(JsonClient(), token_to(NEW))
        assert (answer.status_code, answer.content) == (204, b"")
        assert me.get(ME).json()["email"] == NEW

    @pytest.mark.conforms("A21")
    def test_both_addresses_are_told_before_and_after(self, me: JsonClient) -> None:
        ask(me)
        confirm(JsonClient(), token_to(NEW))
        told = sorted((mail.to[0], mail.subject) for mail in delivered())
        assert told == [
            (NEW, "Confirm your new e-mail address"),
            (NEW, "The e-mail address of your account was changed"),
            (OLD, "A new e-mail address was asked for"),
            (OLD, "The e-mail address of your account was changed"),
        ]

    def test_a_taken_address_is_answered_like_a_free_one(self, me: JsonClient) -> None:
        UserFactory.create(email="taken@example.com")
        answers = [ask(me, email) for email in (NEW, "taken@example.com")]
        assert {(one.status_code, one.content) for one in answers} == {(202, b"")}
        (mail,) = [mail for mail in delivered() if mail.to == ["taken@example.com"]]
        assert "dsh_once_" not in str(mail.body)

    def test_the_address_in_the_token_is_forgotten_with_its_use(self, me: JsonClient) -> None:
        ask(me)
        token = token_to(NEW)
        assert models.OneUseToken.objects.get().email == NEW
        confirm(JsonClient(), token)
        assert models.OneUseToken.objects.get().email is None
        assert confirm(JsonClient(), token).json()["code"] == "invalid_one_use_token"

    @pytest.mark.conforms("S12")
    def test_it_needs_a_password_that_was_proved_just_now(
        self, me: JsonClient, frozen: FakeClock
    ) -> None:
        frozen.advance(timedelta(minutes=11))
        assert ask(me).json()["code"] == "reauthentication_required"
        assert models.OneUseToken.objects.count() == 0

    @pytest.mark.conforms("Z3")
    def test_nobody_elses_address_changes_whatever_is_sent(self, me: JsonClient) -> None:
        other = UserFactory.create(email="other@example.com")
        ask(me, user_id=str(other.pk), id=str(other.pk))
        confirm(JsonClient(), token_to(NEW))
        other.refresh_from_db()
        assert other.email == "other@example.com"

    @pytest.mark.parametrize("email", ["no address", OLD])
    def test_what_is_no_other_address_is_told(self, me: JsonClient, email: str) -> None:
        answer = ask(me, email)
        assert (answer.status_code, answer.json()["errors"].keys()) == (400, {"email"})


class TestDeletion:
    """Uses fixtures: frozen, me."""

    @pytest.mark.conforms("S9")
    def test_the_account_and_all_that_hangs_on_it_are_gone(self, me: JsonClient) -> None:
        JsonClient().as_user(OLD, PASSWORD)
        answer = me.delete(ME)
        assert (answer.status_code, answer.content) == (204, b"")
        left = (models.User, models.OneUseToken, session_models.DeviceSession)
        assert [model.objects.count() for model in left] == [0, 0, 0]
        assert me.get(ME).status_code == 401
        assert delivered()[-1].subject == "Your account was deleted"

    @pytest.mark.conforms("S9")
    def test_each_session_that_ends_is_on_record(self, me: JsonClient) -> None:
        JsonClient().as_user(OLD, PASSWORD)
        ids = set(session_models.DeviceSession.objects.values_list("pk", flat=True))
        me.delete(ME)
        ended = AuditEvent.objects.filter(action="session.ended", resource_id__in=ids)
        assert ended.count() == 2

    def test_the_person_is_erased_from_the_trail_and_the_deletion_is_on_it(
        self, me: JsonClient
    ) -> None:
        user = models.User.objects.get()
        assert AuditEvent.objects.for_user(user.pk).exists()
        me.delete(ME)
        assert not AuditEvent.objects.for_user(user.pk).exists()
        deleted = AuditEvent.objects.filter(action="user.deleted").order_by("-pk").first()
        erased = AuditEvent.objects.filter(action="audit.subject_erased").order_by("-pk").first()
        assert deleted is not None
        assert erased is not None
        assert deleted.phase == Phase.SUCCEEDED
        assert deleted.subject_ref == deleted.resource_id == erased.subject_ref

    def test_the_last_admin_stays(self, client: JsonClient) -> None:
        UserFactory.create(email="admin@example.com", role="admin")
        answer = client.as_user("admin@example.com", PASSWORD).delete(ME)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")
        assert models.User.objects.count() == 1

    def test_it_needs_a_password_that_was_proved_just_now(
        self, me: JsonClient, frozen: FakeClock
    ) -> None:
        frozen.advance(timedelta(minutes=11))
        assert me.delete(ME).json()["code"] == "reauthentication_required"
        assert models.User.objects.count() == 1

    def test_nobody_else_goes(self, me: JsonClient) -> None:
        other = UserFactory.create(email="other@example.com")
        me.delete(f"{ME}?user_id={other.pk}")
        assert models.User.objects.get() == other


class TestExport:
    """Uses fixtures: me."""

    @pytest.mark.conforms("Z2")
    def test_it_holds_what_is_kept_of_the_person_and_of_nobody_else(self, me: JsonClient) -> None:
        UserFactory.create(email="other@example.com")
        JsonClient().as_user("other@example.com", PASSWORD)
        ask(me)
        answer = me.get(f"{ME}/export")
        body = answer.json()
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert body.keys() == {
            "account",
            "mailed_links",
            "known_devices",
            "sessions",
            "personal_tokens",
        }
        assert len(body["known_devices"]) == len(body["sessions"])
        assert body["account"]["email"] == OLD
        assert [link["purpose"] for link in body["mailed_links"]] == ["email_change"]
        assert len(body["sessions"]) == 1
        assert "other@example.com" not in answer.content.decode()

    def test_it_holds_no_secret(self, me: JsonClient) -> None:
        text = me.get(f"{ME}/export").content.decode()
        row = models.User.objects.get()
        assert not [word for word in (row.password, "password", "salt", "dsh_") if word in text]

    def test_that_it_was_made_is_on_record(self, me: JsonClient) -> None:
        me.get(f"{ME}/export")
        user = models.User.objects.get()
        assert AuditEvent.objects.for_user(user.pk).filter(action="user.exported").count() == 1

    def test_it_is_for_whoever_has_signed_in(self, client: JsonClient) -> None:
        assert client.get(f"{ME}/export").status_code == 401


class TestClosedRegistration:
    """Uses fixtures: client, override."""

    def test_nobody_registers_and_the_try_is_on_record(
        self, client: JsonClient, override: Callable[..., AbstractContextManager[None]]
    ) -> None:
        override(get_settings=replace(container.get_settings(), registration_open=False))
        answer = client.post("/api/v1/users", json={"email": NEW, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")
        assert models.User.objects.count() == 0
        last = AuditEvent.objects.filter(action="user.registered").order_by("-pk").first()
        assert last is not None
        assert last.phase == Phase.FAILED
