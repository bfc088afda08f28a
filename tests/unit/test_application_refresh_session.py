from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from core.errors import DomainError, ErrorCode
from core.events import DomainEvent
from core.keys import KeyRing
from core.result import Result
from sessions_app.application.refreshing import RefreshSession, RefreshSessionHandler
from sessions_app.domain.events import SessionRefreshFailed, SessionRefreshSucceeded
from sessions_app.domain.session import DeviceSession, EndReason
from sessions_app.domain.tokens import TokenPair, tokens_of
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.sessions import InMemorySessions, RecordedNotices, SessionHouse
from tests.fakes.users import KEYS

MOMENT = timedelta(microseconds=1)


class RacedSessions(InMemorySessions):
    """By the time that the row is locked, it is as `becomes` says."""

    becomes: dict[str, Any]

    def lock(self, session_id: UUID) -> DeviceSession | None:
        self.sessions[session_id] = replace(self.sessions[session_id], **self.becomes)
        return super().lock(session_id)


class GoneSessions(InMemorySessions):
    def lock(self, session_id: UUID) -> DeviceSession | None:
        return None


@dataclass
class House(SessionHouse):
    bus: StubEventBus = field(default_factory=StubEventBus)
    keys: KeyRing = KEYS

    def token(self) -> str:
        return tokens_of(self.session, self.keys).refresh_token

    def use(self) -> None:
        """A request comes in with a token of the current generation."""
        self.sessions.touch(self.session, self.session.generation, self.clock.now())

    def refresh(self, text: str) -> Result[TokenPair, DomainError]:
        handler = RefreshSessionHandler(
            notices=RecordedNotices(),
            session_repo=self.sessions,
            session_reader=self.sessions,
            event_bus=self.bus,
            keys=self.keys,
            clock=self.clock,
        )
        return handler.handle(RefreshSession(refresh_token=text))

    def reason(self, text: str) -> str:
        assert_failure(self.refresh(text), ErrorCode.INVALID_GRANT)
        failed = self.bus.published_events[-1]
        assert isinstance(failed, SessionRefreshFailed)
        return failed.reason


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestSuccess:
    """Uses fixtures: house."""

    def test_the_next_generation_begins(self, house: House) -> None:
        before, text = house.session, house.token()
        now = house.clock.advance(timedelta(hours=1))
        assert_success(house.refresh(text))
        assert house.session == before.refreshed(key_id=KEYS.current, now=now)

    def test_its_tokens_are_handed_out(self, house: House) -> None:
        tokens = assert_success(house.refresh(house.token()))
        assert tokens == tokens_of(house.session, KEYS)

    def test_the_new_refresh_token_refreshes_again(self, house: House) -> None:
        tokens = assert_success(house.refresh(house.token()))
        assert_success(house.refresh(tokens.refresh_token))
        assert house.session.generation == 3

    def test_the_next_generation_is_made_under_the_current_key(self, house: House) -> None:
        text = house.token()
        house.keys = KeyRing("2", {"2": b"l" * 32, **KEYS.keys})
        tokens = assert_success(house.refresh(text))
        assert (house.session.key_id, house.session.previous_key_id) == ("2", "1")
        assert tokens == tokens_of(house.session, house.keys)

    def test_it_is_recorded_as_attempt_and_success(self, house: House) -> None:
        house.refresh(house.token())
        assert house.bus.names == ["SessionRefreshAttempted", "SessionRefreshSucceeded"]
        succeeded = house.bus.published_events[1]
        assert isinstance(succeeded, SessionRefreshSucceeded)
        assert (succeeded.user_id, succeeded.session_id) == (house.user.id, house.session_id)
        assert (succeeded.generation, succeeded.repeated) == (2, False)


class TestLostAnswer:
    """Uses fixtures: house."""

    @pytest.mark.conforms("S17")
    @pytest.mark.parametrize("waited", [timedelta(0), timedelta(hours=1), timedelta(days=13)])
    def test_the_same_successor_is_given_again(self, house: House, waited: timedelta) -> None:
        text = house.token()
        first = assert_success(house.refresh(text))
        house.clock.advance(waited)
        assert assert_success(house.refresh(text)) == first

    def test_repeating_extends_nothing(self, house: House) -> None:
        text = house.token()
        house.refresh(text)
        before = house.session
        house.clock.advance(timedelta(hours=1))
        house.refresh(text)
        assert house.session == before

    def test_the_repetition_is_on_record(self, house: House) -> None:
        text = house.token()
        house.refresh(text)
        house.refresh(text)
        succeeded = house.bus.published_events[-1]
        assert isinstance(succeeded, SessionRefreshSucceeded)
        assert (succeeded.generation, succeeded.repeated) == (2, True)

    def test_ten_seconds_after_the_successors_first_use_it_is_still_given(
        self, house: House
    ) -> None:
        text = house.token()
        first = assert_success(house.refresh(text))
        house.use()
        house.clock.advance(timedelta(seconds=10))
        assert assert_success(house.refresh(text)) == first

    def test_a_parallel_refresh_gets_the_same_successor(self, house: House) -> None:
        text = house.token()
        after = house.session.refreshed(key_id="1", now=NOON)
        raced = RacedSessions(house.sessions.sessions, house.sessions.users)
        raced.becomes = {
            "generation": 2,
            "generation_began_at": NOON,
            "previous_key_id": "1",
        }
        house.sessions = raced
        assert assert_success(house.refresh(text)) == tokens_of(after, KEYS)


class TestReuse:
    """Uses fixtures: house."""

    @pytest.mark.conforms("S16")
    def test_a_token_whose_successor_was_used_ends_the_session(self, house: House) -> None:
        text = house.token()
        house.refresh(text)
        house.use()
        now = house.clock.advance(timedelta(seconds=10) + MOMENT)
        assert_failure(house.refresh(text), ErrorCode.INVALID_GRANT)
        assert house.session.revoked_reason is EndReason.REUSE
        assert house.session.revoked_at == now

    @pytest.mark.conforms("S16")
    def test_an_older_token_ends_the_session_however_soon(self, house: House) -> None:
        oldest = house.token()
        house.refresh(oldest)
        house.refresh(house.token())
        assert house.reason(oldest) == EndReason.REUSE
        assert house.session.revoked_reason is EndReason.REUSE

    @pytest.mark.conforms("S16")
    def test_the_thiefs_token_is_over_too(self, house: House) -> None:
        oldest = house.token()
        house.refresh(oldest)
        newest = assert_success(house.refresh(house.token())).refresh_token
        house.refresh(oldest)
        assert house.reason(newest) == "ended"

    @pytest.mark.conforms("L8")
    def test_reuse_is_on_record_as_what_ended_the_session(self, house: House) -> None:
        oldest = house.token()
        house.refresh(oldest)
        house.refresh(house.token())
        house.bus.published_events.clear()
        house.refresh(oldest)
        assert house.bus.names == [
            "SessionRefreshAttempted",
            "SessionEnded",
            "SessionRefreshFailed",
        ]
        ended, failed = house.bus.published_events[1:]
        assert (ended.user_id, ended.resource_id) == (house.user.id, house.session_id)
        assert (failed.user_id, failed.resource_id) == (house.user.id, house.session_id)

    def test_a_forged_older_token_ends_nothing(self, house: House) -> None:
        thiefs = KeyRing("1", {"1": b"x" * 32})
        forged = tokens_of(house.session, thiefs).refresh_token
        house.refresh(house.token())
        house.refresh(house.token())
        assert house.reason(forged) == "not_genuine"
        assert house.session.revoked_at is None


class TestRefusal:
    """Uses fixtures: house."""

    @pytest.mark.parametrize("text", ["", "dsh_refresh_" + "A" * 70, "\x00", "é", "\ud800"])
    def test_what_was_not_made_here_is_unknown(self, house: House, text: str) -> None:
        assert house.reason(text) == "unknown"

    def test_an_access_token_does_not_refresh(self, house: House) -> None:
        assert house.reason(tokens_of(house.session, KEYS).access_token) == "unknown"

    def test_an_access_token_in_disguise_does_not_refresh(self, house: House) -> None:
        access_token = tokens_of(house.session, KEYS).access_token
        disguised = access_token.replace("dsh_access_", "dsh_refresh_")
        assert house.reason(disguised) == "not_genuine"

    def test_a_wrong_mac_changes_nothing(self, house: House) -> None:
        before = house.session
        text = house.token()
        changed = text[:-10] + ("A" if text[-10] != "A" else "B") + text[-9:]
        assert house.reason(changed) == "not_genuine"
        assert house.session == before

    @pytest.mark.parametrize("reason", EndReason)
    def test_a_session_that_was_ended_is_not_refreshed(
        self, house: House, reason: EndReason
    ) -> None:
        text = house.token()
        house.is_now(revoked_at=NOON, revoked_reason=reason)
        before = house.session
        assert house.reason(text) == "ended"
        assert house.session == before

    @pytest.mark.conforms("S6", "S19")
    @pytest.mark.parametrize(
        "waited", [timedelta(days=14), timedelta(days=30), timedelta(days=300)]
    )
    def test_a_session_that_is_over_is_not_refreshed(self, house: House, waited: timedelta) -> None:
        text = house.token()
        house.clock.advance(waited)
        assert house.reason(text) == "ended"

    @pytest.mark.conforms("S7", "S18")
    def test_refreshing_every_day_does_not_outlive_thirty_days(self, house: House) -> None:
        for _ in range(29):
            house.clock.advance(timedelta(days=1))
            house.refresh(house.token())
        house.clock.advance(timedelta(days=1))
        assert house.session.generation == 30
        assert house.reason(house.token()) == "ended"

    @pytest.mark.parametrize(
        "change", [{"is_active": False}, {"is_verified": False}, {"token_version": 2}], ids=str
    )
    def test_an_account_that_changed_is_not_refreshed(
        self, house: House, change: dict[str, Any]
    ) -> None:
        house.account_is_now(**change)
        assert house.reason(house.token()) == "account_changed"
        assert house.session.generation == 1

    def test_a_session_of_the_accounts_version_or_a_later_one_is_refreshed(
        self, house: House
    ) -> None:
        house.account_is_now(token_version=2)
        house.is_now(version=2)
        assert_success(house.refresh(house.token()))
        assert house.session.version == 2

    def test_a_successor_made_under_a_key_that_is_not_known_here_is_not_repeated(
        self, house: House
    ) -> None:
        """Another process has the new key already: nobody is logged out, the retry succeeds."""
        text = house.token()
        house.is_now(generation=2, key_id="not here yet", previous_key_id="1")
        assert house.reason(text) == "unknown_key"
        assert house.bus.names == ["SessionRefreshAttempted", "SessionRefreshFailed"]
        assert house.session.revoked_at is None

    def test_a_session_that_is_revoked_while_it_is_refreshed_stays_revoked(
        self, house: House
    ) -> None:
        text = house.token()
        raced = RacedSessions(house.sessions.sessions, house.sessions.users)
        raced.becomes = {"revoked_at": NOON, "revoked_reason": EndReason.REVOKED}
        house.sessions = raced
        assert house.reason(text) == "ended"
        assert house.session.generation == 1

    def test_a_session_that_vanishes_while_it_is_refreshed_is_over(self, house: House) -> None:
        text = house.token()
        house.sessions = GoneSessions(house.sessions.sessions, house.sessions.users)
        assert house.reason(text) == "ended"

    def test_every_refusal_is_told_in_the_same_words(self, house: House) -> None:
        text = house.token()
        unknown = house.refresh("")
        house.is_now(revoked_at=NOON)
        ended = house.refresh(text)
        assert assert_failure(unknown, ErrorCode.INVALID_GRANT) == assert_failure(
            ended, ErrorCode.INVALID_GRANT
        )

    def test_no_token_is_in_an_event_or_a_repr(self, house: House) -> None:
        text = house.token()
        tokens = assert_success(house.refresh(text))
        house.refresh(text[:-1])
        said = repr([RefreshSession(refresh_token=text), tokens, *house.bus.published_events])
        secrets = (text, tokens.access_token, tokens.refresh_token)
        assert str(house.session_id) in said
        assert not [secret for secret in secrets if secret in said]


GENERATIONS = {"current": 7, "previous": 6, "older": 5}
FIRST_USES = {"unused": None, "just used": NOON, "used": NOON - timedelta(minutes=1)}
STATES: dict[str, dict[str, Any]] = {
    "live": {},
    "revoked": {"revoked_at": NOON, "revoked_reason": EndReason.REVOKED},
    "idle": {"last_seen_at": NOON - timedelta(days=14)},
    "rotated": {"version": 0},
}
OF_A_LIVE_SESSION = {
    ("current", "unused"): "refreshed",
    ("current", "just used"): "refreshed",
    ("current", "used"): "refreshed",
    ("previous", "unused"): "repeated",
    ("previous", "just used"): "repeated",
    ("previous", "used"): EndReason.REUSE,
    ("older", "unused"): EndReason.REUSE,
    ("older", "just used"): EndReason.REUSE,
    ("older", "used"): EndReason.REUSE,
}
OF_ANOTHER = {"revoked": "ended", "idle": "ended", "rotated": "account_changed"}


class TestEveryWayToRefresh:
    """The whole table. Uses fixtures: house."""

    @pytest.mark.parametrize("way", list(product(GENERATIONS, FIRST_USES, STATES)), ids="-".join)
    def test_a_way(self, house: House, way: tuple[str, str, str]) -> None:
        generation, first_use, state = way
        house.is_now(generation=GENERATIONS[generation])
        text = house.token()
        house.is_now(
            generation=7,
            previous_key_id="1",
            first_used_at=FIRST_USES[first_use],
            **STATES[state],
        )
        before = house.session
        house.refresh(text)
        told = house.bus.published_events[-1]
        expected = OF_ANOTHER.get(state, OF_A_LIVE_SESSION[generation, first_use])
        assert outcome(told) == expected
        assert (house.session == before) is (expected not in {"refreshed", EndReason.REUSE})


def outcome(event: DomainEvent) -> str:
    if isinstance(event, SessionRefreshSucceeded):
        return "repeated" if event.repeated else "refreshed"
    assert isinstance(event, SessionRefreshFailed)
    return event.reason
