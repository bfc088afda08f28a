from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.keys import KeyRing
from core.result import Result
from sessions_app.application.authenticating import PersonalTokenAuthenticator
from sessions_app.application.personal_tokens import (
    CreatePersonalToken,
    CreatePersonalTokenHandler,
    RevokePersonalToken,
    RevokePersonalTokenHandler,
)
from sessions_app.domain.events import (
    PersonalTokenCreationAttempted,
    PersonalTokenCreationFailed,
    PersonalTokenCreationSucceeded,
    PersonalTokenRevocationAttempted,
    PersonalTokenRevocationFailed,
    PersonalTokenRevocationSucceeded,
)
from sessions_app.domain.personal_token import MOST_TOKENS, PersonalToken, Scope
from tests.assertions import assert_failure, assert_success
from tests.factories import make_user
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.sessions import InMemoryPersonalTokens, InMemoryRotations
from users.domain.roles import Role
from users.domain.user import User

KEYS = KeyRing("1", {"1": b"k" * 32})


@dataclass
class House:
    clock: FakeClock
    user: User = field(default_factory=make_user)
    tokens: InMemoryPersonalTokens = field(default_factory=InMemoryPersonalTokens)
    rotations: InMemoryRotations = field(default_factory=InMemoryRotations)
    bus: StubEventBus = field(default_factory=StubEventBus)

    def __post_init__(self) -> None:
        self.tokens.users[self.user.id] = self.user

    def find_by_id(self, user_id: UUID) -> User | None:
        return self.tokens.users.get(user_id)

    def lock(self, user_id: UUID) -> User | None:
        return self.find_by_id(user_id)

    def account_is_now(self, **changes: Any) -> None:
        self.tokens.users[self.user.id] = replace(self.user, **changes)

    def make(self, **over: Any) -> Result[PersonalToken, DomainError]:
        values: dict[str, Any] = {
            "user_id": self.user.id,
            "name": "backup",
            "scope": Scope.READ,
            "lifetime": timedelta(days=1),
        }
        handler = CreatePersonalTokenHandler(
            owners=self,
            token_repo=self.tokens,
            rotations=self.rotations,
            event_bus=self.bus,
            keys=KEYS,
            clock=self.clock,
        )
        return handler.handle(CreatePersonalToken(**values | over))

    def end(self, token_id: UUID, user_id: UUID | None = None) -> Result[None, DomainError]:
        handler = RevokePersonalTokenHandler(
            token_repo=self.tokens, event_bus=self.bus, clock=self.clock
        )
        return handler.handle(
            RevokePersonalToken(token_id=token_id, user_id=user_id or self.user.id)
        )

    def opens(self, text: str) -> bool:
        door = PersonalTokenAuthenticator(token_reader=self.tokens, keys=KEYS, clock=self.clock)
        return door.authenticate(text).is_success


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestMaking:
    """Uses fixtures: house."""

    def test_it_is_made_for_its_owner_and_for_its_time(self, house: House) -> None:
        token = assert_success(house.make(lifetime=timedelta(days=3)))
        assert house.tokens.tokens == {token.id: token}
        assert (token.user_id, token.name, token.scope) == (house.user.id, "backup", Scope.READ)
        assert token.expires_at - token.created_at == timedelta(days=3)
        assert token.created_at == house.clock.now()
        assert house.opens(token.text(KEYS))

    def test_it_is_on_record(self, house: House) -> None:
        assert_success(house.make())
        assert [type(event) for event in house.bus.published_events] == [
            PersonalTokenCreationAttempted,
            PersonalTokenCreationSucceeded,
        ]

    @pytest.mark.parametrize("days", [-1, 0, 367])
    def test_it_lives_a_day_to_a_year(self, house: House, days: int) -> None:
        refused = house.make(lifetime=timedelta(days=days))
        assert_failure(refused, ErrorCode.VALIDATION_FAILED)
        assert isinstance(house.bus.published_events[-1], PersonalTokenCreationFailed)

    def test_only_an_admin_makes_one_that_introspects(self, house: House) -> None:
        assert_failure(house.make(scope=Scope.INTROSPECT), ErrorCode.VALIDATION_FAILED)
        house.account_is_now(role=Role.ADMIN)
        assert_success(house.make(scope=Scope.INTROSPECT))

    @pytest.mark.parametrize("change", [{"is_active": False}, {"is_verified": False}])
    def test_nobody_makes_one_who_may_not_sign_in(
        self, house: House, change: dict[str, Any]
    ) -> None:
        house.account_is_now(**change)
        assert_failure(house.make(), ErrorCode.PERSONAL_TOKEN_NOT_FOUND)

    def test_those_that_are_over_do_not_count(self, house: House) -> None:
        for _ in range(MOST_TOKENS):
            assert_success(house.make())
        assert_failure(house.make(), ErrorCode.TOO_MANY_TOKENS)
        house.clock.advance(timedelta(days=1))
        assert_success(house.make())


class TestEnding:
    """Uses fixtures: house."""

    def test_it_opens_nothing_any_more(self, house: House) -> None:
        token = assert_success(house.make())
        assert_success(house.end(token.id))
        assert not house.opens(token.text(KEYS))
        assert [type(event) for event in house.bus.published_events[2:]] == [
            PersonalTokenRevocationAttempted,
            PersonalTokenRevocationSucceeded,
        ]

    def test_another_persons_is_not_found(self, house: House) -> None:
        token = assert_success(house.make())
        assert_failure(house.end(token.id, uuid7()), ErrorCode.PERSONAL_TOKEN_NOT_FOUND)
        assert house.opens(token.text(KEYS))
        assert isinstance(house.bus.published_events[-1], PersonalTokenRevocationFailed)

    @pytest.mark.parametrize(
        "change", [{"is_active": False}, {"is_verified": False}, {"token_version": 2}]
    )
    def test_it_ends_with_what_ends_sessions(self, house: House, change: dict[str, Any]) -> None:
        token = assert_success(house.make())
        house.account_is_now(**change)
        assert not house.opens(token.text(KEYS))
