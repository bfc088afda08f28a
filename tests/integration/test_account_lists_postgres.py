"""What is read of accounts and sessions for lists."""

from datetime import timedelta
from typing import Any

import pytest

from core import container
from core.ids import uuid7
from sessions_app.queries import recorded_sessions
from sessions_app.repositories import DjangoSessionRepository
from tests.factories import NOON, UserFactory, arranged, make_session
from users import wiring
from users.mapping import user_entity
from users.models import User
from users.ports import UserCriteria
from users.queries import DjangoUserDirectory, count_locks, locked_among, user_id_of
from users.repositories.sign_in import DjangoSignInGuard

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def ada(db: None) -> User:
    return UserFactory.create(email="ada@example.com")


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory.create(email="bob@example.net")


def found(**criteria: Any) -> list[str]:
    return [user.email for user in DjangoUserDirectory().page(UserCriteria(**criteria), None, 10)]


def lock(user: User, counted: str) -> None:
    guard = DjangoSignInGuard(container.get_database(), container.get_settings().guard_key)
    with arranged():
        guard.lock(counted, LATER, NOON, user.pk)


class TestAccounts:
    """Uses fixtures: ada, bob."""

    @pytest.mark.parametrize("part", ["EXAMPLE.COM", "ada@", "da@ex"])
    def test_a_part_of_an_address_is_enough_in_any_case(
        self, ada: User, bob: User, part: str
    ) -> None:
        assert found(email_part=part) == [ada.email]

    @pytest.mark.parametrize("part", ["%", "_", "nobody"])
    def test_what_stands_for_others_to_sql_does_not_here(self, ada: User, part: str) -> None:
        assert found(email_part=part) == []

    def test_an_address_in_any_case_or_an_id_names_an_account(self, ada: User) -> None:
        nobody = uuid7()
        assert [user_id_of(text) for text in ("ADA@example.com", str(ada.pk))] == [ada.pk] * 2
        assert user_id_of("nobody@example.com") is None
        assert user_id_of(str(nobody)) == nobody

    def test_the_locked_are_locked_until_their_time(self, ada: User, bob: User) -> None:
        lock(ada, ada.email)
        lock(ada, "one of the devices")
        assert (found(locked_at=NOON), found(locked_at=LATER)) == ([ada.email], [])
        assert locked_among([ada.pk, bob.pk], NOON) == {ada.pk}
        assert [count_locks(user.pk, NOON) for user in (ada, bob)] == [2, 0]
        assert wiring.failures_of_strangers(user_entity(ada)).is_locked(NOON)
        assert not wiring.failures_of_strangers(user_entity(bob)).is_locked(NOON)


class TestSessions:
    """Uses fixtures: ada, bob."""

    def test_they_are_found_by_whose_they_are_and_whether_they_live(
        self, ada: User, bob: User
    ) -> None:
        long_ago = NOON - timedelta(days=60)
        live = make_session(user_id=ada.pk)
        over = make_session(user_id=ada.pk, created_at=long_ago, last_seen_at=long_ago)
        bobs = make_session(user_id=bob.pk)
        with arranged():
            for session in (live, over, bobs):
                DjangoSessionRepository(container.get_database()).save(session)

        def ids(**asked: Any) -> list[Any]:
            return [each.session.id for each in recorded_sessions(NOON, size=10, **asked)]

        assert ids() == [bobs.id, over.id, live.id]
        assert ids(user_id=ada.pk) == [over.id, live.id]
        assert (ids(is_live=True), ids(is_live=False)) == ([bobs.id, live.id], [over.id])
        assert [each.user.email for each in recorded_sessions(NOON, size=1)] == [bob.email]
