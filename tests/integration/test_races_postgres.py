"""What must hold when many do the same at once: real threads, each on a connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password
from django.db import connections

from audit.models import AuditEvent
from core import container
from core.actions import AuditAction, Phase
from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.result import Failure, Result, Success
from sessions_app import models as session_models
from sessions_app import wiring as sessions_wiring
from sessions_app.application.refreshing import RefreshSession
from sessions_app.application.revocation import RevokeSession
from sessions_app.application.signing_in import SignedIn, SignIn
from sessions_app.domain.tokens import TokenPair
from tests.assertions import assert_failure, assert_success
from tests.factories import PASSWORD, UserFactory, arranged
from tests.mailing import delivered
from users import models, wiring
from users.application.accounts import ChangeAccount, DeleteAccount
from users.application.addresses import RequestEmailChange
from users.application.administration import CreateAdmin
from users.application.passwords import ChangePassword, ChoosePassword
from users.application.registration import RegisterUser, VerifyEmail
from users.domain.roles import Role
from users.domain.tokens import OneUseToken, Purpose

T = TypeVar("T")
EMAIL = "race@example.com"
COMMAND = RegisterUser(email=EMAIL, password="SecurePass123!")

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*jobs: Callable[[], T]) -> list[T]:
    """All of them begin together; an exception in one of them is the test's."""
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T:
        try:
            connections["default"].ensure_connection()
            start.wait(30)
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [done.result() for done in [pool.submit(run, job) for job in jobs]]


def successes(results: Sequence[Result[T, DomainError]]) -> list[T]:
    return [result.value for result in results if isinstance(result, Success)]


def failures(results: Sequence[Result[object, DomainError]]) -> set[ErrorCode]:
    return {result.error.code for result in results if isinstance(result, Failure)}


def phases_since(mark: UUID, action: AuditAction) -> list[Phase]:
    """Ids are in order of making; the trail keeps what earlier tests did."""
    since = AuditEvent.objects.filter(action=action, pk__gt=mark)
    return sorted(Phase(phase) for phase in since.values_list("phase", flat=True))


def issue(purpose: Purpose, user: models.User | None) -> OneUseToken:
    with arranged():
        repository = wiring.one_use_tokens(container.get_database())
        return repository.issue(purpose, user.pk if user else None, datetime.now(UTC))


def sign_in() -> SignedIn:
    return assert_success(sessions_wiring.sign_in().handle(SignIn(email=EMAIL, password=PASSWORD)))


def refresh(text: str) -> Result[TokenPair, DomainError]:
    return sessions_wiring.refresh_session().handle(RefreshSession(refresh_token=text))


def revoke(session: SignedIn) -> Result[None, DomainError]:
    command = RevokeSession(session_id=session.session_id, user_id=session.user_id)
    return sessions_wiring.revoke_session().handle(command)


class TestRegistration:
    def test_eight_registrations_of_one_address_make_one_account(self) -> None:
        results = at_once(*[lambda: wiring.register_user().handle(COMMAND)] * 8)
        (user_id,) = successes(results)
        assert failures(results) == {ErrorCode.EMAIL_ALREADY_EXISTS}
        assert models.User.objects.get().pk == user_id

    def test_every_registration_has_its_outcome_on_record(self) -> None:
        mark = uuid7()
        at_once(*[lambda: wiring.register_user().handle(COMMAND)] * 8)
        phases = phases_since(mark, AuditAction.USER_REGISTERED)
        assert phases == [Phase.ATTEMPTED] * 8 + [Phase.SUCCEEDED] + [Phase.FAILED] * 7

    def test_spellings_of_one_address_make_one_account(self) -> None:
        spellings = [EMAIL, EMAIL.upper(), EMAIL.title(), f" {EMAIL}"]
        at_once(
            *[
                lambda spelling=spelling: wiring.register_user().handle(
                    RegisterUser(email=spelling, password="SecurePass123!")
                )
                for spelling in spellings
            ]
        )
        assert models.User.objects.get().email == EMAIL

    def test_the_mailbox_gets_one_link_and_at_most_one_more_mail(self) -> None:
        at_once(*[lambda: wiring.register_user().handle(COMMAND)] * 8)
        assert {address for message in delivered() for address in message.to} == {EMAIL}
        assert 1 <= len(delivered()) <= 2


@pytest.mark.conforms("Z7")
class TestOneUseTokens:
    def test_a_verification_token_used_eight_times_at_once_succeeds_once(self) -> None:
        user = UserFactory.create(email=EMAIL, is_verified=False)
        text = issue(Purpose.EMAIL_VERIFICATION, user).text(wiring.token_keys())
        results = at_once(*[lambda: wiring.verify_email().handle(VerifyEmail(token=text))] * 8)
        assert successes(results) == [user.pk]
        assert failures(results) == {ErrorCode.INVALID_ONE_USE_TOKEN}

    def test_a_setup_link_used_eight_times_at_once_makes_one_admin(self) -> None:
        text = issue(Purpose.FIRST_ADMIN, None).text(wiring.token_keys())
        commands = [
            CreateAdmin(email=f"a{n}@example.com", password="SecurePass123!", setup_token=text)
            for n in range(8)
        ]
        results = at_once(
            *[lambda one=command: wiring.create_admin().handle(one) for command in commands]
        )
        assert len(successes(results)) == 1
        assert models.User.objects.filter(role=Role.ADMIN).count() == 1

    def test_a_reset_token_used_ten_times_at_once_sets_one_password(self) -> None:
        user = UserFactory.create(email=EMAIL)
        text = issue(Purpose.PASSWORD_RESET, user).text(wiring.token_keys())
        choices = [ChoosePassword(token=text, password=f"one of ten words {n}") for n in range(10)]
        results = at_once(
            *[lambda one=choice: wiring.reset_password().handle(one) for choice in choices]
        )
        assert successes(results) == [user.pk]
        assert failures(results) == {ErrorCode.INVALID_ONE_USE_TOKEN}
        stored = models.User.objects.get().password
        assert [check_password(one.password, stored) for one in choices].count(True) == 1


@pytest.mark.conforms("Z7")
class TestAdmins:
    def test_two_admins_who_deactivate_each_other_leave_one(self) -> None:
        one, two = (UserFactory.create(role=Role.ADMIN) for _ in range(2))
        commands = [
            ChangeAccount(user_id=two.pk, actor_id=one.pk, is_active=False),
            ChangeAccount(user_id=one.pk, actor_id=two.pk, is_active=False),
        ]
        results = at_once(
            *[lambda each=command: wiring.change_account().handle(each) for command in commands]
        )
        assert len(successes(results)) == 1
        assert failures(results) == {ErrorCode.LAST_ADMIN}
        assert models.User.objects.filter(is_active=True).count() == 1

    def test_two_admins_who_leave_at_once_leave_one(self) -> None:
        admins = [UserFactory.create(role=Role.ADMIN) for _ in range(2)]
        results = at_once(
            *[
                lambda each=admin: wiring.delete_account().handle(DeleteAccount(user_id=each.pk))
                for admin in admins
            ]
        )
        assert len(successes(results)) == 1
        assert failures(results) == {ErrorCode.LAST_ADMIN}


class TestAddressChange:
    def test_eight_requests_at_once_leave_one_link_that_is_open(self) -> None:
        user = UserFactory.create(email=EMAIL)
        commands = [
            RequestEmailChange(user_id=user.pk, email=f"new{n}@example.com") for n in range(8)
        ]
        at_once(*[lambda one=each: wiring.request_email_change().handle(one) for each in commands])
        assert models.OneUseToken.objects.filter(user=user, spent_at=None).count() == 1


class TestPasswordChange:
    @pytest.mark.slow(reason="eight sign-ins and a change, with a hash each")
    def test_no_session_of_the_old_password_survives_a_change(self) -> None:
        user = UserFactory.create(email=EMAIL, max_sessions=20)
        kept = sign_in()
        change = ChangePassword(
            user_id=user.pk,
            session_id=kept.session_id,
            current_password=PASSWORD,
            new_password="another horse, another battery",
        )
        old = SignIn(email=EMAIL, password=PASSWORD)
        jobs: list[Callable[[], Result[object, DomainError]]] = [
            lambda: sessions_wiring.sign_in().handle(old)
        ] * 7
        at_once(lambda: wiring.change_password().handle(change), *jobs)
        live = session_models.DeviceSession.objects.filter(revoked_at__isnull=True)
        assert [session.pk for session in live] == [kept.session_id]


class TestSignIn:
    @pytest.mark.conforms("Z7")
    def test_eight_logins_at_a_limit_of_two_leave_two_live_sessions(self) -> None:
        UserFactory.create(email=EMAIL)
        signed_in = at_once(*[sign_in] * 8)
        live = session_models.DeviceSession.objects.filter(revoked_at__isnull=True)
        assert live.count() == 2
        assert len({one.session_id for one in signed_in}) == 8

    def test_the_tokens_of_those_two_and_of_no_others_are_accepted(self) -> None:
        UserFactory.create(email=EMAIL)
        signed_in = at_once(*[sign_in] * 8)
        authenticate = sessions_wiring.authenticator().authenticate
        accepted = [one for one in signed_in if authenticate(one.tokens.access_token).is_success]
        assert len(accepted) == 2

    def test_eight_right_passwords_of_an_older_hash_are_accepted(self) -> None:
        older = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1000)
        user = UserFactory.create(email=EMAIL, password=older, max_sessions=8)
        mark = uuid7()
        results = at_once(
            *[lambda: sessions_wiring.sign_in().handle(SignIn(email=EMAIL, password=PASSWORD))] * 8
        )
        assert failures(results) == set()
        assert phases_since(mark, AuditAction.USER_PASSWORD_REHASHED) == [Phase.SOLE]
        user.refresh_from_db()
        assert user.password.startswith("argon2$")

    def test_eight_wrong_passwords_at_once_lock(self) -> None:
        UserFactory.create(email=EMAIL)
        wrong = SignIn(email=EMAIL, password="wrong")
        at_once(*[lambda: sessions_wiring.sign_in().handle(wrong)] * 8)
        right = sessions_wiring.sign_in().handle(SignIn(email=EMAIL, password=PASSWORD))
        assert_failure(right, ErrorCode.INVALID_CREDENTIALS)
        assert models.SignInGuard.objects.get().failures == 5

    def test_failures_beside_successes_are_refused_and_not_lost_in_an_error(self) -> None:
        UserFactory.create(email=EMAIL, max_sessions=20)
        wrong = SignIn(email=EMAIL, password="wrong")
        right = SignIn(email=EMAIL, password=PASSWORD)
        commands = [wrong, right, wrong, right, wrong, right, wrong, right]
        results = at_once(
            *[lambda one=command: sessions_wiring.sign_in().handle(one) for command in commands]
        )
        assert [result.is_success for result in results] == [False, True] * 4


class TestRefresh:
    @pytest.mark.conforms("Z7")
    def test_eight_refreshes_of_one_token_get_one_successor(self) -> None:
        UserFactory.create(email=EMAIL)
        text = sign_in().tokens.refresh_token
        results = at_once(*[lambda: refresh(text)] * 8)
        tokens = successes(results)
        assert len(tokens) == 8
        assert len({pair.refresh_token for pair in tokens}) == 1
        assert session_models.DeviceSession.objects.get().generation == 2

    def test_each_of_them_is_on_record(self) -> None:
        UserFactory.create(email=EMAIL)
        text, mark = sign_in().tokens.refresh_token, uuid7()
        at_once(*[lambda: refresh(text)] * 8)
        phases = phases_since(mark, AuditAction.SESSION_REFRESHED)
        assert phases == [Phase.ATTEMPTED] * 8 + [Phase.SUCCEEDED] * 8

    @pytest.mark.parametrize("revocations", [1, 4])
    def test_a_refresh_against_a_revocation_leaves_no_live_token(self, revocations: int) -> None:
        UserFactory.create(email=EMAIL)
        session = sign_in()
        refreshes = [lambda: refresh(session.tokens.refresh_token)] * (8 - revocations)
        results = at_once(*refreshes, *[lambda: revoke(session)] * revocations)
        handed_out = [one for one in successes(results) if isinstance(one, TokenPair)]
        authenticate = sessions_wiring.authenticator().authenticate
        still_open = [pair for pair in handed_out if authenticate(pair.access_token).is_success]
        still_refreshing = [
            pair for pair in [*handed_out, session.tokens] if refresh(pair.refresh_token).is_success
        ]
        assert (still_open, still_refreshing) == ([], [])
        assert session_models.DeviceSession.objects.get().revoked_at is not None

    def test_a_session_is_revoked_once(self) -> None:
        UserFactory.create(email=EMAIL)
        session = sign_in()
        results = at_once(*[lambda: revoke(session)] * 8)
        assert successes(results) == [None]
        assert failures(results) == {ErrorCode.SESSION_NOT_FOUND}
