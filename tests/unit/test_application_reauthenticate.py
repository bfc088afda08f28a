from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from core.errors import DomainError, ErrorCode
from core.result import Result
from sessions_app.application.reauthenticating import Reauthenticate, ReauthenticateHandler
from sessions_app.domain.session import EndReason
from sessions_app.domain.tokens import TokenPair, tokens_of
from tests.assertions import assert_failure, assert_success
from tests.fakes.clock import FakeClock
from tests.fakes.sessions import SessionHouse
from tests.fakes.users import KEYS, SignInPorts

PASSWORD = "correct horse battery staple"
STRANGERS = "nobody@example.com"


@dataclass
class House(SessionHouse):
    ports: SignInPorts = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.ports = SignInPorts(clock=self.clock)
        hashed = self.ports.passwords.hash_password(PASSWORD)
        self.account_is_now(password_hash=hashed)
        self.ports.users.users[self.user.id] = self.sessions.users[self.user.id]

    def prove(self, password: str = PASSWORD) -> Result[TokenPair, DomainError]:
        handler = ReauthenticateHandler(
            credentials=self.ports.credentials(),
            session_repo=self.sessions,
            event_bus=self.ports.bus,
            keys=KEYS,
            clock=self.clock,
        )
        return handler.handle(
            Reauthenticate(
                session_id=self.session_id,
                user_id=self.user.id,
                email=self.user.email,
                password=password,
            )
        )

    def told(self) -> list[str]:
        return [name for name in self.ports.bus.names if name.startswith("Reauthentication")]


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestReauthenticate:
    """Uses fixtures: house, clock."""

    def test_the_session_goes_on_with_new_tokens_and_a_password_proved_now(
        self, house: House, clock: FakeClock
    ) -> None:
        before = tokens_of(house.session, KEYS)
        clock.advance(timedelta(hours=1))
        after = assert_success(house.prove())
        assert after == tokens_of(house.session, KEYS)
        assert after.access_token != before.access_token
        assert house.session.authenticated_at == clock.now()
        assert house.told() == ["ReauthenticationAttempted", "ReauthenticationSucceeded"]

    def test_no_token_of_before_is_the_predecessor_of_the_new_ones(self, house: House) -> None:
        generation = house.session.generation
        assert_success(house.prove())
        assert house.session.generation == generation + 2
        assert house.session.previous_key_id is None

    def test_a_wrong_password_changes_nothing(self, house: House) -> None:
        before = house.session
        assert_failure(house.prove("wrong"), ErrorCode.INVALID_CREDENTIALS)
        assert house.session == before
        assert house.told() == ["ReauthenticationAttempted", "ReauthenticationFailed"]

    def test_wrong_passwords_are_counted_for_this_session_and_for_no_stranger(
        self, house: House
    ) -> None:
        for _ in range(5):
            house.prove("wrong")
        assert_failure(house.prove(), ErrorCode.INVALID_CREDENTIALS)
        guesses = [house.ports.guard.count(each).failures for each in (house.user.email, STRANGERS)]
        assert guesses == [0, 0]

    def test_a_session_that_ended_meanwhile_is_not_opened_again(self, house: House) -> None:
        house.sessions.end(house.session_id, house.user.id, EndReason.REVOKED, house.clock.now())
        ended = house.session
        assert_failure(house.prove(), ErrorCode.INVALID_TOKEN)
        assert house.session == ended
        assert house.told() == ["ReauthenticationAttempted", "ReauthenticationFailed"]

    def test_a_session_that_is_gone_is_refused(self, house: House) -> None:
        del house.sessions.sessions[house.session_id]
        assert_failure(house.prove(), ErrorCode.INVALID_TOKEN)
