from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.keys import KeyRing
from core.result import Result
from sessions_app.application.authenticating import AccessTokenAuthenticator
from sessions_app.domain.tokens import tokens_of
from sessions_app.ports import SessionWithUser
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON
from tests.fakes.clock import FakeClock
from tests.fakes.sessions import SessionHouse
from tests.fakes.users import KEYS

MOMENT = timedelta(microseconds=1)


@dataclass
class House(SessionHouse):
    def refresh(self) -> None:
        refreshed = self.session.refreshed(key_id=self.session.key_id, now=self.clock.now())
        self.sessions.sessions[self.session_id] = refreshed

    def token(self) -> str:
        return tokens_of(self.session, KEYS).access_token

    def authenticator(self) -> AccessTokenAuthenticator:
        return AccessTokenAuthenticator(session_reader=self.sessions, keys=KEYS, clock=self.clock)

    def authenticate(self, text: str) -> Result[SessionWithUser, DomainError]:
        return self.authenticator().authenticate(text)


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestAccessToken:
    """Uses fixtures: house."""

    def test_it_tells_the_session_and_the_account(self, house: House) -> None:
        found = assert_success(house.authenticate(house.token()))
        assert (found.session.id, found.user) == (house.session_id, house.user)

    def test_it_is_accepted_until_fifteen_minutes_are_over(self, house: House) -> None:
        house.clock.advance(timedelta(minutes=15) - MOMENT)
        assert assert_success(house.authenticate(house.token())).user == house.user

    @pytest.mark.conforms("S31")
    def test_it_is_refused_after_fifteen_minutes(self, house: House) -> None:
        house.clock.advance(timedelta(minutes=15))
        assert_failure(house.authenticate(house.token()), ErrorCode.INVALID_TOKEN)

    def test_after_a_refresh_the_one_before_has_ten_seconds(self, house: House) -> None:
        text = house.token()
        house.refresh()
        house.clock.advance(timedelta(seconds=10) - MOMENT)
        assert assert_success(house.authenticate(text)).user == house.user
        house.clock.advance(MOMENT)
        assert_failure(house.authenticate(text), ErrorCode.INVALID_TOKEN)

    @pytest.mark.parametrize("text", ["", "Bearer", "dsh_access_" + "A" * 70, "\x00", "\ud800"])
    def test_what_was_not_made_here_is_refused(self, house: House, text: str) -> None:
        assert_failure(house.authenticate(text), ErrorCode.INVALID_TOKEN)

    def test_a_token_under_another_key_is_refused(self, house: House) -> None:
        forged = tokens_of(house.session, KeyRing("1", {"1": b"x" * 32})).access_token
        assert_failure(house.authenticate(forged), ErrorCode.INVALID_TOKEN)

    @pytest.mark.conforms("S31")
    def test_a_refresh_token_opens_no_door(self, house: House) -> None:
        refresh_token = tokens_of(house.session, KEYS).refresh_token
        assert_failure(house.authenticate(refresh_token), ErrorCode.INVALID_TOKEN)

    @pytest.mark.conforms("S6", "S8")
    @pytest.mark.parametrize(
        "change",
        [
            {"revoked_at": NOON},
            {"last_seen_at": NOON - timedelta(days=14)},
            {"created_at": NOON - timedelta(days=30)},
        ],
        ids=str,
    )
    def test_a_session_that_is_over_is_refused_at_once(
        self, house: House, change: dict[str, Any]
    ) -> None:
        text = house.token()
        house.is_now(**change)
        assert_failure(house.authenticate(text), ErrorCode.INVALID_TOKEN)

    @pytest.mark.conforms("S8")
    @pytest.mark.parametrize(
        "change", [{"is_active": False}, {"is_verified": False}, {"token_version": 2}], ids=str
    )
    def test_an_account_that_changed_is_refused_at_once(
        self, house: House, change: dict[str, Any]
    ) -> None:
        house.account_is_now(**change)
        assert_failure(house.authenticate(house.token()), ErrorCode.INVALID_TOKEN)

    def test_a_refusal_leaves_no_trace_on_the_session(self, house: House) -> None:
        before = house.session
        forged = tokens_of(house.session, KeyRing("1", {"1": b"x" * 32})).access_token
        house.clock.advance(timedelta(minutes=2))
        house.authenticate(forged)
        assert house.session == before


class TestBeingSeen:
    """Uses fixtures: house."""

    def test_the_first_use_of_a_generation_is_noted(self, house: House) -> None:
        now = house.clock.advance(timedelta(seconds=5))
        house.authenticate(house.token())
        assert house.session.first_used_at == now

    def test_a_later_use_is_not_the_first(self, house: House) -> None:
        house.is_now(first_used_at=NOON)
        house.clock.advance(timedelta(seconds=5))
        house.authenticate(house.token())
        assert house.session.first_used_at == NOON

    def test_the_use_of_the_generation_before_is_not_the_first_of_this_one(
        self, house: House
    ) -> None:
        text = house.token()
        house.refresh()
        assert_success(house.authenticate(text))
        assert house.session.first_used_at is None

    def test_a_session_is_seen_once_a_minute(self, house: House) -> None:
        house.clock.advance(timedelta(minutes=1) - MOMENT)
        house.authenticate(house.token())
        assert house.session.last_seen_at == NOON
        now = house.clock.advance(MOMENT)
        house.authenticate(house.token())
        assert house.session.last_seen_at == now


class TestBrowser:
    """Uses fixtures: house."""

    def test_a_session_that_the_server_remembers_needs_no_token(self, house: House) -> None:
        found = assert_success(house.authenticator().authenticate_browser(house.session_id))
        assert found.user == house.user

    def test_a_browser_that_is_used_outlives_an_access_token(self, house: House) -> None:
        house.clock.advance(timedelta(days=13))
        found = house.authenticator().authenticate_browser(house.session_id)
        assert assert_success(found).user == house.user
        assert house.session.last_seen_at == house.clock.now()

    def test_a_session_that_is_not_there_is_refused(self, house: House) -> None:
        found = house.authenticator().authenticate_browser(uuid7())
        assert_failure(found, ErrorCode.INVALID_TOKEN)

    def test_a_revoked_session_is_refused_at_once(self, house: House) -> None:
        house.is_now(revoked_at=NOON)
        found = house.authenticator().authenticate_browser(house.session_id)
        assert_failure(found, ErrorCode.INVALID_TOKEN)

    def test_an_account_that_was_deactivated_is_refused_at_once(self, house: House) -> None:
        house.account_is_now(is_active=False)
        found = house.authenticator().authenticate_browser(house.session_id)
        assert_failure(found, ErrorCode.INVALID_TOKEN)
