"""What the ports of accounts, one-use tokens, the guard and device passes promise; then what only
PostgreSQL can show."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections

from core import container
from core.database import Database
from core.keys import KeyRing
from core.unit_of_work import UnitOfWorkError
from tests.contracts.accounts import (
    OTHER_KEYS,
    DevicePassRepositoryContract,
    OneUseTokenRepositoryContract,
    Ports,
    SignInGuardContract,
    UserRepositoryContract,
)
from tests.factories import NOON, UserFactory, arranged, make_user
from users import models
from users.domain.lockout import FailureCount
from users.domain.tokens import Purpose
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


@pytest.fixture
def ports(db: None) -> Iterator[Ports]:
    database = container.get_database()
    with arranged():
        yield Ports(
            users=DjangoUserRepository(database),
            tokens=DjangoOneUseTokenRepository(database, KEYS),
            rotated=DjangoOneUseTokenRepository(database, OTHER_KEYS),
            guard=DjangoSignInGuard(database, GUARD_KEY),
            passes=DjangoDevicePassRepository(database),
        )


@pytest.mark.contract(of=UserRepository)
class TestUserRepository(UserRepositoryContract):
    pass


@pytest.mark.contract(of=OneUseTokenRepository)
class TestOneUseTokenRepository(OneUseTokenRepositoryContract):
    pass


@pytest.mark.contract(of=SignInGuard)
class TestSignInGuard(SignInGuardContract):
    pass


@pytest.mark.contract(of=DevicePassRepository)
class TestDevicePassRepository(DevicePassRepositoryContract):
    pass


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
