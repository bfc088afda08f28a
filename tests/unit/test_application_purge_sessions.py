from datetime import timedelta

from core.ids import uuid7
from sessions_app.application.purging import (
    KEEP_ENDED,
    PurgedSessions,
    PurgeSessions,
    PurgeSessionsHandler,
)
from sessions_app.domain.events import SessionsPurged
from sessions_app.domain.personal_token import PersonalToken, Scope
from tests.assertions import assert_success
from tests.factories import NOON, make_session
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.sessions import InMemoryPersonalTokens, InMemorySessions

MOMENT = timedelta(microseconds=1)


def token(**over: object) -> PersonalToken:
    values = {
        "user_id": uuid7(),
        "name": "backup",
        "scope": Scope.READ,
        "created_at": NOON,
        "expires_at": NOON,
        "key_id": "1",
        "salt": b"s" * 32,
        "version": 1,
    }
    return PersonalToken(**values | over)  # type: ignore[arg-type]


class TestPurge:
    """Uses fixtures: clock."""

    def test_it_waits_ninety_days_and_is_on_record(self, clock: FakeClock) -> None:
        ended, over = make_session(revoked_at=NOON), token()
        sessions = InMemorySessions({ended.id: ended})
        tokens, bus = InMemoryPersonalTokens({over.id: over}), StubEventBus()
        handler = PurgeSessionsHandler(
            session_repo=sessions, token_repo=tokens, event_bus=bus, clock=clock
        )
        clock.advance(KEEP_ENDED)
        assert assert_success(handler.handle(PurgeSessions())).total == 0
        assert bus.published_events == []
        clock.advance(MOMENT)
        due = handler.look()
        assert (due, due.total) == (PurgedSessions(sessions=1, personal_tokens=1), 2)
        assert bus.published_events == []
        assert assert_success(handler.handle(PurgeSessions())) == due
        (purged,) = bus.published_events
        assert isinstance(purged, SessionsPurged)
        assert (purged.sessions, purged.personal_tokens) == (1, 1)
        assert (sessions.sessions, tokens.tokens) == ({}, {})

    def test_ninety_days_it_is(self) -> None:
        assert timedelta(days=90) == KEEP_ENDED
