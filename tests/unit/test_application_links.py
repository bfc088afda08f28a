from dataclasses import dataclass, field
from typing import Any

import pytest

from core.errors import ErrorCode
from core.ids import uuid7
from tests.assertions import assert_failure, assert_success
from tests.factories import make_user
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.users import (
    InMemoryCooldown,
    InMemoryOneUseTokenRepository,
    InMemoryUserRepository,
    RecordingMailer,
    SignInPorts,
)
from users.application import links
from users.application.credentials import PasswordCredentials
from users.application.links import (
    LinkKind,
    RequestLink,
    RequestLinkHandler,
    StartPasswordReset,
    StartPasswordResetHandler,
)
from users.domain.claim import Verified
from users.domain.errors import SignInRefused
from users.domain.tokens import OneUseToken, Purpose
from users.domain.user import User

EMAIL = "test@example.com"


@dataclass
class House:
    clock: FakeClock
    users: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    tokens: InMemoryOneUseTokenRepository = field(default_factory=InMemoryOneUseTokenRepository)
    cooldown: InMemoryCooldown = field(default_factory=InMemoryCooldown)
    mailer: RecordingMailer = field(default_factory=RecordingMailer)
    bus: StubEventBus = field(default_factory=StubEventBus)

    def account(self, **over: Any) -> User:
        user = make_user(email=EMAIL, **over)
        self.users.users[user.id] = user
        return user

    def ask(self, email: str = EMAIL, kind: LinkKind = links.RESET) -> None:
        handler = RequestLinkHandler(
            kind=kind,
            user_repo=self.users,
            token_repo=self.tokens,
            cooldown=self.cooldown,
            mailer=self.mailer,
            event_bus=self.bus,
            clock=self.clock,
        )
        assert_success(handler.handle(RequestLink(email=email)))

    def start(self, user: User) -> Any:
        handler = StartPasswordResetHandler(
            user_repo=self.users,
            token_repo=self.tokens,
            mailer=self.mailer,
            event_bus=self.bus,
            clock=self.clock,
        )
        return handler.handle(StartPasswordReset(user_id=user.id))

    def only_token(self) -> OneUseToken:
        (token,) = self.tokens.tokens.values()
        return token

    @property
    def reason(self) -> str | None:
        return getattr(self.bus.published_events[-1], "reason", None)


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestReset:
    """Uses fixtures: house."""

    @pytest.mark.parametrize("is_verified", [True, False])
    def test_an_active_account_is_mailed_a_link(self, house: House, is_verified: bool) -> None:
        user = house.account(is_verified=is_verified)
        house.ask(f" {EMAIL.upper()}")
        token = house.only_token()
        assert (token.purpose, token.user_id) == (Purpose.PASSWORD_RESET, user.id)
        assert house.mailer.links == [(Purpose.PASSWORD_RESET, EMAIL, token.id)]
        assert house.bus.names == ["PasswordResetRequestAttempted", "PasswordResetRequestSucceeded"]

    @pytest.mark.parametrize("reason", ["unknown", "inactive"])
    def test_who_gets_no_link_costs_the_same_and_the_token_is_nobodys(
        self, house: House, reason: str
    ) -> None:
        if reason == "inactive":
            house.account(is_active=False)
        house.ask()
        assert house.only_token().user_id is None
        assert len(house.mailer.links) == 1  # which the worker drops
        assert house.reason == reason

    def test_an_address_is_mailed_once_per_period(self, house: House) -> None:
        house.account()
        house.ask()
        house.ask()
        assert len(house.tokens.tokens) == len(house.mailer.links) == 1
        assert house.reason == "cooldown"

    def test_what_is_no_address_is_on_record_and_mails_nobody(self, house: House) -> None:
        house.ask("no address")
        assert (house.tokens.tokens, house.mailer.links) == ({}, [])
        assert house.reason == "invalid_email"


class TestVerification:
    """Uses fixtures: house."""

    def test_an_account_that_is_not_verified_is_mailed_a_link(self, house: House) -> None:
        user = house.account(is_verified=False)
        house.ask(kind=links.VERIFICATION)
        assert house.only_token().user_id == user.id

    @pytest.mark.parametrize(
        ("reason", "over"),
        [
            ("verified", {"is_verified": True}),
            ("inactive", {"is_verified": False, "is_active": False}),
        ],
    )
    def test_others_are_not(self, house: House, reason: str, over: dict[str, Any]) -> None:
        house.account(**over)
        house.ask(kind=links.VERIFICATION)
        assert house.only_token().user_id is None
        assert house.reason == reason


class TestByAnAdmin:
    """Uses fixtures: house."""

    def test_the_person_is_mailed_a_link(self, house: House) -> None:
        user = house.account()
        assert_success(house.start(user))
        assert house.mailer.links == [(Purpose.PASSWORD_RESET, EMAIL, house.only_token().id)]

    def test_an_unknown_or_inactive_account_is_told(self, house: House) -> None:
        assert_failure(house.start(make_user(id=uuid7())), ErrorCode.USER_NOT_FOUND)
        assert_failure(house.start(house.account(is_active=False)), ErrorCode.ACCOUNT_INACTIVE)
        assert house.mailer.links == []


class TestAtSignIn:
    """Uses fixtures: house."""

    def credentials(self, house: House) -> PasswordCredentials:
        return SignInPorts(
            house.users,
            tokens=house.tokens,
            cooldown=house.cooldown,
            mailer=house.mailer,
            clock=house.clock,
        ).credentials()

    def test_a_proved_password_of_an_unverified_account_mails_the_link_again_once(
        self, house: House
    ) -> None:
        user = house.account(is_verified=False)
        for _ in range(3):
            self.credentials(house).refuse(EMAIL, SignInRefused.because("unverified", user.id))
        assert house.mailer.verifications == [(EMAIL, house.only_token().id)]

    def test_a_right_guess_after_a_wrong_one_writes_no_more_than_another_wrong_one(
        self, house: House
    ) -> None:
        user = house.account(is_verified=False)
        for reason in ("wrong_password", "unverified"):
            self.credentials(house).refuse(EMAIL, SignInRefused.because(reason, user.id))
        assert house.only_token().user_id is None

    @pytest.mark.parametrize("reason", ["wrong_password", "locked", "inactive", "unknown"])
    def test_every_other_refusal_writes_the_same_and_mails_nobody(
        self, house: House, reason: str
    ) -> None:
        user = house.account(is_verified=False)
        self.credentials(house).refuse(EMAIL, SignInRefused.because(reason, user.id))
        assert house.mailer.verifications == [(EMAIL, house.only_token().id)]
        assert house.only_token().user_id is None

    def test_an_old_hash_is_upgraded_with_the_confirmation(self, house: House) -> None:
        user = house.account(password_hash="old:drowssap")
        credentials = self.credentials(house)
        upgraded = credentials.upgraded_hash(user, "password")
        confirmed = credentials.confirm(Verified(user), upgraded)
        assert confirmed is not None
        assert house.users.users[user.id].password_hash == "hash:drowssap"
        assert confirmed.password_hash == "hash:drowssap"

    def test_a_hash_of_today_is_left_as_it_is(self, house: House) -> None:
        user = house.account(password_hash="hash:drowssap")
        assert self.credentials(house).upgraded_hash(user, "password") is None
