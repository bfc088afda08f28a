"""Device sessions: what their ports promise, of the fake and of the repository alike; then what
only PostgreSQL can show."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core import container
from core.database import Database
from core.ids import uuid7
from core.unit_of_work import UnitOfWorkError
from sessions_app import models, wiring
from sessions_app.adapters import UserAgentNames
from sessions_app.domain.session import DeviceSession, EndReason, SessionKind
from sessions_app.domain.tokens import tokens_of
from sessions_app.ports import SessionReader, SessionRepository
from sessions_app.queries import DjangoSessionReader, page_of_live_sessions
from sessions_app.repositories import DjangoSessionRepository
from tests.assertions import assert_success
from tests.factories import NOON, arranged, make_session, make_user
from tests.fakes.sessions import InMemorySessions
from users.domain.user import User
from users.repositories.accounts import DjangoUserRepository

MOMENT = timedelta(microseconds=1)
LATER = NOON + timedelta(hours=1)
IDLE = timedelta(days=14)
ABSOLUTE = timedelta(days=30)


@dataclass(frozen=True)
class Store:
    """One implementation of both ports; `user` is somebody who has an account in it."""

    sessions: SessionRepository
    reader: SessionReader
    user: User
    other: User

    def begun(self, **over: Any) -> DeviceSession:
        session = make_session(**{"user_id": self.user.id} | over)
        self.sessions.save(session)
        return session

    def now(self, session: DeviceSession) -> DeviceSession:
        found = self.reader.find(session.id)
        assert found is not None
        return found.session


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    user, other = make_user(), make_user(email="other@example.com")
    if request.param == "memory":
        memory = InMemorySessions(users={user.id: user, other.id: other})
        yield Store(memory, memory, user, other)
        return
    request.getfixturevalue("db")
    database = container.get_database()
    with arranged():
        assert_success(DjangoUserRepository(database).save(user))
        assert_success(DjangoUserRepository(database).save(other))
        yield Store(DjangoSessionRepository(database), DjangoSessionReader(), user, other)


WHOLE: dict[str, Any] = {
    "kind": SessionKind.BROWSER,
    "ip_address": "2001:db8::1",
    "location": "Uppsala",
    "generation": 7,
    "first_used_at": LATER,
    "previous_key_id": "0",
    "salt": bytes(range(32)),
    "version": 3,
    "revoked_at": LATER,
    "revoked_reason": EndReason.REUSE,
}


@pytest.mark.contract
class TestSessionRepository:
    """Uses fixtures: store."""

    def test_what_was_over_long_ago_is_purged(self, store: Store) -> None:
        month, long_ago = timedelta(days=31), NOON - timedelta(days=60)
        kept = [
            store.begun(),
            store.begun(revoked_at=NOON, revoked_reason=EndReason.REVOKED),
            store.begun(created_at=NOON - month),
        ]
        over = [
            store.begun(revoked_at=NOON - month, revoked_reason=EndReason.REVOKED),
            store.begun(last_seen_at=NOON - timedelta(days=16)),
            store.begun(created_at=long_ago),
        ]
        assert store.sessions.count_over(NOON - timedelta(days=1)) == 3
        assert store.sessions.purge(NOON - timedelta(days=1)) == 3
        assert [store.reader.find(each.id) is None for each in over] == [True] * 3
        assert [store.reader.find(each.id) is None for each in kept] == [False] * 3

    @pytest.mark.parametrize("over", [{}, WHOLE], ids=["bare", "whole"])
    def test_what_was_saved_is_found_and_locked_as_it_was(
        self, store: Store, over: dict[str, Any]
    ) -> None:
        session = store.begun(**over)
        assert store.now(session) == session
        assert store.sessions.lock(session.id) == session

    def test_a_session_is_found_with_its_account(self, store: Store) -> None:
        found = store.reader.find(store.begun().id)
        assert found is not None
        assert found.user == store.user

    def test_a_session_that_is_not_there_is_neither_found_nor_locked(self, store: Store) -> None:
        assert store.reader.find(uuid7()) is None
        assert store.sessions.lock(uuid7()) is None

    def test_live_sessions_come_oldest_first(self, store: Store) -> None:
        begun = [store.begun(), store.begun(), store.begun()]
        assert store.sessions.live_of(store.user.id, NOON) == begun

    def test_other_peoples_sessions_are_not_among_them(self, store: Store) -> None:
        store.begun(user_id=store.other.id)
        assert store.sessions.live_of(store.user.id, NOON) == []

    @pytest.mark.parametrize(
        ("over", "live"),
        [
            ({"revoked_at": NOON, "revoked_reason": EndReason.REVOKED}, False),
            ({"last_seen_at": NOON - IDLE + MOMENT}, True),
            ({"last_seen_at": NOON - IDLE}, False),
            ({"created_at": NOON - ABSOLUTE + MOMENT}, True),
            ({"created_at": NOON - ABSOLUTE}, False),
        ],
        ids=str,
    )
    def test_the_store_and_the_entity_agree_on_what_is_live(
        self, store: Store, over: dict[str, Any], live: bool
    ) -> None:
        session = store.begun(**over)
        assert session.is_live(NOON) is live
        assert (session in store.sessions.live_of(store.user.id, NOON)) is live


@pytest.mark.contract
class TestRefresh:
    """Uses fixtures: store."""

    def test_the_next_generation_is_kept(self, store: Store) -> None:
        before = store.begun(first_used_at=NOON)
        after = before.refreshed(key_id="2", now=LATER)
        assert store.sessions.refresh(before, after) is True
        assert store.now(before) == after

    def test_a_generation_is_followed_once(self, store: Store) -> None:
        before = store.begun()
        first = before.refreshed(key_id="1", now=NOON)
        store.sessions.refresh(before, first)
        second = before.refreshed(key_id="2", now=LATER)
        assert store.sessions.refresh(before, second) is False
        assert store.now(before) == first

    def test_a_session_that_was_ended_stays_ended(self, store: Store) -> None:
        before = store.begun()
        store.sessions.end(before.id, store.user.id, EndReason.REVOKED, NOON)
        ended = store.now(before)
        after = before.refreshed(key_id="1", now=NOON)
        assert store.sessions.refresh(before, after) is False
        assert store.now(before) == ended

    def test_a_session_that_is_not_there_is_not_refreshed(self, store: Store) -> None:
        session = make_session(user_id=store.user.id)
        after = session.refreshed(key_id="1", now=NOON)
        assert store.sessions.refresh(session, after) is False


@pytest.mark.contract
class TestEnd:
    """Uses fixtures: store."""

    @pytest.mark.parametrize("reason", EndReason)
    def test_a_session_ends_with_its_time_and_reason(self, store: Store, reason: EndReason) -> None:
        session = store.begun()
        assert store.sessions.end(session.id, store.user.id, reason, LATER) is True
        assert store.now(session) == replace(session, revoked_at=LATER, revoked_reason=reason)

    def test_a_session_ends_once_and_keeps_its_first_reason(self, store: Store) -> None:
        session = store.begun()
        store.sessions.end(session.id, store.user.id, EndReason.LIMIT, NOON)
        assert store.sessions.end(session.id, store.user.id, EndReason.REVOKED, LATER) is False
        assert store.now(session).revoked_reason is EndReason.LIMIT

    def test_somebody_elses_session_does_not_end(self, store: Store) -> None:
        session = store.begun()
        assert store.sessions.end(session.id, store.other.id, EndReason.REVOKED, NOON) is False
        assert store.now(session) == session

    def test_a_session_that_is_not_there_does_not_end(self, store: Store) -> None:
        assert store.sessions.end(uuid7(), store.user.id, EndReason.REVOKED, NOON) is False

    def test_other_sessions_live_on(self, store: Store) -> None:
        session, other = store.begun(), store.begun()
        store.sessions.end(session.id, store.user.id, EndReason.REVOKED, NOON)
        assert store.sessions.live_of(store.user.id, NOON) == [other]


@pytest.mark.contract
class TestTouch:
    """Uses fixtures: store."""

    def test_the_first_use_of_a_generation_is_kept(self, store: Store) -> None:
        session = store.begun()
        store.reader.touch(session, 1, NOON + MOMENT)
        assert store.now(session) == replace(session, first_used_at=NOON + MOMENT)

    def test_the_first_use_stays_the_first(self, store: Store) -> None:
        session = store.begun()
        store.reader.touch(session, 1, NOON)
        store.reader.touch(session, 1, NOON + MOMENT)
        assert store.now(session).first_used_at == NOON

    def test_an_older_generation_has_no_first_use(self, store: Store) -> None:
        session = store.begun(generation=7)
        store.reader.touch(session, 6, NOON)
        assert store.now(session) == session

    def test_being_seen_is_kept_once_a_minute(self, store: Store) -> None:
        session = store.begun(first_used_at=NOON)
        minute = NOON + timedelta(minutes=1)
        store.reader.touch(session, 1, minute - MOMENT)
        assert store.now(session) == session
        store.reader.touch(session, 1, minute)
        assert store.now(session) == replace(session, last_seen_at=minute)

    def test_a_refresh_in_between_begins_a_generation_that_is_still_unused(
        self, store: Store
    ) -> None:
        seen = store.begun()
        after = seen.refreshed(key_id="1", now=NOON)
        store.sessions.refresh(seen, after)
        store.reader.touch(seen, 1, NOON)
        assert store.now(seen) == after

    def test_an_ending_in_between_is_not_undone(self, store: Store) -> None:
        seen = store.begun()
        store.sessions.end(seen.id, store.user.id, EndReason.REVOKED, NOON)
        store.reader.touch(seen, 1, LATER)
        assert store.now(seen).revoked_at == NOON

    def test_a_late_request_does_not_set_back_when_the_session_was_seen(self, store: Store) -> None:
        seen = store.begun(first_used_at=NOON)
        store.reader.touch(seen, 1, LATER)
        store.reader.touch(seen, 1, LATER - MOMENT)
        assert store.now(seen).last_seen_at == LATER


@pytest.fixture
def people(db: None) -> tuple[User, User]:
    user, other = make_user(), make_user(email="other@example.com")
    with arranged():
        repo = DjangoUserRepository(container.get_database())
        assert_success(repo.save(user))
        assert_success(repo.save(other))
    return user, other


def begin(user: User, **over: Any) -> DeviceSession:
    session = make_session(user_id=user.id, **over)
    with arranged():
        DjangoSessionRepository(container.get_database()).save(session)
    return session


class TestPages:
    """Uses fixtures: people."""

    def test_the_newest_comes_first(self, people: tuple[User, User]) -> None:
        begun = [begin(people[0]) for _ in range(3)]
        page = page_of_live_sessions(people[0].id, NOON, before=None, size=50)
        assert page == begun[::-1]

    def test_a_page_is_no_longer_than_asked(self, people: tuple[User, User]) -> None:
        begun = [begin(people[0]) for _ in range(3)]
        page = page_of_live_sessions(people[0].id, NOON, before=None, size=2)
        assert page == [begun[2], begun[1]]

    def test_the_next_page_goes_on_where_the_one_before_ended(
        self, people: tuple[User, User]
    ) -> None:
        begun = [begin(people[0]) for _ in range(3)]
        page = page_of_live_sessions(people[0].id, NOON, before=begun[1].id, size=2)
        assert page == [begun[0]]

    def test_other_peoples_sessions_are_on_no_page(self, people: tuple[User, User]) -> None:
        begin(people[0])
        assert page_of_live_sessions(people[1].id, NOON, before=None, size=50) == []

    @pytest.mark.parametrize(
        "over",
        [{"revoked_at": NOON}, {"last_seen_at": NOON - IDLE}, {"created_at": NOON - ABSOLUTE}],
        ids=str,
    )
    def test_what_is_over_is_on_no_page(
        self, people: tuple[User, User], over: dict[str, Any]
    ) -> None:
        begin(people[0], **over)
        assert page_of_live_sessions(people[0].id, NOON, before=None, size=50) == []


class TestQueries:
    """Uses fixtures: people, frozen, django_assert_num_queries."""

    def test_a_request_in_the_steady_state_costs_one_query(
        self, people: tuple[User, User], django_assert_num_queries: Any
    ) -> None:
        now = datetime.now(NOON.tzinfo)
        used = {"last_seen_at": now, "generation_began_at": now, "first_used_at": now}
        session = begin(
            people[0], created_at=now, key_id=container.get_settings().token_keys.current, **used
        )
        text = tokens_of(session, container.get_settings().token_keys).access_token
        with django_assert_num_queries(1):
            found = wiring.authenticator().authenticate(text)
        assert assert_success(found).session == session

    @pytest.mark.parametrize("text", ["", "dsh_access_" + "A" * 69, "junk"])
    def test_what_is_no_token_costs_none(
        self, db: None, django_assert_num_queries: Any, text: str
    ) -> None:
        with django_assert_num_queries(0):
            found = wiring.authenticator().authenticate(text)
        assert found.is_success is False


class TestNothingToSteal:
    """Uses fixtures: people."""

    def test_no_row_holds_a_token(self, people: tuple[User, User]) -> None:
        keys = container.get_settings().token_keys
        session = begin(people[0], key_id=keys.current)
        row = repr(models.DeviceSession.objects.values_list().get())
        tokens = tokens_of(session, keys)
        assert session.device in row
        assert tokens.access_token[-40:] not in row
        assert tokens.refresh_token[-40:] not in row

    def test_a_write_outside_a_unit_of_work_is_a_mistake_in_the_code(
        self, people: tuple[User, User]
    ) -> None:
        session = begin(people[0])
        repo = DjangoSessionRepository(Database())
        with pytest.raises(UnitOfWorkError, match="No unit of work is open"):
            repo.end(session.id, people[0].id, EndReason.REVOKED, NOON)
        assert models.DeviceSession.objects.get().revoked_at is None


class TestDeviceNames:
    FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    IPHONE = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
    )

    @pytest.mark.parametrize(
        ("user_agent", "name"),
        [
            (FIREFOX, "Firefox on Linux"),
            (IPHONE, "Mobile Safari on iOS"),
            ("curl/8.5.0", "curl"),
            ("dashtam-sync 2.1", "dashtam-sync"),
            (None, "Unknown device"),
            ("", "Unknown device"),
            ("/", "Unknown device"),
            (" ", "Unknown device"),
        ],
    )
    def test_a_device_is_named_by_what_people_call_it(
        self, user_agent: str | None, name: str
    ) -> None:
        assert UserAgentNames().describe(user_agent) == name

    def test_a_long_name_fits_its_column(self) -> None:
        assert UserAgentNames().describe("x" * 10_000) == "x" * 128
