"""Accounts, one-use tokens, the count of failures and device passes: what their ports promise."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.errors import ErrorCode
from core.ids import uuid7
from core.keys import KeyRing
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from users.domain.device_pass import DevicePass
from users.domain.lockout import FailureCount
from users.domain.roles import Role, SessionTier
from users.domain.tokens import OneUseToken, Purpose
from users.domain.user import User
from users.ports import DevicePassRepository, OneUseTokenRepository, SignInGuard, UserRepository

EMAIL = "test@example.com"
KEYS = KeyRing("1", {"1": b"k" * 32})
OTHER_KEYS = KeyRing("2", {"2": b"l" * 32})
MOMENT = timedelta(microseconds=1)
DAY = timedelta(hours=24)
LOCK = timedelta(minutes=15)


@dataclass(frozen=True)
class Ports:
    """One implementation of each, over the same store."""

    users: UserRepository
    tokens: OneUseTokenRepository
    rotated: OneUseTokenRepository
    guard: SignInGuard
    passes: DevicePassRepository


class UserRepositoryContract:
    """Uses fixtures: ports."""

    @pytest.mark.parametrize(
        "over",
        [
            {},
            {"is_verified": False, "is_active": False},
            {
                "role": Role.ADMIN,
                "session_tier": SessionTier.PRO,
                "max_sessions": 7,
                "token_version": 3,
                "updated_at": NOON + DAY,
            },
        ],
    )
    def test_what_was_saved_is_found_as_it_was(self, ports: Ports, over: dict[str, Any]) -> None:
        user = make_user(**over)
        assert_success(ports.users.save(user))
        assert ports.users.find_by_id(user.id) == user

    @pytest.mark.parametrize("spelling", [EMAIL, "TEST@Example.COM"])
    def test_it_is_found_by_its_address_in_any_case(self, ports: Ports, spelling: str) -> None:
        user = make_user(email=EMAIL)
        ports.users.save(user)
        assert ports.users.find_by_email(spelling) == user

    @pytest.mark.parametrize(
        "email", ["other@example.com", "est@example.com", "%", "t_st@example.com"]
    )
    def test_another_address_finds_nobody(self, ports: Ports, email: str) -> None:
        ports.users.save(make_user(email=EMAIL))
        assert ports.users.find_by_email(email) is None

    def test_an_id_that_is_not_there_finds_and_locks_nobody(self, ports: Ports) -> None:
        assert ports.users.find_by_id(uuid7()) is None
        assert ports.users.lock(uuid7()) is None

    @pytest.mark.parametrize("email", [EMAIL, "TEST@example.com"])
    def test_an_address_is_saved_once_whatever_its_case(self, ports: Ports, email: str) -> None:
        first = make_user(email=EMAIL)
        ports.users.save(first)
        second = make_user(email=email)
        assert_failure(ports.users.save(second), ErrorCode.EMAIL_ALREADY_EXISTS)
        assert ports.users.find_by_email(EMAIL) == first
        assert ports.users.find_by_id(second.id) is None

    def test_a_refused_save_leaves_the_transaction_usable(self, ports: Ports) -> None:
        ports.users.save(make_user(email=EMAIL))
        ports.users.save(make_user(email=EMAIL))
        third = make_user(email="third@example.com")
        assert_success(ports.users.save(third))
        assert ports.users.find_by_id(third.id) == third

    def test_a_locked_account_is_the_account(self, ports: Ports) -> None:
        user = make_user()
        ports.users.save(user)
        assert ports.users.lock(user.id) == user

    def test_marking_verified_changes_that_and_its_date_alone(self, ports: Ports) -> None:
        user, other = (
            make_user(is_verified=False),
            make_user(email="o@example.com", is_verified=False),
        )
        ports.users.save(user)
        ports.users.save(other)
        ports.users.mark_verified(user.id, NOON + DAY)
        assert ports.users.find_by_id(user.id) == replace(
            user, is_verified=True, updated_at=NOON + DAY
        )
        assert ports.users.find_by_id(other.id) == other

    @pytest.mark.parametrize(
        ("role", "exists"), [(Role.USER, False), (Role.AUDITOR, False), (Role.ADMIN, True)]
    )
    def test_only_an_admin_is_an_admin(self, ports: Ports, role: Role, exists: bool) -> None:
        ports.users.save(make_user(role=role))
        assert ports.users.admin_exists() is exists

    def test_a_changed_account_is_found_as_it_is_now(self, ports: Ports) -> None:
        user = make_user()
        ports.users.save(user)
        changed = make_user(
            id=user.id, email="new@example.com", password_hash="x", is_active=False, max_sessions=3
        )
        assert_success(ports.users.update(changed))
        assert ports.users.find_by_id(user.id) == changed

    def test_the_address_of_another_account_is_refused(self, ports: Ports) -> None:
        user = make_user()
        ports.users.save(user)
        ports.users.save(make_user(email="taken@example.com"))
        refused = ports.users.update(make_user(id=user.id, email="TAKEN@example.com"))
        assert_failure(refused, ErrorCode.EMAIL_ALREADY_EXISTS)
        assert ports.users.find_by_id(user.id) == user

    def test_a_deleted_account_is_found_no_more(self, ports: Ports) -> None:
        user = make_user()
        ports.users.save(user)
        ports.users.delete(user.id)
        assert ports.users.find_by_id(user.id) is None

    def test_admins_are_those_who_can_sign_in_as_such(self, ports: Ports) -> None:
        admin, second = (make_user(email=f"{n}@example.com", role=Role.ADMIN) for n in range(2))
        others: list[dict[str, Any]] = [
            {"role": Role.AUDITOR},
            {"role": Role.ADMIN, "is_active": False},
            {"role": Role.ADMIN, "is_verified": False},
        ]
        for n, over in enumerate(others):
            ports.users.save(make_user(email=f"other{n}@example.com", **over))
        ports.users.save(second)
        ports.users.save(admin)
        assert ports.users.lock_admins() == [admin, second]


class OneUseTokenRepositoryContract:
    """Uses fixtures: ports."""

    def issue(self, ports: Ports, purpose: Purpose = Purpose.EMAIL_VERIFICATION) -> OneUseToken:
        user = make_user(email=f"{uuid7().hex}@example.com")
        ports.users.save(user)
        return ports.tokens.issue(purpose, user.id, NOON)

    def is_open(self, ports: Ports, token: OneUseToken) -> bool:
        found = ports.tokens.find_by_id(token.id)
        assert found is not None
        return found.is_spendable(NOON)

    def test_what_was_issued_is_found_by_its_text(self, ports: Ports) -> None:
        token = self.issue(ports)
        assert ports.tokens.find(token.text(KEYS), Purpose.EMAIL_VERIFICATION) == token

    def test_what_was_issued_is_found_by_its_id(self, ports: Ports) -> None:
        token = self.issue(ports)
        assert ports.tokens.find_by_id(token.id) == token

    def test_a_token_may_belong_to_nobody(self, ports: Ports) -> None:
        token = ports.tokens.issue(Purpose.FIRST_ADMIN, None, NOON)
        assert ports.tokens.find_by_id(token.id) == token

    @pytest.mark.conforms("S4")
    def test_two_tokens_share_neither_text_nor_salt(self, ports: Ports) -> None:
        first, second = self.issue(ports), self.issue(ports)
        assert first.text(KEYS) != second.text(KEYS)
        assert first.salt != second.salt
        assert len(first.salt) == 32

    @pytest.mark.conforms("S31")
    def test_a_token_is_not_found_for_another_purpose(self, ports: Ports) -> None:
        text = self.issue(ports).text(KEYS)
        assert ports.tokens.find(text, Purpose.FIRST_ADMIN) is None

    @pytest.mark.parametrize("text", ["", "dsh_once_" + "A" * 64, "\x00", "\ud800", "é"])
    def test_what_was_not_issued_is_not_found(self, ports: Ports, text: str) -> None:
        assert ports.tokens.find(text, Purpose.EMAIL_VERIFICATION) is None

    def test_a_forged_token_is_not_found(self, ports: Ports) -> None:
        forged = self.issue(ports).text(KeyRing("1", {"1": b"x" * 32}))
        assert ports.tokens.find(forged, Purpose.EMAIL_VERIFICATION) is None

    def test_a_token_under_a_key_that_is_gone_is_not_found(self, ports: Ports) -> None:
        text = self.issue(ports).text(KEYS)
        assert ports.rotated.find(text, Purpose.EMAIL_VERIFICATION) is None

    def test_a_token_is_redeemed_once(self, ports: Ports) -> None:
        token = self.issue(ports)
        assert ports.tokens.redeem(token.id, NOON) is True
        assert ports.tokens.redeem(token.id, NOON) is False
        assert ports.tokens.find_by_id(token.id) == token.spent(NOON)

    @pytest.mark.parametrize(
        ("now", "redeemed"), [(NOON + DAY - MOMENT, True), (NOON + DAY, False)]
    )
    def test_a_token_is_redeemed_before_it_expires(
        self, ports: Ports, now: datetime, redeemed: bool
    ) -> None:
        assert ports.tokens.redeem(self.issue(ports).id, now) is redeemed

    def test_a_token_that_is_not_there_is_not_redeemed(self, ports: Ports) -> None:
        assert ports.tokens.redeem(uuid7(), NOON) is False

    def test_superseding_spends_what_is_open_for_that_purpose_alone(self, ports: Ports) -> None:
        link = self.issue(ports, Purpose.FIRST_ADMIN)
        mailed = self.issue(ports, Purpose.EMAIL_VERIFICATION)
        ports.tokens.supersede(Purpose.FIRST_ADMIN, NOON)
        assert (self.is_open(ports, link), self.is_open(ports, mailed)) == (False, True)

    def test_superseding_keeps_when_a_token_was_spent(self, ports: Ports) -> None:
        link = self.issue(ports, Purpose.FIRST_ADMIN)
        ports.tokens.redeem(link.id, NOON)
        ports.tokens.supersede(Purpose.FIRST_ADMIN, NOON + DAY)
        assert ports.tokens.find_by_id(link.id) == link.spent(NOON)

    def test_all_open_tokens_of_one_person_are_superseded(self, ports: Ports) -> None:
        users, tokens = ports.users, ports.tokens
        one, two = make_user(), make_user(email="other@example.com")
        users.save(one)
        users.save(two)
        issued = [
            tokens.issue(Purpose.PASSWORD_RESET, one.id, NOON),
            tokens.issue(Purpose.EMAIL_CHANGE, one.id, NOON, "new@example.com"),
            tokens.issue(Purpose.PASSWORD_RESET, two.id, NOON),
        ]
        tokens.supersede_all_of(one.id, NOON)
        now = [tokens.find_by_id(token.id) for token in issued]
        assert [token.spent_at for token in now if token] == [NOON, NOON, None]
        assert [token.email for token in now if token] == [None] * 3

    def test_the_address_of_a_change_is_kept_until_it_is_made(self, ports: Ports) -> None:
        users, tokens = ports.users, ports.tokens
        user = make_user()
        users.save(user)
        token = tokens.issue(Purpose.EMAIL_CHANGE, user.id, NOON, "new@example.com")
        assert tokens.find_by_id(token.id) == token
        assert tokens.redeem(token.id, NOON) is True
        spent = tokens.find_by_id(token.id)
        assert spent is not None
        assert spent.email is None

    def test_only_what_expired_before_is_purged(self, ports: Ports) -> None:
        tokens = ports.tokens
        over = tokens.issue(Purpose.FIRST_ADMIN, None, NOON - timedelta(days=2))
        fresh = tokens.issue(Purpose.FIRST_ADMIN, None, NOON)
        assert (tokens.count_expired(NOON), tokens.purge(NOON)) == (1, 1)
        assert [tokens.find_by_id(each.id) for each in (over, fresh)] == [None, fresh]


def saved(ports: Ports, email: str = EMAIL) -> User:
    user = make_user(email=email)
    assert_success(ports.users.save(user))
    return user


class SignInGuardContract:
    """Uses fixtures: ports."""

    def test_nobody_has_failed_at_first(self, ports: Ports) -> None:
        assert ports.guard.count(EMAIL) == FailureCount()

    def test_a_failure_is_counted(self, ports: Ports) -> None:
        first, second = FailureCount(1), FailureCount(2)
        assert ports.guard.record_failure(EMAIL, NOON) == (FailureCount(), first)
        assert ports.guard.record_failure(EMAIL, NOON) == (first, second)
        assert ports.guard.count(EMAIL) == FailureCount(2)

    def test_the_fifth_failure_locks(self, ports: Ports) -> None:
        for _ in range(5):
            ports.guard.record_failure(EMAIL, NOON)
        assert ports.guard.count(EMAIL) == FailureCount(5, NOON + LOCK)

    def test_a_failure_during_a_lock_does_not_prolong_it(self, ports: Ports) -> None:
        for _ in range(5):
            ports.guard.record_failure(EMAIL, NOON)
        locked = FailureCount(5, NOON + LOCK)
        assert ports.guard.record_failure(EMAIL, NOON + MOMENT) == (locked, locked)

    def test_the_row_goes_on_after_a_lock(self, ports: Ports) -> None:
        for _ in range(5):
            ports.guard.record_failure(EMAIL, NOON)
        ports.guard.record_failure(EMAIL, NOON + LOCK)
        assert ports.guard.count(EMAIL).failures == 6

    def test_each_address_has_a_count_of_its_own(self, ports: Ports) -> None:
        ports.guard.record_failure(EMAIL, NOON)
        assert ports.guard.count("other@example.com") == FailureCount()

    def test_clearing_forgets_one_address(self, ports: Ports) -> None:
        ports.guard.record_failure(EMAIL, NOON)
        ports.guard.record_failure("other@example.com", NOON)
        ports.guard.clear(EMAIL)
        assert ports.guard.count(EMAIL) == FailureCount()
        assert ports.guard.count("other@example.com") == FailureCount(1)

    def test_counts_that_were_quiet_since_long_are_forgotten(self, ports: Ports) -> None:
        ports.guard.record_failure(EMAIL, NOON)
        ports.guard.record_failure("other@example.com", NOON + DAY)
        assert ports.guard.count_quiet(NOON + MOMENT) == 1
        assert ports.guard.purge(NOON + MOMENT) == 1
        assert ports.guard.count(EMAIL) == FailureCount()
        assert ports.guard.count("other@example.com") == FailureCount(1)

    def test_a_lock_keeps_the_failures(self, ports: Ports) -> None:
        owner, until = saved(ports).id, NOON + DAY
        ports.guard.lock(EMAIL, until, NOON, owner)
        assert ports.guard.count(EMAIL) == FailureCount(0, until)
        ports.guard.clear(EMAIL)
        ports.guard.record_failure(EMAIL, NOON)
        ports.guard.lock(EMAIL, until, NOON, owner)
        assert ports.guard.count(EMAIL) == FailureCount(1, until)

    def test_all_that_is_counted_for_an_account_is_forgotten_together(self, ports: Ports) -> None:
        owner, other = saved(ports).id, saved(ports, "other@example.com").id
        ports.guard.record_failure(EMAIL, NOON, owner)
        ports.guard.record_failure("device", NOON)  # nobody's yet
        ports.guard.record_failure("device", NOON, owner)
        ports.guard.lock("session", NOON + DAY, NOON, owner)
        ports.guard.record_failure("other@example.com", NOON, other)
        ports.guard.clear_all_of(owner)
        left = [ports.guard.count(each) for each in (EMAIL, "device", "session")]
        assert left == [FailureCount()] * 3
        assert ports.guard.count("other@example.com") == FailureCount(1)

    def test_clearing_what_is_clear_is_nothing(self, ports: Ports) -> None:
        ports.guard.clear(EMAIL)
        assert ports.guard.count(EMAIL) == FailureCount()


class DevicePassRepositoryContract:
    """Uses fixtures: ports."""

    def grant(self, ports: Ports, user: User, at: datetime = NOON) -> DevicePass:
        granted = DevicePass.grant(user.id, salt=b"s" * 32, now=at)
        ports.passes.save(granted)
        return granted

    def somebody(self, ports: Ports, email: str = EMAIL) -> User:
        user = make_user(email=email)
        ports.users.save(user)
        return user

    def test_what_was_saved_is_found(self, ports: Ports) -> None:
        granted = self.grant(ports, self.somebody(ports))
        assert ports.passes.find(granted.id) == granted
        assert ports.passes.find(uuid7()) is None

    def test_its_use_is_noted(self, ports: Ports) -> None:
        granted = self.grant(ports, self.somebody(ports))
        used = granted.used(NOON + DAY)
        ports.passes.update(used)
        assert ports.passes.find(granted.id) == used

    def test_what_is_gone_is_not_made_again_by_its_use(self, ports: Ports) -> None:
        granted = self.grant(ports, user := self.somebody(ports))
        ports.passes.forget_all_of(user.id)
        ports.passes.update(granted.used(NOON))
        assert ports.passes.find(granted.id) is None

    def test_all_but_one_are_forgotten_and_nobody_elses(self, ports: Ports) -> None:
        user, other = self.somebody(ports), self.somebody(ports, "other@example.com")
        kept, gone, foreign = (self.grant(ports, each) for each in (user, user, other))
        assert ports.passes.forget_all_of(user.id, except_for=kept.id) == 1
        found = [ports.passes.find(each.id) for each in (kept, gone, foreign)]
        assert found == [kept, None, foreign]

    def test_of_the_surplus_the_unused_go_first_and_the_oldest_of_them(self, ports: Ports) -> None:
        user, other = self.somebody(ports), self.somebody(ports, "other@example.com")
        used, first, second, foreign = (
            self.grant(ports, each) for each in (user, user, user, other)
        )
        ports.passes.update(used.used(NOON))
        ports.passes.forget_surplus(user.id, keep=2)
        found = [ports.passes.find(each.id) is not None for each in (used, first, second, foreign)]
        assert found == [True, False, True, True]

    def test_what_expired_is_purged(self, ports: Ports) -> None:
        user = self.somebody(ports)
        old, young = self.grant(ports, user), self.grant(ports, user, NOON + DAY)
        limit = old.expires_at + MOMENT
        assert ports.passes.count_expired(limit) == ports.passes.purge(limit) == 1
        assert (ports.passes.find(old.id), ports.passes.find(young.id)) == (None, young)
