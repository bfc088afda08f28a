from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from core.errors import ErrorCode
from core.result import Failure, Success
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from tests.fakes.clock import FakeClock
from users.domain.roles import Role, SessionTier
from users.domain.user import User


def create_user(
    is_verified: bool = True, is_active: bool = True, failed_login_attempts: int = 0
) -> User:
    """The seed's helper."""
    return make_user(
        email="test@example.com",
        password_hash="hashed_password",
        is_verified=is_verified,
        is_active=is_active,
        failed_login_attempts=failed_login_attempts,
        locked_until=None,
    )


class TestUserCanLogin:
    def test_user_can_login_when_verified_and_active(self) -> None:
        user = create_user(is_verified=True, is_active=True)
        assert user.can_login() is True

    def test_user_cannot_login_when_not_verified(self) -> None:
        user = create_user(is_verified=False)
        assert user.can_login() is False

    @pytest.mark.parametrize(
        ("is_verified", "is_active"),
        [both for both in product([True, False], repeat=2) if both != (True, True)],
    )
    def test_every_other_combination_cannot_login(self, is_verified: bool, is_active: bool) -> None:
        assert create_user(is_verified=is_verified, is_active=is_active).can_login() is False


class TestUserEntity:
    """Uses fixtures: create_user (of tests/plugin/fixtures.py), frozen."""

    def test_user_validates_email(self) -> None:
        result = User.create(email="invalid")
        assert isinstance(result, Failure)
        assert result.error.code is ErrorCode.INVALID_EMAIL
        assert result.error.field == "email"

    def test_a_made_user_is_valid(self, create_user: Callable[..., User]) -> None:
        user = create_user()
        result = user.validate()
        assert result.is_success
        assert assert_success(result) is user

    def test_a_user_with_a_broken_address_is_not_valid(self) -> None:
        user = make_user(email="no address")
        assert_failure(user.validate(), ErrorCode.INVALID_EMAIL)

    def test_create_takes_the_normal_form_of_the_address(self) -> None:
        result = User.create(email="  Test@Example.COM ")
        assert isinstance(result, Success)
        assert result.value.email == "test@example.com"

    def test_a_new_account_is_active_but_not_verified(self) -> None:
        user = assert_success(User.create(email="test@example.com"))
        assert (user.is_active, user.is_verified) == (True, False)

    def test_a_new_account_has_no_password_that_could_match(self) -> None:
        assert assert_success(User.create(email="test@example.com")).password_hash == ""

    def test_a_new_account_has_the_least_role_and_the_smallest_tier(self) -> None:
        user = assert_success(User.create(email="test@example.com"))
        assert (user.role, user.session_tier) == (Role.USER, SessionTier.BASIC)

    def test_a_new_account_has_no_failures_no_limit_of_its_own_and_the_first_tokens(self) -> None:
        user = assert_success(User.create(email="test@example.com"))
        assert (user.failed_login_attempts, user.locked_until) == (0, None)
        assert (user.max_sessions, user.token_version) == (None, 1)

    def test_a_user_who_is_not_dated_is_of_now(self, frozen: FakeClock) -> None:
        user = User(email="test@example.com")
        assert user.created_at == user.updated_at == frozen.now()

    def test_create_takes_a_role(self) -> None:
        user = assert_success(User.create(email="test@example.com", role=Role.ADMIN))
        assert user.role is Role.ADMIN

    def test_create_dates_the_account_by_the_given_time(self) -> None:
        user = assert_success(User.create(email="test@example.com", now=NOON))
        assert (user.created_at, user.updated_at) == (NOON, NOON)

    def test_create_dates_the_account_by_the_system_clock(self, frozen: FakeClock) -> None:
        frozen.advance(timedelta(hours=1))
        user = assert_success(User.create(email="test@example.com"))
        assert user.created_at == datetime(2024, 1, 1, 13, 0, tzinfo=UTC)
        assert user.updated_at == user.created_at

    def test_two_accounts_have_two_ids_in_order_of_making(self) -> None:
        first = assert_success(User.create(email="test@example.com"))
        second = assert_success(User.create(email="test@example.com"))
        assert isinstance(first.id, UUID)
        assert first.id.version == 7
        assert first.id < second.id

    def test_with_password_changes_the_hash_alone(self) -> None:
        user = make_user(password_hash="old")
        changed = user.with_password("new")
        assert changed.password_hash == "new"
        assert changed.with_password("old") == user
        assert user.password_hash == "old"

    def test_the_hash_is_not_in_the_repr(self) -> None:
        assert "argon2id$secret" not in repr(make_user(password_hash="argon2id$secret"))


class TestFailedLogins:
    """Uses fixtures: clock."""

    def test_the_fourth_failure_does_not_lock(self, clock: FakeClock) -> None:
        user = make_user(failed_login_attempts=3).record_failed_login(clock.now())
        assert user.failed_login_attempts == 4
        assert user.is_locked(clock.now()) is False

    def test_the_fifth_failure_locks_for_fifteen_minutes(self, clock: FakeClock) -> None:
        user = make_user(failed_login_attempts=4).record_failed_login(clock.now())
        assert user.locked_until == NOON + timedelta(minutes=15)
        assert user.is_locked(clock.now()) is True

    def test_a_login_forgets_the_failures_and_the_lock(self, clock: FakeClock) -> None:
        locked = make_user(failed_login_attempts=4).record_failed_login(clock.now())
        user = locked.record_login()
        assert (user.failed_login_attempts, user.locked_until) == (0, None)

    def test_a_locked_account_is_still_one_that_can_login_afterwards(
        self, clock: FakeClock
    ) -> None:
        user = make_user(failed_login_attempts=4).record_failed_login(clock.now())
        assert user.can_login() is True


class TestSessionLimit:
    def test_the_limit_is_that_of_the_tier(self) -> None:
        assert make_user(session_tier=SessionTier.PLUS).session_limit() == 5

    def test_an_override_beats_the_tier(self) -> None:
        assert make_user(session_tier=SessionTier.PLUS, max_sessions=1).session_limit() == 1

    def test_an_override_bounds_the_tier_without_a_bound(self) -> None:
        assert make_user(session_tier=SessionTier.PRO, max_sessions=7).session_limit() == 7

    def test_the_highest_tier_has_no_limit(self) -> None:
        assert make_user(session_tier=SessionTier.PRO).session_limit() is None
