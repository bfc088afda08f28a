from datetime import timedelta

import pytest

from core.errors import ErrorCode
from core.ids import uuid7
from core.result import Success
from tests.assertions import assert_failure, assert_success
from tests.factories import PASSWORD, make_user
from tests.fakes.users import SignInPorts
from users.application.locking import (
    LONGEST_LOCK,
    LockAccount,
    LockAccountHandler,
    UnlockAccount,
    UnlockAccountHandler,
)
from users.domain.claim import Claim, Known, KnownBy
from users.domain.events import (
    AccountLockAttempted,
    AccountLockFailed,
    AccountLockSucceeded,
    AccountUnlockAttempted,
    AccountUnlockFailed,
)
from users.domain.lockout import FailureCount
from users.domain.user import User

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)
WHY = "the owner called"


@pytest.fixture
def ports() -> SignInPorts:
    return SignInPorts()


@pytest.fixture
def user(ports: SignInPorts) -> User:
    owner = make_user(password_hash=ports.passwords.hash_password(PASSWORD))
    ports.users.users[owner.id] = owner
    return owner


def locking(ports: SignInPorts) -> LockAccountHandler:
    return LockAccountHandler(
        user_repo=ports.users,
        guard=ports.guard,
        passes=ports.device_passes(),
        event_bus=ports.bus,
        clock=ports.clock,
    )


def unlocking(ports: SignInPorts) -> UnlockAccountHandler:
    return UnlockAccountHandler(user_repo=ports.users, guard=ports.guard, event_bus=ports.bus)


def lock(ports: SignInPorts, user: User, period: timedelta = DAY) -> None:
    assert_success(locking(ports).handle(LockAccount(user_id=user.id, period=period)))


def refusal(ports: SignInPorts, user: User, device: str | None = None) -> str | None:
    claim = Claim(email=user.email, password=PASSWORD, device_token=device)
    verified = ports.credentials().verify(claim)
    if isinstance(verified, Success):
        return None
    return assert_failure(verified, ErrorCode.INVALID_CREDENTIALS).reason


class TestLock:
    """Uses fixtures: ports, user."""

    def test_the_right_password_is_refused_until_it_is_over(
        self, ports: SignInPorts, user: User
    ) -> None:
        until = assert_success(locking(ports).handle(LockAccount(user_id=user.id, period=DAY)))
        assert until == ports.clock.now() + DAY
        ports.clock.advance(DAY - MOMENT)
        assert refusal(ports, user) == "locked"
        ports.clock.advance(MOMENT)
        assert refusal(ports, user) is None

    def test_a_device_that_was_known_is_a_strangers(self, ports: SignInPorts, user: User) -> None:
        text = ports.device_passes().grant(user.id).text(ports.keys)
        lock(ports, user)
        assert refusal(ports, user, text) == "locked"

    def test_failures_that_were_counted_before_are_kept(
        self, ports: SignInPorts, user: User
    ) -> None:
        ports.guard.record_failure(user.email, ports.clock.now())
        lock(ports, user)
        locked = FailureCount(1, ports.clock.now() + DAY)
        assert ports.guard.count(user.email) == locked

    def test_it_is_on_record_with_its_reason(self, ports: SignInPorts, user: User) -> None:
        command = LockAccount(user_id=user.id, period=DAY, stated_reason=WHY)
        assert_success(locking(ports).handle(command))
        attempt, success = ports.bus.published_events
        assert isinstance(attempt, AccountLockAttempted)
        assert isinstance(success, AccountLockSucceeded)
        assert (attempt.user_id, attempt.stated_reason) == (user.id, WHY)
        assert (success.user_id, success.until) == (user.id, ports.clock.now() + DAY)

    @pytest.mark.parametrize("period", [timedelta(0), -DAY, LONGEST_LOCK + MOMENT])
    def test_a_lock_has_a_length(self, ports: SignInPorts, user: User, period: timedelta) -> None:
        refused = locking(ports).handle(LockAccount(user_id=user.id, period=period))
        assert_failure(refused, ErrorCode.VALIDATION_FAILED)
        assert ports.guard.count(user.email) == FailureCount()

    def test_the_longest_is_thirty_days(self, ports: SignInPorts, user: User) -> None:
        lock(ports, user, timedelta(days=30))
        ports.clock.advance(timedelta(days=30) - MOMENT)
        assert refusal(ports, user) == "locked"

    def test_nobody_is_locked_who_is_not_there(self, ports: SignInPorts) -> None:
        nobody = uuid7()
        refused = locking(ports).handle(LockAccount(user_id=nobody, period=DAY))
        assert_failure(refused, ErrorCode.USER_NOT_FOUND)
        failed = ports.bus.published_events[-1]
        assert isinstance(failed, AccountLockFailed)
        assert (failed.user_id, failed.reason) == (nobody, "user_not_found")


class TestUnlock:
    """Uses fixtures: ports, user."""

    def unlock(self, ports: SignInPorts, user: User) -> None:
        assert_success(unlocking(ports).handle(UnlockAccount(user_id=user.id)))

    def test_the_lock_of_an_admin_is_lifted(self, ports: SignInPorts, user: User) -> None:
        lock(ports, user)
        self.unlock(ports, user)
        assert refusal(ports, user) is None

    def test_the_counts_of_strangers_and_of_devices_are_forgotten(
        self, ports: SignInPorts, user: User
    ) -> None:
        device, now = str(KnownBy(Known.DEVICE, uuid7())), ports.clock.now()
        ports.guard.record_failure(user.email, now)  # before there was an account
        ports.guard.record_failure(device, now, user.id)
        ports.guard.record_failure("other@example.com", now, uuid7())
        self.unlock(ports, user)
        assert ports.guard.count(user.email) == ports.guard.count(device) == FailureCount()
        assert ports.guard.count("other@example.com") == FailureCount(1)

    def test_it_is_on_record_with_its_reason(self, ports: SignInPorts, user: User) -> None:
        command = UnlockAccount(user_id=user.id, stated_reason=WHY)
        assert_success(unlocking(ports).handle(command))
        attempt = ports.bus.published_events[0]
        assert isinstance(attempt, AccountUnlockAttempted)
        assert (attempt.user_id, attempt.stated_reason) == (user.id, WHY)
        assert ports.bus.names[1:] == ["AccountUnlockSucceeded"]

    def test_nobody_is_unlocked_who_is_not_there(self, ports: SignInPorts) -> None:
        nobody = uuid7()
        refused = unlocking(ports).handle(UnlockAccount(user_id=nobody))
        assert_failure(refused, ErrorCode.USER_NOT_FOUND)
        failed = ports.bus.published_events[-1]
        assert isinstance(failed, AccountUnlockFailed)
        assert (failed.user_id, failed.reason) == (nobody, "user_not_found")
