from dataclasses import dataclass, field, replace

import pytest

from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.result import Result
from sessions_app.application.revocation import RevokeSession, RevokeSessionHandler
from sessions_app.domain.events import SessionRevocationFailed
from sessions_app.domain.session import DeviceSession, EndReason
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_session
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.sessions import InMemorySessions


@dataclass
class House:
    clock: FakeClock
    session: DeviceSession = field(default_factory=make_session)
    sessions: InMemorySessions = field(default_factory=InMemorySessions)
    bus: StubEventBus = field(default_factory=StubEventBus)

    def __post_init__(self) -> None:
        self.sessions.save(self.session)

    def revoke(self, **over: object) -> Result[None, DomainError]:
        command = RevokeSession(session_id=self.session.id, user_id=self.session.user_id)
        handler = RevokeSessionHandler(
            session_repo=self.sessions, event_bus=self.bus, clock=self.clock
        )
        return handler.handle(replace(command, **over))  # type: ignore[arg-type]


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestRevokeSession:
    """Uses fixtures: house."""

    def test_ones_own_session_ends_now_and_by_its_owner(self, house: House) -> None:
        assert_success(house.revoke())
        assert house.sessions.sessions[house.session.id] == replace(
            house.session, revoked_at=NOON, revoked_reason=EndReason.REVOKED
        )

    def test_it_is_recorded_as_attempt_and_success(self, house: House) -> None:
        house.revoke()
        assert house.bus.names == ["SessionRevocationAttempted", "SessionRevocationSucceeded"]
        about = {(event.user_id, event.resource_id) for event in house.bus.published_events}
        assert about == {(house.session.user_id, house.session.id)}

    def test_somebody_elses_session_is_not_found_and_lives_on(self, house: House) -> None:
        assert_failure(house.revoke(user_id=uuid7()), ErrorCode.SESSION_NOT_FOUND)
        assert house.sessions.sessions[house.session.id] == house.session

    def test_a_session_that_was_revoked_is_not_found_again(self, house: House) -> None:
        house.revoke()
        assert_failure(house.revoke(), ErrorCode.SESSION_NOT_FOUND)

    def test_a_session_that_never_was_and_somebody_elses_are_refused_alike(
        self, house: House
    ) -> None:
        theirs = assert_failure(house.revoke(user_id=uuid7()), ErrorCode.SESSION_NOT_FOUND)
        nobodys = assert_failure(house.revoke(session_id=uuid7()), ErrorCode.SESSION_NOT_FOUND)
        assert theirs == nobodys

    def test_a_refusal_is_recorded_as_attempt_and_failure(self, house: House) -> None:
        house.revoke(user_id=uuid7())
        assert house.bus.names == ["SessionRevocationAttempted", "SessionRevocationFailed"]
        failed = house.bus.published_events[1]
        assert isinstance(failed, SessionRevocationFailed)
        assert failed.reason == "session_not_found"
