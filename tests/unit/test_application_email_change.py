from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.result import Result
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.users import (
    KEYS,
    InMemoryCooldown,
    InMemoryOneUseTokenRepository,
    InMemorySignInGuard,
    InMemoryUserRepository,
    RecordingMailer,
    ReversingPasswordService,
    SignInPorts,
)
from users.application.addresses import (
    ChangeEmail,
    ChangeEmailHandler,
    RequestEmailChange,
    RequestEmailChangeHandler,
)
from users.domain.events import EmailChangeFailed, EmailChangeSucceeded
from users.domain.lockout import FailureCount
from users.domain.notices import Notice
from users.domain.tokens import OneUseToken, Purpose
from users.domain.user import User

OLD, NEW = "old@example.com", "new@example.com"
PASSWORD = "SecurePass123!"


@dataclass
class House:
    clock: FakeClock
    users: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    tokens: InMemoryOneUseTokenRepository = field(default_factory=InMemoryOneUseTokenRepository)
    guard: InMemorySignInGuard = field(default_factory=InMemorySignInGuard)
    mailer: RecordingMailer = field(default_factory=RecordingMailer)
    bus: StubEventBus = field(default_factory=StubEventBus)
    cooldown: InMemoryCooldown = field(default_factory=InMemoryCooldown)

    def account(self, email: str = OLD, **over: Any) -> User:
        hashed = ReversingPasswordService().hash_password(PASSWORD)
        user = make_user(email=email, password_hash=hashed, **over)
        self.users.users[user.id] = user
        return user

    def ask(self, user: User, email: str = NEW) -> Result[None, DomainError]:
        handler = RequestEmailChangeHandler(
            user_repo=self.users,
            token_repo=self.tokens,
            cooldown=self.cooldown,
            mailer=self.mailer,
            event_bus=self.bus,
            clock=self.clock,
        )
        return handler.handle(RequestEmailChange(user_id=user.id, email=email))

    def confirm(self, text: str, password: str | None = None) -> Result[UUID, DomainError]:
        handler = ChangeEmailHandler(
            user_repo=self.users,
            token_repo=self.tokens,
            credentials=SignInPorts(
                self.users, self.guard, bus=self.bus, clock=self.clock
            ).credentials(),
            mailer=self.mailer,
            event_bus=self.bus,
            clock=self.clock,
        )
        return handler.handle(ChangeEmail(token=text, password=password))

    def mailed(self) -> OneUseToken:
        ((_, _, token_id),) = self.mailer.links
        return self.tokens.tokens[token_id]


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestRequest:
    """Uses fixtures: house."""

    def test_the_new_address_gets_the_link_and_the_old_one_a_notice(self, house: House) -> None:
        user = house.account()
        assert_success(house.ask(user, " NEW@example.com"))
        assert house.mailer.links == [(Purpose.EMAIL_CHANGE, NEW, house.mailed().id)]
        assert house.mailer.notices == [(Notice.EMAIL_CHANGE_REQUESTED, OLD)]
        assert house.mailed().email == NEW

    def test_nothing_changes_yet(self, house: House) -> None:
        user = house.account()
        house.ask(user)
        assert house.users.users[user.id] == user

    def test_a_taken_address_gets_no_link_and_its_owner_is_told(self, house: House) -> None:
        user = house.account()
        house.account(NEW)
        assert_failure(house.ask(user), ErrorCode.EMAIL_ALREADY_EXISTS)
        assert house.mailer.links == []
        assert set(house.mailer.notices) == {
            (Notice.EMAIL_CHANGE_REQUESTED, OLD),
            (Notice.EMAIL_TAKEN, NEW),
        }

    def test_an_earlier_request_is_over(self, house: House) -> None:
        user = house.account()
        house.ask(user)
        earlier = house.mailed().text(KEYS)
        house.ask(user, "third@example.com")
        assert_failure(house.confirm(earlier), ErrorCode.INVALID_ONE_USE_TOKEN)

    @pytest.mark.parametrize(
        ("email", "code"),
        [("no address", ErrorCode.INVALID_EMAIL), (OLD.upper(), ErrorCode.VALIDATION_FAILED)],
    )
    def test_what_is_no_other_address_is_refused(
        self, house: House, email: str, code: ErrorCode
    ) -> None:
        assert_failure(house.ask(house.account(), email), code)
        assert house.tokens.tokens == {}

    def test_a_mailbox_is_not_filled_by_it(self, house: House) -> None:
        user = house.account()
        house.ask(user)
        assert_failure(house.ask(user), ErrorCode.RATE_LIMITED)
        assert len(house.mailer.links) == 1

    def test_an_account_that_is_gone_is_refused(self, house: House) -> None:
        assert_failure(house.ask(make_user(id=uuid7())), ErrorCode.USER_NOT_FOUND)


class TestConfirmation:
    """Uses fixtures: house."""

    def test_the_address_changes_and_both_are_told(self, house: House) -> None:
        user = house.account()
        house.ask(user)
        assert assert_success(house.confirm(house.mailed().text(KEYS))) == user.id
        assert house.users.users[user.id].email == NEW
        assert house.users.users[user.id].token_version == user.token_version
        assert house.mailer.notices[1:] == [
            (Notice.EMAIL_CHANGED, OLD),
            (Notice.EMAIL_CHANGED, NEW),
        ]
        done = house.bus.published_events[-1]
        assert isinstance(done, EmailChangeSucceeded)
        assert (done.old_email, done.new_email) == (OLD, NEW)

    def test_the_address_in_the_token_is_forgotten(self, house: House) -> None:
        house.ask(house.account())
        house.confirm(house.mailed().text(KEYS))
        assert house.mailed().email is None

    def test_links_in_the_mailbox_that_is_given_up_are_over(self, house: House) -> None:
        user = house.account()
        house.ask(user)
        reset = house.tokens.issue(Purpose.PASSWORD_RESET, user.id, house.clock.now())
        house.confirm(house.mailed().text(KEYS))
        assert house.tokens.tokens[reset.id].spent_at is not None

    def test_an_address_that_was_taken_meanwhile_is_answered_like_a_token_that_is_over(
        self, house: House
    ) -> None:
        user = house.account()
        house.ask(user)
        house.account(NEW)
        refused = house.confirm(house.mailed().text(KEYS))
        assert_failure(refused, ErrorCode.INVALID_ONE_USE_TOKEN)
        assert house.users.users[user.id].email == OLD
        assert house.mailer.notices[-1] == (Notice.EMAIL_TAKEN, NEW)
        failed = house.bus.published_events[-1]
        assert isinstance(failed, EmailChangeFailed)
        assert failed.reason == "email_already_exists"

    def test_a_wrong_password_on_the_page_counts_and_leaves_another_try(self, house: House) -> None:
        house.ask(house.account())
        text = house.mailed().text(KEYS)
        assert_failure(house.confirm(text, "wrong"), ErrorCode.INVALID_CREDENTIALS)
        assert house.guard.counts == {f"link:{house.mailed().user_id}": FailureCount(1)}
        assert_success(house.confirm(text, PASSWORD))

    def test_strangers_cannot_lock_the_owner_out_of_the_page(self, house: House) -> None:
        house.ask(house.account())
        house.guard.counts[OLD] = FailureCount(5, NOON + timedelta(minutes=15))
        assert_success(house.confirm(house.mailed().text(KEYS), PASSWORD))

    @pytest.mark.parametrize("minutes", [0, 15])
    def test_a_lock_goes_with_the_account(self, house: House, minutes: int) -> None:
        house.ask(house.account())
        until = NOON + timedelta(minutes=minutes)
        house.guard.counts[OLD] = FailureCount(5, until)
        assert_success(house.confirm(house.mailed().text(KEYS)))
        locked = FailureCount(0, until) if minutes else FailureCount()
        assert house.guard.count(NEW) == locked

    def test_it_works_once_and_for_a_day(self, house: House) -> None:
        house.ask(house.account())
        text = house.mailed().text(KEYS)
        house.clock.advance(timedelta(hours=24))
        assert_failure(house.confirm(text), ErrorCode.INVALID_ONE_USE_TOKEN)

    @pytest.mark.parametrize("text", ["", "dsh_once_" + "A" * 64, "\x00"])
    def test_what_is_no_link_is_refused(self, house: House, text: str) -> None:
        assert_failure(house.confirm(text), ErrorCode.INVALID_ONE_USE_TOKEN)

    def test_an_inactive_account_is_refused(self, house: House) -> None:
        user = house.account()
        house.ask(user)
        house.account(id=user.id, is_active=False)
        refused = house.confirm(house.mailed().text(KEYS))
        assert_failure(refused, ErrorCode.INVALID_ONE_USE_TOKEN)
