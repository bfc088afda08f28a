from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.result import Result
from sessions_app.application.revocation import (
    RevokeSession,
    RevokeSessionHandler,
    RevokeSessions,
    RevokeSessionsHandler,
)
from sessions_app.domain.events import SessionRevocationFailed, SessionsRevocationSucceeded
from sessions_app.domain.session import DeviceSession, EndReason
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_session, make_user
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.sessions import InMemorySessions
from tests.fakes.users import InMemoryUserRepository
from users.domain.user import User


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


class RacedSessions(InMemorySessions):
    """Each ends by itself between the look and the ending."""

    def end(self, session_id: UUID, user_id: UUID, reason: EndReason, now: datetime) -> bool:
        return False


@dataclass
class Devices:
    """Which of its owner's passes were forgotten, and which was shown."""

    forgotten: list[tuple[UUID, str | None]] = field(default_factory=list)

    def forget_all_of(self, user_id: UUID, shown: str | None = None) -> None:
        self.forgotten.append((user_id, shown))


@dataclass
class Household:
    """Somebody with three sessions, beside somebody with one."""

    clock: FakeClock
    user: User = field(default_factory=make_user)
    owners: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    sessions: InMemorySessions = field(default_factory=InMemorySessions)
    devices: Devices = field(default_factory=Devices)
    bus: StubEventBus = field(default_factory=StubEventBus)

    def __post_init__(self) -> None:
        self.owners.save(self.user)
        self.own = [make_session(user_id=self.user.id) for _ in range(3)]
        self.other = make_session()
        for session in (*self.own, self.other):
            self.sessions.save(session)

    def revoke_all(self, **over: Any) -> Result[int, DomainError]:
        handler = RevokeSessionsHandler(
            owners=self.owners,
            session_repo=self.sessions,
            devices=self.devices,
            event_bus=self.bus,
            clock=self.clock,
        )
        return handler.handle(RevokeSessions(**{"user_id": self.user.id} | over))

    def live(self) -> list[DeviceSession]:
        return [one for one in self.sessions.sessions.values() if one.is_live(self.clock.now())]


@pytest.fixture
def household(clock: FakeClock) -> Household:
    return Household(clock)


class TestRevokeSessions:
    """Uses fixtures: household."""

    def test_all_of_a_person_end_and_nobody_elses(self, household: Household) -> None:
        assert assert_success(household.revoke_all()) == 3
        assert household.live() == [household.other]
        ended = household.sessions.sessions[household.own[0].id]
        assert (ended.revoked_at, ended.revoked_reason) == (NOON, EndReason.REVOKED)

    def test_all_but_one(self, household: Household) -> None:
        kept = household.own[1]
        assert assert_success(household.revoke_all(except_for=kept.id)) == 2
        assert household.live() == [kept, household.other]

    def test_each_that_ends_is_on_record_between_attempt_and_outcome(
        self, household: Household
    ) -> None:
        kept = household.own[1].id
        household.revoke_all(except_for=kept)
        assert household.bus.names == [
            "SessionsRevocationAttempted",
            "SessionEnded",
            "SessionEnded",
            "SessionsRevocationSucceeded",
        ]
        outcome = household.bus.published_events[-1]
        assert isinstance(outcome, SessionsRevocationSucceeded)
        assert (outcome.kept, outcome.sessions) == (kept, 2)

    def test_one_that_ended_meanwhile_is_neither_counted_nor_recorded(
        self, household: Household
    ) -> None:
        household.sessions = RacedSessions(household.sessions.sessions)
        assert assert_success(household.revoke_all()) == 0
        assert "SessionEnded" not in household.bus.names

    def test_devices_are_forgotten_but_the_one_that_is_shown(self, household: Household) -> None:
        household.revoke_all(device_token="shown")
        assert household.devices.forgotten == [(household.user.id, "shown")]

    def test_nobody_is_refused_and_on_record(self, household: Household) -> None:
        assert_failure(household.revoke_all(user_id=uuid7()), ErrorCode.SESSION_NOT_FOUND)
        assert household.bus.names == ["SessionsRevocationAttempted", "SessionsRevocationFailed"]
        assert household.devices.forgotten == []
