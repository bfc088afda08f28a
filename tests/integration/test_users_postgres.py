"""Accounts, one-use tokens and the sign-in guard: what their ports promise, of the fake and of the
repository alike; then what only PostgreSQL can show."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections

from core import container
from core.database import Database
from core.errors import ErrorCode
from core.ids import uuid7
from core.keys import KeyRing
from core.unit_of_work import UnitOfWorkError
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, UserFactory, arranged, make_user
from tests.fakes.users import (
    InMemoryDevicePassRepository,
    InMemoryOneUseTokenRepository,
    InMemorySignInGuard,
    InMemoryUserRepository,
)
from users import models
from users.domain.device_pass import DevicePass
from users.domain.lockout import FailureCount
from users.domain.roles import Role, SessionTier
from users.domain.tokens import OneUseToken, Purpose
from users.domain.user import User
from users.ports import DevicePassRepository, OneUseTokenRepository, SignInGuard, UserRepository
from users.repositories.accounts import DjangoUserRepository
from users.repositories.sign_in import DjangoDevicePassRepository, DjangoSignInGuard
from users.repositories.tokens import DjangoOneUseTokenRepository

EMAIL = "test@example.com"
KEYS = KeyRing("1", {"1": b"k" * 32})
MOMENT = timedelta(microseconds=1)
DAY = timedelta(hours=24)
LOCK = timedelta(minutes=15)

GUARD_KEY = b"g" * 32


@dataclass(frozen=True)
class Ports:
    """One implementation of each, over the same store."""

    users: UserRepository
    tokens: OneUseTokenRepository
    rotated: OneUseTokenRepository
    guard: SignInGuard
    passes: DevicePassRepository


@pytest.fixture(params=["memory", "postgres"])
def ports(request: pytest.FixtureRequest) -> Iterator[Ports]:
    other = KeyRing("2", {"2": b"l" * 32})
    if request.param == "memory":
        tokens = InMemoryOneUseTokenRepository(KEYS)
        rotated = InMemoryOneUseTokenRepository(other, tokens.tokens)
        yield Ports(
            InMemoryUserRepository(),
            tokens,
            rotated,
            InMemorySignInGuard(),
            InMemoryDevicePassRepository(),
        )
        return
    request.getfixturevalue("db")
    database = container.get_database()
    with arranged():
        yield Ports(
            DjangoUserRepository(database),
            DjangoOneUseTokenRepository(database, KEYS),
            DjangoOneUseTokenRepository(database, other),
            DjangoSignInGuard(database, GUARD_KEY),
            DjangoDevicePassRepository(database),
        )


@pytest.mark.contract
class TestUserRepository:
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


@pytest.mark.contract
class TestOneUseTokenRepository:
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


@pytest.mark.contract
class TestSignInGuard:
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

    def test_clearing_what_is_clear_is_nothing(self, ports: Ports) -> None:
        ports.guard.clear(EMAIL)
        assert ports.guard.count(EMAIL) == FailureCount()


@pytest.mark.contract
class TestDevicePasses:
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


class TestDjangoUserRepository:
    """Uses fixtures: db, test_database."""

    def test_user_repository_save(self, test_database: Database) -> None:
        """The seed's example, with a real database."""
        repo = DjangoUserRepository(test_database)
        user = User(email="test@example.com")
        with arranged():
            repo.save(user)
        found = repo.find_by_email("test@example.com")
        assert found is not None
        assert found.id == user.id

    def test_a_write_outside_a_unit_of_work_is_a_mistake_in_the_code(self, db: None) -> None:
        repo = DjangoUserRepository(container.get_database())
        with pytest.raises(UnitOfWorkError, match="No unit of work is open"):
            repo.save(make_user())
        assert not models.User.objects.exists()

    def test_the_database_itself_refuses_an_address_that_differs_by_case_alone(
        self, db: None
    ) -> None:
        UserFactory.create(email="test@example.com")
        with pytest.raises(IntegrityError, match="users_email_unique"):
            UserFactory.create(email="TEST@example.com")

    def test_looking_for_an_address_uses_the_unique_index(
        self, db: None, django_assert_num_queries: Any
    ) -> None:
        repo = DjangoUserRepository(container.get_database())
        with django_assert_num_queries(1) as captured:
            repo.find_by_email("test@example.com")
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN " + captured.captured_queries[0]["sql"])
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "lower((email)::text) = 'test@example.com'::text" in plan
        assert "users_email_unique" in plan

    def test_a_stored_hash_is_kept_under_the_name_that_django_gives_it(self, db: None) -> None:
        user = make_user(password_hash="a hash")
        with arranged():
            DjangoUserRepository(container.get_database()).save(user)
        assert models.User.objects.get(pk=user.id).password == "a hash"


class TestNothingToSteal:
    """Uses fixtures: db."""

    def test_no_row_holds_a_tokens_text(self, db: None) -> None:
        with arranged():
            token = DjangoOneUseTokenRepository(container.get_database(), KEYS).issue(
                Purpose.FIRST_ADMIN, None, NOON
            )
        (row,) = models.OneUseToken.objects.values_list()
        secret = token.text(KEYS).removeprefix("dsh_once_")[22:]
        assert bytes(row[4]) == token.salt
        assert secret not in repr(row)

    def test_the_guard_does_not_keep_the_address(self, db: None) -> None:
        with arranged():
            DjangoSignInGuard(container.get_database(), GUARD_KEY).record_failure(EMAIL, NOON)
        (row,) = models.SignInGuard.objects.values_list()
        assert EMAIL.encode() not in bytes(row[0])
        assert len(bytes(row[0])) == 32

    def test_the_guards_key_cannot_be_made_without_the_servers(self, db: None) -> None:
        with arranged():
            DjangoSignInGuard(container.get_database(), GUARD_KEY).record_failure(EMAIL, NOON)
        other = DjangoSignInGuard(container.get_database(), b"x" * 32)
        assert other.count(EMAIL) == FailureCount()


class TestGuardBesideASignIn:
    """Uses fixtures: transactional_db."""

    def test_a_failure_is_counted_though_a_success_clears_the_row_beside_it(
        self, transactional_db: None
    ) -> None:
        guard = DjangoSignInGuard(container.get_database(), GUARD_KEY)
        with arranged():
            guard.record_failure(EMAIL, NOON)
        success = threading.Thread(target=clear_on_another_connection, args=[guard])

        def success_comes_between(execute: Any, sql: str, *rest: Any) -> Any:
            result = execute(sql, *rest)
            if sql.startswith('INSERT INTO "users_signinguard"'):
                success.start()
                success.join(0.1)
            return result

        with arranged(), connection.execute_wrapper(success_comes_between):
            _, count = guard.record_failure(EMAIL, NOON)
        success.join(5)
        assert count.failures in {1, 2}
        assert not success.is_alive()


def clear_on_another_connection(guard: DjangoSignInGuard) -> None:
    try:
        with arranged():
            guard.clear(EMAIL)
    finally:
        connections.close_all()
