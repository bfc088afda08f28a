from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from core.errors import ErrorCode
from core.ids import uuid7
from core.result import Result
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from tests.fakes.clock import FakeClock
from tests.fakes.users import KEYS, SignInPorts
from users.domain.claim import Claim, Known, KnownBy, Verified
from users.domain.errors import SignInRefused
from users.domain.events import SignInLocked
from users.domain.lockout import FailureCount
from users.domain.roles import Role
from users.domain.tokens import Purpose
from users.domain.user import User

EMAIL = "test@example.com"
PASSWORD = "SecurePass123!"
WRONG = SignInRefused.because("wrong_password", None)
ID = uuid7()
LOCKED = FailureCount(5, NOON + timedelta(minutes=15))


@dataclass
class House(SignInPorts):
    def account(self, **over: object) -> User:
        user = make_user(password_hash=self.passwords.hash_password(PASSWORD), **over)
        self.users.users[user.id] = user
        return user

    def change(self, user: User, **changes: object) -> None:
        self.users.users[user.id] = replace(user, **changes)  # type: ignore[arg-type]

    def verify(
        self, email: str = EMAIL, password: str = PASSWORD, **more: Any
    ) -> Result[Verified, SignInRefused]:
        return self.credentials().verify(Claim(email=email, password=password, **more))

    def refused(self, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> SignInRefused:
        return assert_failure(self.verify(email, password, **more), ErrorCode.INVALID_CREDENTIALS)

    def reason(self, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> str:
        return self.refused(email, password, **more).reason

    def fail(self, times: int = 1, email: str = EMAIL, **more: Any) -> None:
        for _ in range(times):
            self.credentials().refuse(email, self.refused(email, "wrong", **more))

    def known_device(self, user: User) -> str:
        return self.device_passes().grant(user.id).text(KEYS)


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock=clock)


class TestVerify:
    """Uses fixtures: house."""

    def test_the_right_password_of_an_account_that_can_login_is_verified(
        self, house: House
    ) -> None:
        user = house.account()
        assert assert_success(house.verify()) == Verified(user)

    def test_the_address_is_compared_in_its_normal_form(self, house: House) -> None:
        user = house.account()
        assert assert_success(house.verify(" TEST@example.com ")) == Verified(user)

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
        assert assert_success(house.verify()) == Verified(user)

    def test_a_refusal_names_the_account_for_the_trail(self, house: House) -> None:
        user = house.account()
        assert house.refused(password="wrong").user_id == user.id

    def test_every_refusal_has_one_text(self, house: House) -> None:
        house.account()
        house.account(email="inactive@example.com", is_active=False)
        house.account(email="unverified@example.com", is_verified=False)
        house.account(email="locked@example.com")
        house.guard.counts["locked@example.com"] = LOCKED
        refusals = [
            house.refused(f"{name}@example.com", password)
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
        house.verify(email, password)
        assert len(house.passwords.verified) == 1

    def test_verifying_writes_nothing(self, house: House) -> None:
        user = house.account()
        house.verify(EMAIL, "wrong")
        assert (house.users.users, house.guard.counts) == ({user.id: user}, {})


class TestConfirm:
    """Uses fixtures: house."""

    def test_an_account_that_did_not_change_is_confirmed(self, house: House) -> None:
        user = house.account()
        assert house.credentials().confirm(Verified(user)) == user

    def test_a_success_forgets_the_failures(self, house: House) -> None:
        house.guard.counts[EMAIL] = FailureCount(4)
        house.credentials().confirm(Verified(house.account()))
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
        assert house.credentials().confirm(Verified(user)) is None
        assert house.guard.counts == {EMAIL: FailureCount(4)}

    @pytest.mark.parametrize(
        ("change", "confirmed"),
        [
            ({}, True),
            ({"password_hash": "hash:drowssap rehtona"}, False),
            ({"token_version": 2}, False),
            ({"role": Role.ADMIN}, False),
        ],
        ids=str,
    )
    def test_an_older_hash_may_have_been_made_anew_of_the_same_password_alone(
        self, house: House, change: dict[str, object], confirmed: bool
    ) -> None:
        user = house.account()
        house.change(user, password_hash=f"old:{PASSWORD[::-1]}")
        verified = assert_success(house.verify(EMAIL, PASSWORD))
        house.change(user, **{"password_hash": f"hash:{PASSWORD[::-1]}"} | change)
        assert (house.credentials().confirm(verified) is not None) is confirmed

    def test_a_hash_that_somebody_beside_made_anew_is_not_made_a_second_time(
        self, house: House
    ) -> None:
        user = house.account()
        house.change(user, password_hash=f"old:{PASSWORD[::-1]}")
        verified = assert_success(house.verify(EMAIL, PASSWORD))
        theirs = f"hash:{PASSWORD[::-1]}"
        house.change(user, password_hash=theirs)
        confirmed = house.credentials().confirm(verified, "a third hash")
        assert confirmed is not None
        assert house.users.users[user.id].password_hash == confirmed.password_hash == theirs

    def test_what_changed_beside_the_proof_is_taken_as_it_is_now(self, house: House) -> None:
        user = house.account()
        house.change(user, max_sessions=1)
        confirmed = house.credentials().confirm(Verified(user))
        assert confirmed is not None
        assert confirmed.max_sessions == 1

    def test_an_account_that_is_gone_is_not(self, house: House) -> None:
        assert house.credentials().confirm(Verified(make_user())) is None

    def test_a_lock_that_parallel_failures_set_meanwhile_holds(self, house: House) -> None:
        user = house.account()
        house.guard.counts[EMAIL] = LOCKED
        assert house.credentials().confirm(Verified(user)) is None
        assert house.guard.counts == {EMAIL: LOCKED}


class TestRefuse:
    """Uses fixtures: house."""

    @pytest.mark.parametrize("email", [EMAIL, "unknown@example.com"])
    def test_a_failure_is_counted_for_known_and_unknown_addresses_alike(
        self, house: House, email: str
    ) -> None:
        house.account()
        house.credentials().refuse(email, WRONG)
        assert house.guard.counts == {email: FailureCount(1)}

    def test_spellings_of_one_address_share_a_count(self, house: House) -> None:
        house.credentials().refuse(" TEST@example.com", WRONG)
        house.credentials().refuse("test@EXAMPLE.com", WRONG)
        assert house.guard.counts == {EMAIL: FailureCount(2)}

    @pytest.mark.parametrize("email", ["no address", "", "\x00", "\ud800"])
    def test_what_is_no_address_is_counted_under_one_that_nobody_can_have(
        self, house: House, email: str
    ) -> None:
        house.credentials().refuse(email, WRONG)
        (counted,) = house.guard.counts
        assert_failure(User.create(counted), ErrorCode.INVALID_EMAIL)

    def test_five_refusals_lock(self, house: House) -> None:
        house.account()
        house.fail(5)
        assert house.reason() == "locked"

    @pytest.mark.conforms("L8")
    def test_the_fifth_is_on_record(self, house: House) -> None:
        user = house.account()
        house.fail(4)
        assert house.bus.published_events == []
        house.fail()
        (locked,) = house.bus.published_events
        assert isinstance(locked, SignInLocked)
        assert (locked.user_id, locked.email, locked.known_by) == (user.id, EMAIL, None)
        assert (locked.failures, locked.until) == (5, NOON + timedelta(minutes=15))

    @pytest.mark.conforms("A20")
    def test_the_owner_is_mailed_a_way_in_once_a_lock(self, house: House) -> None:
        user = house.account()
        house.fail(12)
        ((purpose, email, token_id),) = house.mailer.links
        assert (purpose, email) == (Purpose.UNLOCK, EMAIL)
        assert house.tokens.tokens[token_id].user_id == user.id
        house.clock.advance(timedelta(minutes=15))
        house.fail(5)
        assert len(house.mailer.links) == 2

    @pytest.mark.parametrize("over", [None, {"is_active": False}, {"is_verified": False}], ids=str)
    def test_where_nobody_can_be_let_in_the_mail_is_for_nobody(
        self, house: House, over: dict[str, Any] | None
    ) -> None:
        if over is not None:
            house.account(**over)
        house.fail(5)
        ((_, _, token_id),) = house.mailer.links
        assert house.tokens.tokens[token_id].user_id is None
        assert house.bus.names == ["SignInLocked"]

    def test_a_hundred_failures_close_the_account_to_strangers(self, house: House) -> None:
        house.account()
        house.guard.counts[EMAIL] = FailureCount(99, NOON)
        house.fail()
        house.clock.advance(timedelta(days=365))
        assert house.reason() == "locked"


class TestKnownDevices:
    """Uses fixtures: house."""

    def test_strangers_do_not_lock_it_out(self, house: House) -> None:
        user = house.account()
        device_token = house.known_device(user)
        house.fail(5)
        assert house.reason() == "locked"
        verified = assert_success(house.verify(device_token=device_token))
        assert verified.known_by is not None
        assert verified.known_by.kind is Known.DEVICE

    def test_its_failures_are_its_own(self, house: House) -> None:
        user = house.account()
        device_token = house.known_device(user)
        house.fail(4, device_token=device_token)
        (pass_id,) = house.passes.passes
        assert house.guard.counts == {f"device:{pass_id}": FailureCount(4)}

    def test_after_five_it_is_a_strangers_for_fifteen_minutes(self, house: House) -> None:
        user = house.account()
        device_token = house.known_device(user)
        house.fail(6, device_token=device_token)
        assert house.guard.counts[EMAIL] == FailureCount(1)
        assert assert_success(house.verify(device_token=device_token)).known_by is None
        house.clock.advance(timedelta(minutes=15))
        assert assert_success(house.verify(device_token=device_token)).known_by is not None

    def test_its_lock_mails_nothing(self, house: House) -> None:
        device_token = house.known_device(house.account())
        house.fail(5, device_token=device_token)
        assert house.mailer.links == []
        (locked,) = house.bus.published_events
        assert isinstance(locked, SignInLocked)
        assert locked.known_by == "device"

    @pytest.mark.conforms("A13")
    def test_a_success_forgets_its_own_failures_alone(self, house: House) -> None:
        user = house.account()
        device_token = house.known_device(user)
        house.fail(3)
        house.fail(3, device_token=device_token)
        verified = assert_success(house.verify(device_token=device_token))
        assert house.credentials().confirm(verified) == user
        assert house.guard.counts == {EMAIL: FailureCount(3)}

    @pytest.mark.parametrize("spoil", ["other account", "altered", "garbage", "expired", "ended"])
    def test_a_pass_that_is_not_its_own_makes_nobody_known(self, house: House, spoil: str) -> None:
        user = house.account()
        other = house.account(email="other@example.com")
        device_token = house.known_device(other if spoil == "other account" else user)
        if spoil == "altered":
            device_token = device_token[:-4] + ("AAAA" if device_token[-4:] != "AAAA" else "BBBB")
        if spoil == "garbage":
            device_token = "\x00 no token \ud800"
        if spoil == "expired":
            house.clock.advance(timedelta(days=180))
        if spoil == "ended":
            house.device_passes().forget_all_of(user.id)
        assert assert_success(house.verify(device_token=device_token)).known_by is None

    def test_a_pass_that_ended_meanwhile_confirms_nobody(self, house: House) -> None:
        user = house.account()
        verified = assert_success(house.verify(device_token=house.known_device(user)))
        house.device_passes().forget_all_of(user.id)
        assert house.credentials().confirm(verified) is None

    def test_a_strangers_success_makes_the_device_known(self, house: House) -> None:
        user = house.account()
        device_token = house.credentials().remember(Verified(user))
        assert assert_success(house.verify(device_token=device_token)).known_by is not None

    def test_a_known_device_keeps_its_pass_and_lives_on(self, house: House) -> None:
        user = house.account()
        device_token = house.known_device(user)
        house.clock.advance(timedelta(days=100))
        verified = assert_success(house.verify(device_token=device_token))
        assert house.credentials().remember(verified) == device_token
        house.clock.advance(timedelta(days=100))
        assert assert_success(house.verify(device_token=device_token)).known_by is not None

    def test_of_many_passes_those_that_were_used_stay(self, house: House) -> None:
        user = house.account()
        device_token = house.known_device(user)
        house.credentials().remember(assert_success(house.verify(device_token=device_token)))
        for _ in range(60):
            house.known_device(user)
        assert len(house.passes.passes) == 50
        assert assert_success(house.verify(device_token=device_token)).known_by is not None

    def test_a_new_pass_lives_though_all_others_were_used(self, house: House) -> None:
        user = house.account()
        for _ in range(50):
            verified = assert_success(house.verify(device_token=house.known_device(user)))
            house.credentials().remember(verified)
        newest = house.known_device(user)
        assert len(house.passes.passes) == 50
        assert assert_success(house.verify(device_token=newest)).known_by is not None

    @pytest.mark.parametrize("known_by", [KnownBy(Known.SESSION, ID), KnownBy(Known.LINK, ID)])
    def test_a_session_and_a_link_have_counts_of_their_own(
        self, house: House, known_by: KnownBy
    ) -> None:
        house.account()
        house.fail(4, known_by=known_by)
        assert house.guard.counts == {f"{known_by.kind}:{ID}": FailureCount(4)}
        house.fail(1, known_by=known_by)
        assert house.reason(known_by=known_by) == "locked"
        assert house.verify().is_success


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
        answer = house.verify(email, PASSWORD if state["right password"] else "wrong")
        told = answer.value.user if answer.is_success else answer.error.reason
        failed = [reason for reason, held in zip(REASONS, holds, strict=True) if not held]
        assert told == (failed[0] if failed else account)
        assert answer.is_success or answer.error.message == SignInRefused.because("", None).message
        assert len(house.passwords.verified) == 1
