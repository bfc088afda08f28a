"""Device sessions, personal tokens and rotations: what their ports promise."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from core.ids import uuid7
from sessions_app.domain.personal_token import PersonalToken, Scope
from sessions_app.domain.session import DeviceSession, EndReason, SessionKind
from sessions_app.ports import (
    PersonalTokenReader,
    PersonalTokenRepository,
    PersonalTokenWithUser,
    RotationRepository,
    SessionReader,
    SessionRepository,
)
from tests.factories import NOON, make_session
from users.domain.user import User

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


class SessionContract:
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


class RefreshContract:
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


class EndContract:
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


class TouchContract:
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


@dataclass(frozen=True)
class TokenStore:
    """One implementation of both ports; `user` is somebody who has an account in it."""

    tokens: PersonalTokenRepository
    reader: PersonalTokenReader
    user: User
    other: User

    def made(self, **over: Any) -> PersonalToken:
        values: dict[str, Any] = {
            "user_id": self.user.id,
            "name": "backup",
            "scope": Scope.READ,
            "created_at": NOON,
            "expires_at": NOON + ABSOLUTE,
            "key_id": "1",
            "salt": b"s" * 32,
            "version": 1,
        }
        token = PersonalToken(**values | over)
        self.tokens.save(token)
        return token

    def now(self, token: PersonalToken) -> PersonalToken:
        found = self.reader.find(token.id)
        assert found is not None
        return found.token


class PersonalTokenContract:
    """Uses fixtures: store."""

    def test_what_was_saved_is_found_with_its_account(self, store: TokenStore) -> None:
        token = store.made(scope=Scope.WRITE, rotation=0, version=3)
        assert store.reader.find(token.id) == PersonalTokenWithUser(token, store.user)

    def test_one_that_is_not_there_is_not_found(self, store: TokenStore) -> None:
        assert store.reader.find(uuid7()) is None

    @pytest.mark.parametrize(
        ("over", "live"),
        [
            ({}, True),
            ({"revoked_at": NOON}, False),
            ({"expires_at": NOON + MOMENT}, True),
            ({"expires_at": NOON}, False),
        ],
        ids=str,
    )
    def test_the_store_and_the_entity_agree_on_what_is_live(
        self, store: TokenStore, over: dict[str, Any], live: bool
    ) -> None:
        token = store.made(**over)
        store.made(user_id=store.other.id)
        assert token.is_live(NOON) is live
        assert store.tokens.count_live(store.user.id, NOON) == int(live)

    def test_it_ends_once(self, store: TokenStore) -> None:
        token = store.made()
        assert store.tokens.end(token.id, store.user.id, LATER) is True
        assert store.tokens.end(token.id, store.user.id, LATER + MOMENT) is False
        assert store.now(token) == replace(token, revoked_at=LATER)

    def test_somebody_elses_does_not_end(self, store: TokenStore) -> None:
        token = store.made()
        assert store.tokens.end(token.id, store.other.id, LATER) is False
        assert store.now(token) == token

    def test_one_that_is_over_does_not_end_again(self, store: TokenStore) -> None:
        token = store.made(expires_at=LATER)
        assert store.tokens.end(token.id, store.user.id, LATER) is False

    def test_what_was_over_before_is_purged(self, store: TokenStore) -> None:
        over = [store.made(expires_at=NOON - MOMENT), store.made(revoked_at=NOON - MOMENT)]
        kept = [store.made(), store.made(expires_at=NOON), store.made(revoked_at=NOON)]
        assert store.tokens.count_over(NOON) == 2
        assert store.tokens.purge(NOON) == 2
        assert [store.reader.find(each.id) is None for each in over + kept] == [True] * 2 + [
            False
        ] * 3

    def test_its_use_is_noted_once_a_minute(self, store: TokenStore) -> None:
        token, minute = store.made(), timedelta(minutes=1)
        store.reader.touch(token, NOON)
        store.reader.touch(store.now(token), NOON + minute - MOMENT)
        assert store.now(token).last_used_at == NOON
        store.reader.touch(store.now(token), NOON + minute)
        assert store.now(token).last_used_at == NOON + minute


@dataclass(frozen=True)
class RotationStore:
    rotations: RotationRepository
    user: User
    other: User

    def last(self) -> tuple[int, int]:
        return self.rotations.last(self.user.id), self.rotations.last(self.other.id)


class RotationContract:
    """Uses fixtures: store."""

    def test_nobody_was_rotated_at_first(self, store: RotationStore) -> None:
        assert store.last() == (0, 0)

    def test_ones_own_and_those_of_everybody_count(self, store: RotationStore) -> None:
        """The numbers grow; how far, is the store's affair."""
        numbers = []
        for whom in (store.user.id, store.other.id, None):
            store.rotations.add(whom, LATER, NOON)
            numbers.append(store.last())
        (mine, nothing), (still_mine, other), (all_of_me, all_of_other) = numbers
        assert (nothing, still_mine) == (0, mine)
        assert 0 < mine < other < all_of_me == all_of_other
