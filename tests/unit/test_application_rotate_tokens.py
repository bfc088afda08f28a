from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.result import Result
from sessions_app.application.rotation import (
    LONGEST_GRACE,
    RotateTokens,
    RotateTokensHandler,
    Rotation,
)
from sessions_app.domain.events import (
    TokenRotationAttempted,
    TokenRotationFailed,
    TokenRotationSucceeded,
)
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.sessions import InMemoryRotations
from tests.fakes.users import InMemoryUserRepository
from users.domain.user import User

MOMENT = timedelta(microseconds=1)


@dataclass
class House:
    clock: FakeClock
    user: User = field(default_factory=make_user)
    owners: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    rotations: InMemoryRotations = field(default_factory=lambda: InMemoryRotations(counts=(3, 2)))
    bus: StubEventBus = field(default_factory=StubEventBus)

    def __post_init__(self) -> None:
        self.owners.save(self.user)

    def handler(self) -> RotateTokensHandler:
        return RotateTokensHandler(
            owners=self.owners, rotations=self.rotations, event_bus=self.bus, clock=self.clock
        )

    def rotate(self, **over: Any) -> Result[Rotation, DomainError]:
        return self.handler().handle(RotateTokens(**{"reason": "a leak"} | over))


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestRotateTokens:
    """Uses fixtures: house."""

    @pytest.mark.parametrize("of_one", [True, False])
    def test_it_takes_effect_when_its_grace_is_over(self, house: House, of_one: bool) -> None:
        whom = house.user.id if of_one else None
        grace = timedelta(hours=1)
        rotation = assert_success(house.rotate(user_id=whom, grace=grace))
        assert rotation == Rotation(sessions=3, personal_tokens=2, effective_at=NOON + grace)
        assert house.rotations.rows == [(whom, NOON + grace)]

    def test_without_a_grace_it_takes_effect_now(self, house: House) -> None:
        assert assert_success(house.rotate()).effective_at == NOON

    def test_it_is_recorded_with_what_it_ends(self, house: House) -> None:
        assert_success(house.rotate(user_id=house.user.id))
        begun, done = house.bus.published_events
        assert isinstance(begun, TokenRotationAttempted)
        assert isinstance(done, TokenRotationSucceeded)
        assert (begun.reason, begun.resource_id) == ("a leak", house.user.id)
        assert (done.reason, done.sessions, done.personal_tokens) == ("a leak", 3, 2)
        assert (done.user_id, done.effective_at) == (house.user.id, NOON)

    @pytest.mark.parametrize("grace", [timedelta(0), LONGEST_GRACE])
    def test_a_grace_is_at_most_a_week(self, house: House, grace: timedelta) -> None:
        assert timedelta(days=7) == LONGEST_GRACE
        assert_success(house.rotate(grace=grace))

    @pytest.mark.parametrize("grace", [-MOMENT, LONGEST_GRACE + MOMENT])
    def test_any_other_is_refused(self, house: House, grace: timedelta) -> None:
        assert_failure(house.rotate(grace=grace), ErrorCode.VALIDATION_FAILED)
        assert house.rotations.rows == []

    def test_nobody_is_refused_and_on_record(self, house: House) -> None:
        nobody: UUID = uuid7()
        assert_failure(house.rotate(user_id=nobody), ErrorCode.USER_NOT_FOUND)
        failed = house.bus.published_events[-1]
        assert isinstance(failed, TokenRotationFailed)
        assert (failed.user_id, failed.reason) == (nobody, "user_not_found")
        assert house.rotations.rows == []

    def test_to_look_changes_nothing_and_is_not_recorded(self, house: House) -> None:
        looked = house.handler().look(RotateTokens(reason="to see"))
        assert assert_success(looked) == Rotation(3, 2, NOON)
        assert (house.rotations.rows, house.bus.published_events) == ([], [])
