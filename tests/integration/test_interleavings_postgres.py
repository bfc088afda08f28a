"""Two at once, in each order of what decides: the outcome of every order is stated. All orders of
all their statements are walked by `make races`."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password

from core.actions import AuditAction, Phase
from core.errors import ErrorCode
from core.result import Failure, Success
from sessions_app import wiring as sessions_wiring
from sessions_app.application.rotation import RotateTokens
from sessions_app.domain.session import EndReason
from tests.assertions import assert_failure, assert_success
from tests.factories import PASSWORD, UserFactory
from tests.interleaving import COMMIT, Interleave
from trials.races.crew import Act
from trials.races.ground import (
    Heat,
    expect_all_over,
    is_open,
    link,
    live,
    login,
    mailed,
    refresh,
    session,
    sign_in,
)
from trials.races.of_tokens import expect_revoked_once, revoke
from users import models, wiring
from users.adapters import LINKS
from users.application.accounts import DeleteAccount
from users.application.passwords import ChangePassword, ChoosePassword
from users.application.registration import VerifyEmail
from users.domain.lockout import MAX_FAILURES
from users.domain.tokens import Purpose

STEPS = {
    "lock-session": r'FROM "sessions_app_devicesession".* FOR (NO KEY )?UPDATE',
    "end-session": r'^UPDATE "sessions_app_devicesession" SET "revoked_at"',
    "lock-account": r'FROM "users_user".* FOR (NO KEY )?UPDATE',
    "spend-link": r'^UPDATE "users_oneusetoken"',
    "count": r'^INSERT INTO "users_signinguard"',
    "clear-count": r'^DELETE FROM "users_signinguard"',
    "rotate": r'^INSERT INTO "sessions_app_tokenrotation"',
    "commit": f"^{COMMIT}$",
}
NEW_PASSWORD = "another horse, another battery"

Both = Callable[[Act, Act, str], tuple[Heat, str]]

pytestmark = pytest.mark.conforms("Z7")


@pytest.fixture
def both(interleave: Interleave) -> Both:
    """What came of two acts in this order, each of them on record, and who had to wait."""

    def run(one: Act, other: Act, order: str) -> tuple[Heat, str]:
        jobs = [lambda act=act: act.door().handle(act.command) for act in (one, other)]
        ran = interleave(jobs[0], jobs[1], order, STEPS)
        return Heat.of(ran.results, ran.correlation), ran.waited

    return run


def told(heat: Heat) -> str:
    """`A` where the first succeeded alone, `AB` where both did."""
    done = zip("AB", heat.results, strict=True)
    return "".join(name for name, result in done if isinstance(result, Success))


def error_of(heat: Heat, name: str) -> Any:
    refused = heat.results["AB".index(name)]
    return refused.error.code if isinstance(refused, Failure) else None


# Who is held before it has the row comes second, whoever begins; who has it lets the other wait.
EITHER_FIRST = pytest.mark.parametrize(
    ("order", "first", "waited"),
    [
        ("A {lock}, B, A", "B", ""),
        ("A commit, B, A", "A", "B"),
        ("B {lock}, A, B", "A", ""),
        ("B commit, A, B", "B", "A"),
    ],
)


@EITHER_FIRST
def test_two_refreshes_of_one_token_get_one_successor(
    both: Both, order: str, first: str, waited: str
) -> None:
    signed_in = sign_in(UserFactory.create())
    one = refresh(signed_in.tokens.refresh_token)
    heat, who = both(one, one, order.format(lock="lock-session"))
    assert (told(heat), who) == ("AB", waited)
    assert heat.results[0].value == heat.results[1].value
    repeated = [
        each["repeated"] for each in heat.told(AuditAction.SESSION_REFRESHED, Phase.SUCCEEDED)
    ]
    assert sorted(repeated) == [False, True]
    row = session(signed_in.session_id)
    assert (row.generation, row.revoked_at) == (2, None)
    assert is_open(heat.tokens["AB".index(first)])


@pytest.mark.parametrize(
    ("order", "done", "waited"),
    [
        ("A lock-session, B, A", "B", ""),
        ("A commit, B, A", "AB", "B"),
        ("B end-session, A, B", "AB", ""),
        ("B commit, A, B", "B", "A"),
    ],
)
def test_a_refresh_beside_a_revocation_leaves_no_live_token(
    both: Both, order: str, done: str, waited: str
) -> None:
    signed_in = sign_in(UserFactory.create())
    heat, who = both(refresh(signed_in.tokens.refresh_token), revoke(signed_in), order)
    assert (told(heat), who) == (done, waited)
    assert error_of(heat, "A") == (None if "A" in done else ErrorCode.INVALID_GRANT)
    expect_revoked_once(heat, signed_in)


@EITHER_FIRST
def test_two_logins_for_the_last_free_session_leave_as_many_as_there_may_be(
    both: Both, order: str, first: str, waited: str
) -> None:
    user = UserFactory.create(max_sessions=2)
    oldest = sign_in(user)
    heat, who = both(login(user), login(user), order.format(lock="lock-account"))
    assert (told(heat), who) == ("AB", waited)
    assert live(user) == {each.session_id for each in heat.successes}
    assert all(map(is_open, heat.tokens))
    assert heat.endings() == {EndReason.LIMIT: 1}
    assert not is_open(oldest.tokens)


@EITHER_FIRST
def test_two_logins_for_one_session_leave_that_of_the_second(
    both: Both, order: str, first: str, waited: str
) -> None:
    user = UserFactory.create(max_sessions=1)
    heat, who = both(login(user), login(user), order.format(lock="lock-account"))
    assert (told(heat), who) == ("AB", waited)
    second = heat.successes["BA".index(first)]
    assert live(user) == {second.session_id}
    assert [is_open(each.tokens) for each in heat.successes] == [first == "B", first == "A"]


@EITHER_FIRST
def test_a_link_that_confirms_an_address_is_good_once(
    both: Both, order: str, first: str, waited: str
) -> None:
    user = UserFactory.create(is_verified=False)
    command = VerifyEmail(token=link(Purpose.EMAIL_VERIFICATION, user))
    act = Act(wiring.verify_email, command)
    heat, who = both(act, act, order.format(lock="lock-account"))
    assert (told(heat), who) == (first, waited)
    assert heat.refusals == {ErrorCode.INVALID_ONE_USE_TOKEN: 1}
    assert heat.count(AuditAction.USER_EMAIL_VERIFIED, Phase.SUCCEEDED) == 1
    user.refresh_from_db()
    assert user.is_verified


class TestLockout:
    """Uses fixtures: both."""

    @EITHER_FIRST
    @pytest.mark.parametrize("before", [MAX_FAILURES - 2, MAX_FAILURES - 1])
    def test_two_wrong_passwords_are_two_failures_and_one_lock(
        self, both: Both, before: int, order: str, first: str, waited: str
    ) -> None:
        user = self.after(before)
        wrong = login(user, "a wrong one")
        heat, who = both(wrong, wrong, order.format(lock="count"))
        assert (told(heat), who) == ("", waited)
        assert heat.refusals == {ErrorCode.INVALID_CREDENTIALS: 2}
        assert models.SignInGuard.objects.get().failures == MAX_FAILURES
        locks = heat.told(AuditAction.USER_LOCKED, Phase.SOLE)
        assert [each["failures"] for each in locks] == [MAX_FAILURES]
        assert mailed(LINKS[Purpose.UNLOCK], user) == 1
        assert_failure(self.tried(user), ErrorCode.INVALID_CREDENTIALS)

    def test_two_wrong_passwords_before_the_last_are_counted_and_lock_nothing(
        self, both: Both
    ) -> None:
        user = self.after(MAX_FAILURES - 3)
        wrong = login(user, "a wrong one")
        both(wrong, wrong, "A commit, B, A")
        assert models.SignInGuard.objects.get().failures == MAX_FAILURES - 1
        assert_success(self.tried(user))

    @pytest.mark.parametrize(
        ("order", "done", "waited", "failures"),
        [
            ("A count, B, A", "B", "", 1),
            ("A commit, B, A", "", "B", MAX_FAILURES),
            ("B lock-account, A, B", "", "", MAX_FAILURES),
            ("B commit, A, B", "B", "A", 1),
        ],
    )
    def test_a_wrong_one_that_locks_beside_the_right_one(
        self, both: Both, order: str, done: str, waited: str, failures: int
    ) -> None:
        """Whoever is first decides: nobody comes in over a lock, and no success forgets a failure
        that came after it."""
        user = self.after(MAX_FAILURES - 1)
        heat, who = both(login(user, "a wrong one"), login(user), order)
        assert (told(heat), who) == (done, waited)
        assert models.SignInGuard.objects.get().failures == failures
        assert len(live(user)) == len(done)

    def after(self, failures: int) -> models.User:
        user = UserFactory.create()
        for _ in range(failures):
            assert_failure(self.tried(user, "a wrong one"), ErrorCode.INVALID_CREDENTIALS)
        return user

    def tried(self, user: models.User, password: str = PASSWORD) -> Any:
        return login(user, password).door().handle(login(user, password).command)


@pytest.mark.parametrize(
    ("order", "done", "waited"),
    [
        ("A lock-account, B, A", "AB", ""),
        ("A commit, B, A", "A", "B"),
        ("B lock-account, A, B", "A", ""),
        ("B commit, A, B", "AB", "A"),
    ],
)
def test_no_session_of_the_old_password_outlives_its_change(
    both: Both, order: str, done: str, waited: str
) -> None:
    user = UserFactory.create(max_sessions=9)
    kept = sign_in(user)
    change = ChangePassword(
        user_id=user.pk,
        session_id=kept.session_id,
        current_password=PASSWORD,
        new_password=NEW_PASSWORD,
    )
    heat, who = both(Act(wiring.change_password, change), login(user), order)
    assert (told(heat), who) == (done, waited)
    assert error_of(heat, "B") == (None if "B" in done else ErrorCode.INVALID_CREDENTIALS)
    assert (live(user), is_open(kept.tokens)) == ({kept.session_id}, True)
    expect_all_over(heat.tokens, "after the change")
    user.refresh_from_db()
    assert check_password(NEW_PASSWORD, user.password)


@pytest.mark.parametrize("order", ["A spend-link, B, A", "B spend-link, A, B"])
def test_a_verification_beside_a_reset_of_the_same_account_does_not_wait_for_ever(
    both: Both, order: str
) -> None:
    user = UserFactory.create(is_verified=False)
    verify = VerifyEmail(token=link(Purpose.EMAIL_VERIFICATION, user))
    choose = ChoosePassword(token=link(Purpose.PASSWORD_RESET, user), password=NEW_PASSWORD)
    heat, waited = both(Act(wiring.verify_email, verify), Act(wiring.reset_password, choose), order)
    assert (order[0] in told(heat), "B" in told(heat)) == (True, True)
    assert waited == "BA"["AB".index(order[0])]
    user.refresh_from_db()
    assert (user.is_verified, check_password(NEW_PASSWORD, user.password)) == (True, True)


def test_a_rotation_beside_the_end_of_the_account_is_first(both: Both) -> None:
    user = UserFactory.create()
    rotation = Act(sessions_wiring.rotate_tokens, RotateTokens(user_id=user.pk, reason="a leak"))
    deletion = Act(wiring.delete_account, DeleteAccount(user_id=user.pk))
    heat, waited = both(rotation, deletion, "A rotate, B, A")
    assert (told(heat), waited) == ("AB", "B")
    gone = rotation.door().handle(rotation.command)
    assert_failure(gone, ErrorCode.USER_NOT_FOUND)
