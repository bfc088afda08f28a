"""The mails of the account journeys, old hashes, and the end of an account on the trail."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import InternalError

from audit.models import AuditEvent
from core import container
from core.cache import LocalCache
from core.errors import ErrorCode
from core.ids import uuid7
from core.keys import KeyRing
from sessions_app import models as session_models
from sessions_app import wiring as sessions_wiring
from sessions_app.application.signing_in import SignIn
from tests.assertions import assert_failure, assert_success
from tests.factories import PASSWORD, UserFactory, arranged
from tests.fakes.clock import FakeClock
from tests.mailing import delivered
from users import models, wiring
from users.adapters import CacheCooldown, DjangoPasswordService
from users.application.accounts import DeleteAccount
from users.application.links import RequestLink
from users.domain.events import DeletionSucceeded
from users.domain.notices import Notice
from users.domain.roles import Role
from users.domain.tokens import Purpose

EMAIL = "test@example.com"
KEYS = KeyRing("1", {"1": b"k" * 32})


class TestMails:
    """Uses fixtures: db."""

    @pytest.mark.conforms("S32")
    @pytest.mark.parametrize(
        ("purpose", "page"),
        [
            (Purpose.PASSWORD_RESET, "reset-password"),
            (Purpose.EMAIL_CHANGE, "change-email"),
            (Purpose.INVITATION, "invitation"),
        ],
    )
    def test_a_link_carries_its_token_where_no_server_sees_it_in_text_and_html(
        self, db: None, purpose: Purpose, page: str
    ) -> None:
        user = UserFactory.create(email=EMAIL)
        with arranged():
            repository = wiring.one_use_tokens(container.get_database())
            token = repository.issue(purpose, user.pk, user.created_at)
            wiring.mailer().send_link(purpose, EMAIL, token.id)
        (mail,) = delivered()
        text = token.text(wiring.token_keys())
        ((html, _),) = mail.alternatives
        where = f"{container.get_settings().public_url}/{page}#{text}"
        assert where in str(mail.body)
        assert where in str(html)
        assert text in str(mail.body).split("\n")

    @pytest.mark.parametrize("notice", Notice)
    def test_a_notice_has_a_subject_a_text_and_no_token(self, db: None, notice: Notice) -> None:
        with arranged():
            wiring.mailer().send_notice(notice, EMAIL)
        (mail,) = delivered()
        assert (mail.to, "\n" in mail.subject) == ([EMAIL], False)
        assert mail.subject
        assert container.get_settings().public_url in str(mail.body)
        assert not re.search("dsh_once_|{{|{%", str(mail.body) + str(mail.alternatives[0][0]))

    def test_what_was_asked_for_an_unknown_address_is_dropped(
        self, db: None, clock: FakeClock, override: Callable[..., AbstractContextManager[None]]
    ) -> None:
        override(get_cache=LocalCache(clock))
        assert_success(wiring.request_password_reset().handle(RequestLink(email=EMAIL)))
        assert delivered() == []
        assert models.OneUseToken.objects.get().user_id is None


def test_one_kind_of_mail_does_not_keep_another_from_its_owner() -> None:
    cache = LocalCache()
    assert CacheCooldown(cache).claim(EMAIL) is True
    assert CacheCooldown(cache, "reset").claim(EMAIL) is True
    assert CacheCooldown(cache, "reset").claim(EMAIL) is False


class TestOldHashes:
    """Uses fixtures: db."""

    @pytest.mark.conforms("A10")
    @pytest.mark.slow(reason="hashes of the old algorithms, at their full cost")
    @pytest.mark.parametrize("algorithm", ["pbkdf2_sha1", "scrypt"])
    def test_one_of_another_algorithm_is_upgraded_by_the_next_sign_in(
        self, db: None, algorithm: str
    ) -> None:
        user = UserFactory.create(email=EMAIL, password=make_password(PASSWORD, hasher=algorithm))
        for _ in range(2):
            signed_in = sessions_wiring.sign_in().handle(SignIn(email=EMAIL, password=PASSWORD))
            assert_success(signed_in)
        user.refresh_from_db()
        assert user.password.startswith("argon2$argon2id$")
        rehashed = AuditEvent.objects.for_user(user.pk).filter(action="user.password_rehashed")
        assert rehashed.count() == 1

    def test_a_hash_of_today_needs_none_and_one_of_other_parameters_does(self) -> None:
        service = DjangoPasswordService()
        current = service.hash_password(PASSWORD)
        assert service.needs_upgrade(current) is False
        assert service.needs_upgrade(re.sub(r"t=\d+", "t=9", current)) is True

    def test_a_hash_that_cannot_be_used_fits_no_password(self) -> None:
        service = DjangoPasswordService()
        unusable = service.unusable_hash()
        assert [service.verify_password(each, unusable) for each in ("", unusable)] == [False] * 2


class TestErasure:
    """Uses fixtures: transactional_db."""

    @pytest.mark.conforms("Z6")
    def test_when_the_erasure_fails_the_account_stays(
        self, transactional_db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = UserFactory.create(email=EMAIL)

        def fail(*_: Any, **__: Any) -> bool:
            raise InternalError("no erasure")

        with monkeypatch.context() as patch:
            patch.setattr("audit.repositories.subjects.DjangoErasableSubjects.erase", fail)
            with pytest.raises(InternalError):
                wiring.delete_account().handle(DeleteAccount(user_id=user.pk))
        assert models.User.objects.get() == user
        assert AuditEvent.objects.for_user(user.pk).filter(action="user.deleted").exists()

    def test_a_deletion_that_is_refused_erases_nobody(self, transactional_db: None) -> None:
        admin = UserFactory.create(email=EMAIL, role=Role.ADMIN)
        refused = wiring.delete_account().handle(DeleteAccount(user_id=admin.pk))
        assert_failure(refused, ErrorCode.LAST_ADMIN)
        assert AuditEvent.objects.for_user(admin.pk).filter(action="user.deleted").count() == 2

    def test_rows_of_other_contexts_go_in_the_same_transaction(
        self, transactional_db: None
    ) -> None:
        UserFactory.create(email=EMAIL)
        session = assert_success(
            sessions_wiring.sign_in().handle(SignIn(email=EMAIL, password=PASSWORD))
        )
        wiring.delete_account().handle(DeleteAccount(user_id=session.user_id))
        assert session_models.DeviceSession.objects.count() == 0
        assert not AuditEvent.objects.for_user(session.user_id).exists()

    def test_an_event_says_itself_that_it_erases(self) -> None:
        assert DeletionSucceeded(user_id=uuid7()).erases_subject is True
