from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.keys import KeyRing
from core.result import Result
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.users import (
    KEYS,
    InMemoryOneUseTokenRepository,
    InMemoryUserRepository,
    ReversingPasswordService,
)
from users.application.registration import VerifyEmail, VerifyEmailHandler
from users.domain.events import EmailVerificationFailed, EmailVerificationSucceeded
from users.domain.tokens import Purpose
from users.domain.user import User

PASSWORD = "SecurePass123!"


class RacedTokens(InMemoryOneUseTokenRepository):
    """Somebody else spends the token between the look and the spending."""

    def redeem(self, token_id: UUID, now: datetime) -> bool:
        return False


@dataclass
class House:
    clock: FakeClock
    users: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    tokens: InMemoryOneUseTokenRepository = field(default_factory=InMemoryOneUseTokenRepository)
    bus: StubEventBus = field(default_factory=StubEventBus)
    passwords: ReversingPasswordService = field(default_factory=ReversingPasswordService)
    user: User = field(init=False)

    def __post_init__(self) -> None:
        hashed = self.passwords.hash_password(PASSWORD)
        self.user = make_user(is_verified=False, password_hash=hashed)
        self.users.save(self.user)

    def mail(self, purpose: Purpose = Purpose.EMAIL_VERIFICATION) -> str:
        return self.tokens.issue(purpose, self.user.id, self.clock.now()).text(KEYS)

    def verify(self, text: str, password: str | None = None) -> Result[UUID, DomainError]:
        handler = VerifyEmailHandler(
            user_repo=self.users,
            verification_token_repo=self.tokens,
            password_service=self.passwords,
            event_bus=self.bus,
            clock=self.clock,
        )
        return handler.handle(VerifyEmail(token=text, password=password))

    def is_verified(self) -> bool:
        return self.users.users[self.user.id].is_verified


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestGenuineToken:
    """Uses fixtures: house."""

    def test_it_verifies_its_account(self, house: House) -> None:
        assert assert_success(house.verify(house.mail())) == house.user.id
        assert house.is_verified() is True

    def test_the_account_is_dated(self, house: House) -> None:
        text = house.mail()
        house.clock.advance(timedelta(hours=1))
        house.verify(text)
        assert house.users.users[house.user.id].updated_at == NOON + timedelta(hours=1)

    def test_it_verifies_once(self, house: House) -> None:
        text = house.mail()
        house.verify(text)
        assert_failure(house.verify(text), ErrorCode.INVALID_ONE_USE_TOKEN)

    def test_it_verifies_for_less_than_a_day(self, house: House) -> None:
        text = house.mail()
        house.clock.advance(timedelta(hours=24))
        assert_failure(house.verify(text), ErrorCode.INVALID_ONE_USE_TOKEN)
        assert house.is_verified() is False

    def test_it_still_verifies_a_moment_before(self, house: House) -> None:
        text = house.mail()
        house.clock.advance(timedelta(hours=24) - timedelta(microseconds=1))
        assert assert_success(house.verify(text)) == house.user.id

    def test_an_older_link_still_works_beside_a_newer_one(self, house: House) -> None:
        older = house.mail()
        house.mail()
        assert assert_success(house.verify(older)) == house.user.id

    def test_the_loser_of_a_race_is_refused(self, house: House) -> None:
        house.tokens = RacedTokens()
        assert_failure(house.verify(house.mail()), ErrorCode.INVALID_ONE_USE_TOKEN)
        assert house.is_verified() is False

    def test_it_is_recorded_as_attempt_and_success(self, house: House) -> None:
        house.verify(house.mail())
        assert house.bus.names == ["EmailVerificationAttempted", "EmailVerificationSucceeded"]
        succeeded = house.bus.published_events[1]
        assert isinstance(succeeded, EmailVerificationSucceeded)
        assert succeeded.user_id == house.user.id


class TestPassword:
    """Uses fixtures: house."""

    def test_the_password_that_was_chosen_verifies(self, house: House) -> None:
        assert assert_success(house.verify(house.mail(), PASSWORD)) == house.user.id

    def test_another_password_neither_verifies_nor_spends_the_token(self, house: House) -> None:
        text = house.mail()
        assert_failure(house.verify(text, "somebody else's"), ErrorCode.INVALID_CREDENTIALS)
        assert house.is_verified() is False
        assert assert_success(house.verify(text, PASSWORD)) == house.user.id

    def test_an_empty_password_is_a_wrong_one(self, house: House) -> None:
        assert_failure(house.verify(house.mail(), ""), ErrorCode.INVALID_CREDENTIALS)

    def test_a_wrong_password_is_on_record_under_the_account(self, house: House) -> None:
        house.verify(house.mail(), "somebody else's")
        failed = house.bus.published_events[-1]
        assert isinstance(failed, EmailVerificationFailed)
        assert (failed.user_id, failed.reason) == (house.user.id, "invalid_credentials")

    def test_no_hash_is_made_for_a_token_that_is_not_genuine(self, house: House) -> None:
        house.verify("dsh_once_" + "A" * 64, PASSWORD)
        assert house.passwords.verified == []


class TestOtherTokens:
    """Uses fixtures: house."""

    @pytest.mark.parametrize("text", ["", "dsh_once_" + "A" * 64, "é", "\ud800", "\x00"])
    def test_what_was_not_made_here_is_refused(self, house: House, text: str) -> None:
        assert_failure(house.verify(text), ErrorCode.INVALID_ONE_USE_TOKEN)
        failed = house.bus.published_events[-1]
        assert isinstance(failed, EmailVerificationFailed)
        assert (failed.user_id, failed.reason) == (None, "invalid_one_use_token")

    def test_a_token_made_under_another_key_is_refused(self, house: House) -> None:
        token = house.tokens.issue(Purpose.EMAIL_VERIFICATION, house.user.id, NOON)
        forged = token.text(KeyRing("1", {"1": b"x" * 32}))
        assert_failure(house.verify(forged), ErrorCode.INVALID_ONE_USE_TOKEN)
        assert house.is_verified() is False

    def test_a_token_for_another_purpose_is_refused(self, house: House) -> None:
        text = house.mail(Purpose.FIRST_ADMIN)
        assert_failure(house.verify(text), ErrorCode.INVALID_ONE_USE_TOKEN)
        assert house.is_verified() is False

    def test_a_token_that_belongs_to_nobody_is_refused(self, house: House) -> None:
        text = house.tokens.issue(Purpose.EMAIL_VERIFICATION, None, NOON).text(KEYS)
        assert_failure(house.verify(text), ErrorCode.INVALID_ONE_USE_TOKEN)

    def test_a_password_for_an_account_that_is_gone_is_wrong(self, house: House) -> None:
        text = house.tokens.issue(Purpose.EMAIL_VERIFICATION, uuid7(), NOON).text(KEYS)
        assert_failure(house.verify(text, PASSWORD), ErrorCode.INVALID_CREDENTIALS)
        assert house.passwords.verified == [None]

    def test_neither_token_nor_password_is_in_an_event_or_a_repr(self, house: House) -> None:
        text = house.mail()
        house.verify(text, "a wrong password")
        said = repr([*house.bus.published_events, VerifyEmail(token=text, password="a wrong one")])
        assert len(house.bus.published_events) == 2
        assert not [secret for secret in (text, "a wrong") if secret in said]
