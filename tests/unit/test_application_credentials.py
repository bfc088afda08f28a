from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product

import pytest

from core.errors import ErrorCode
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from tests.fakes.clock import FakeClock
from tests.fakes.users import (
    InMemorySignInGuard,
    InMemoryUserRepository,
    ReversingPasswordService,
)
from users.application.credentials import PasswordCredentials
from users.domain.errors import SignInRefused
from users.domain.lockout import FailureCount
from users.domain.roles import Role
from users.domain.user import User

EMAIL = "test@example.com"
PASSWORD = "SecurePass123!"
LOCKED = FailureCount(5, NOON + timedelta(minutes=15))


@dataclass
class House:
    clock: FakeClock
    users: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    guard: InMemorySignInGuard = field(default_factory=InMemorySignInGuard)
    passwords: ReversingPasswordService = field(default_factory=ReversingPasswordService)

    def credentials(self) -> PasswordCredentials:
        return PasswordCredentials(
            user_repo=self.users,
            guard=self.guard,
            password_service=self.passwords,
            clock=self.clock,
        )

    def account(self, **over: object) -> User:
        user = make_user(password_hash=self.passwords.hash_password(PASSWORD), **over)
        self.users.users[user.id] = user
        return user

    def change(self, user: User, **changes: object) -> None:
        self.users.users[user.id] = replace(user, **changes)  # type: ignore[arg-type]

    def reason(self, email: str = EMAIL, password: str = PASSWORD) -> str:
        result = self.credentials().verify(email, password)
        return assert_failure(result, ErrorCode.INVALID_CREDENTIALS).reason


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestVerify:
    """Uses fixtures: house."""

    def test_the_right_password_of_an_account_that_can_login_is_verified(
        self, house: House
    ) -> None:
        user = house.account()
        assert assert_success(house.credentials().verify(EMAIL, PASSWORD)) == user

    def test_the_address_is_compared_in_its_normal_form(self, house: House) -> None:
        user = house.account()
        verified = house.credentials().verify(" TEST@example.com ", PASSWORD)
        assert assert_success(verified) == user

    @pytest.mark.parametrize(
        ("over", "password", "reason"),
        [
            ({}, "wrong", "wrong_password"),
            ({"is_active": False}, PASSWORD, "inactive"),
            ({"is_verified": False}, PASSWORD, "unverified"),
            ({"is_active": False, "is_verified": False}, "wrong", "wrong_password"),
            ({"is_active": False, "is_verified": False}, PASSWORD, "inactive"),
        ],
    )
    def test_the_trail_is_told_why_an_account_is_refused(
        self, house: House, over: dict[str, object], password: str, reason: str
    ) -> None:
        house.account(**over)
        assert house.reason(password=password) == reason

    @pytest.mark.parametrize("email", ["unknown@example.com", "no address", "", "\x00", "\ud800"])
    def test_an_address_without_an_account_is_unknown(self, house: House, email: str) -> None:
        house.account()
        assert house.reason(email=email) == "unknown"

    def test_a_locked_address_is_refused_even_with_the_right_password(self, house: House) -> None:
        house.account()
        house.guard.counts[EMAIL] = LOCKED
        assert house.reason() == "locked"

    def test_a_lock_that_is_over_refuses_nobody(self, house: House) -> None:
        user = house.account()
        house.guard.counts[EMAIL] = LOCKED
        house.clock.advance(timedelta(minutes=15))
        assert assert_success(house.credentials().verify(EMAIL, PASSWORD)) == user

    def test_a_refusal_names_the_account_for_the_trail(self, house: House) -> None:
        user = house.account()
        refused = assert_failure(
            house.credentials().verify(EMAIL, "wrong"), ErrorCode.INVALID_CREDENTIALS
        )
        assert refused.user_id == user.id

    def test_every_refusal_has_one_text(self, house: House) -> None:
        house.account()
        house.account(email="inactive@example.com", is_active=False)
        house.account(email="unverified@example.com", is_verified=False)
        house.account(email="locked@example.com")
        house.guard.counts["locked@example.com"] = LOCKED
        refusals = [
            assert_failure(
                house.credentials().verify(f"{name}@example.com", password),
                ErrorCode.INVALID_CREDENTIALS,
            )
            for name, password in [
                ("unknown", PASSWORD),
                ("test", "wrong"),
                ("inactive", PASSWORD),
                ("unverified", PASSWORD),
                ("locked", PASSWORD),
            ]
        ]
        assert len({refusal.reason for refusal in refusals}) == 5
        assert len({(refusal.code, refusal.message) for refusal in refusals}) == 1

    @pytest.mark.parametrize(
        ("email", "password", "is_verified", "locked"),
        [
            (EMAIL, PASSWORD, True, False),
            (EMAIL, "wrong", True, False),
            (EMAIL, PASSWORD, False, False),
            (EMAIL, PASSWORD, True, True),
            ("unknown@example.com", PASSWORD, True, False),
            ("no address", PASSWORD, True, False),
        ],
    )
    def test_every_answer_costs_exactly_one_hash(
        self, house: House, email: str, password: str, is_verified: bool, locked: bool
    ) -> None:
        house.account(is_verified=is_verified)
        house.guard.counts = {EMAIL: LOCKED} if locked else {}
        house.credentials().verify(email, password)
        assert len(house.passwords.verified) == 1

    def test_verifying_writes_nothing(self, house: House) -> None:
        user = house.account()
        house.credentials().verify(EMAIL, "wrong")
        assert (house.users.users, house.guard.counts) == ({user.id: user}, {})


class TestConfirm:
    """Uses fixtures: house."""

    def test_an_account_that_did_not_change_is_confirmed(self, house: House) -> None:
        user = house.account()
        assert house.credentials().confirm(user) == user

    def test_a_success_forgets_the_failures(self, house: House) -> None:
        house.guard.counts[EMAIL] = FailureCount(4)
        house.credentials().confirm(house.account())
        assert house.guard.counts == {}

    @pytest.mark.parametrize(
        "change",
        [
            {"password_hash": "new"},
            {"is_active": False},
            {"is_verified": False},
            {"token_version": 2},
            {"role": Role.ADMIN},
        ],
        ids=str,
    )
    def test_an_account_that_changed_meanwhile_is_not(
        self, house: House, change: dict[str, object]
    ) -> None:
        user = house.account()
        house.guard.counts[EMAIL] = FailureCount(4)
        house.change(user, **change)
        assert house.credentials().confirm(user) is None
        assert house.guard.counts == {EMAIL: FailureCount(4)}

    def test_what_changed_beside_the_proof_is_taken_as_it_is_now(self, house: House) -> None:
        user = house.account()
        house.change(user, max_sessions=1)
        confirmed = house.credentials().confirm(user)
        assert confirmed is not None
        assert confirmed.max_sessions == 1

    def test_an_account_that_is_gone_is_not(self, house: House) -> None:
        assert house.credentials().confirm(make_user()) is None

    def test_a_lock_that_parallel_failures_set_meanwhile_holds(self, house: House) -> None:
        user = house.account()
        house.guard.counts[EMAIL] = LOCKED
        assert house.credentials().confirm(user) is None
        assert house.guard.counts == {EMAIL: LOCKED}


class TestRefuse:
    """Uses fixtures: house."""

    @pytest.mark.parametrize("email", [EMAIL, "unknown@example.com"])
    def test_a_failure_is_counted_for_known_and_unknown_addresses_alike(
        self, house: House, email: str
    ) -> None:
        house.account()
        house.credentials().refuse(email)
        assert house.guard.counts == {email: FailureCount(1)}

    def test_spellings_of_one_address_share_a_count(self, house: House) -> None:
        house.credentials().refuse(" TEST@example.com")
        house.credentials().refuse("test@EXAMPLE.com")
        assert house.guard.counts == {EMAIL: FailureCount(2)}

    @pytest.mark.parametrize("email", ["no address", "", "\x00", "\ud800"])
    def test_what_is_no_address_is_counted_under_one_that_nobody_can_have(
        self, house: House, email: str
    ) -> None:
        house.credentials().refuse(email)
        (counted,) = house.guard.counts
        assert_failure(User.create(counted), ErrorCode.INVALID_EMAIL)

    def test_five_refusals_lock(self, house: House) -> None:
        house.account()
        for _ in range(5):
            house.credentials().refuse(EMAIL)
        assert house.reason() == "locked"


CONDITIONS = ("not locked", "known", "right password", "active", "verified")
REASONS = ("locked", "unknown", "wrong_password", "inactive", "unverified")


class TestEveryAnswer:
    """The whole table: the first condition that does not hold is the reason.

    Uses fixtures: house.
    """

    @pytest.mark.parametrize("holds", list(product([True, False], repeat=5)), ids=str)
    def test_an_answer_names_one_reason_in_one_text_for_one_hash(
        self, house: House, holds: tuple[bool, ...]
    ) -> None:
        state = dict(zip(CONDITIONS, holds, strict=True))
        account = house.account(is_active=state["active"], is_verified=state["verified"])
        email = EMAIL if state["known"] else "unknown@example.com"
        house.guard.counts = {} if state["not locked"] else {email: LOCKED}
        answer = house.credentials().verify(email, PASSWORD if state["right password"] else "wrong")
        told = account if answer.is_success else answer.error.reason
        failed = [reason for reason, held in zip(REASONS, holds, strict=True) if not held]
        assert told == (failed[0] if failed else account)
        assert answer.is_success or answer.error.message == SignInRefused.because("", None).message
        assert len(house.passwords.verified) == 1
