from dataclasses import dataclass, field, replace
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
    InMemoryDevicePassRepository,
    InMemoryOneUseTokenRepository,
    InMemorySignInGuard,
    InMemoryUserRepository,
    RecordingMailer,
    ReversingPasswordService,
    SignInPorts,
)
from users.application import passwords
from users.application.passwords import (
    ChangePassword,
    ChangePasswordHandler,
    ChoiceKind,
    ChoosePassword,
    ChoosePasswordHandler,
)
from users.domain.events import PasswordChangeFailed, PasswordResetFailed, SessionsForfeited
from users.domain.lockout import FailureCount
from users.domain.notices import Notice
from users.domain.tokens import OneUseToken, Purpose
from users.domain.user import User

EMAIL = "test@example.com"
PASSWORD = "SecurePass123!"
NEW = "a new one, quite long"
SESSION = uuid7()
LOCKED = FailureCount(5, NOON + timedelta(minutes=15))


@dataclass
class House:
    clock: FakeClock
    users: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    tokens: InMemoryOneUseTokenRepository = field(default_factory=InMemoryOneUseTokenRepository)
    guard: InMemorySignInGuard = field(default_factory=InMemorySignInGuard)
    hashes: ReversingPasswordService = field(default_factory=ReversingPasswordService)
    passes: InMemoryDevicePassRepository = field(default_factory=InMemoryDevicePassRepository)
    mailer: RecordingMailer = field(default_factory=RecordingMailer)
    bus: StubEventBus = field(default_factory=StubEventBus)

    def account(self, **over: Any) -> User:
        values = {"email": EMAIL, "password_hash": self.hashes.hash_password(PASSWORD)}
        user = make_user(**values | over)
        self.users.users[user.id] = user
        return user

    def now(self, user: User) -> User:
        return self.users.users[user.id]

    def link(self, user: User | None, purpose: Purpose = Purpose.PASSWORD_RESET) -> OneUseToken:
        return self.tokens.issue(purpose, user.id if user else None, self.clock.now())

    def ports(self) -> SignInPorts:
        return SignInPorts(
            self.users, self.guard, self.hashes, self.passes, bus=self.bus, clock=self.clock
        )

    def change(
        self, user: User, current: str = PASSWORD, new: str = NEW
    ) -> Result[None, DomainError]:
        handler = ChangePasswordHandler(
            user_repo=self.users,
            token_repo=self.tokens,
            credentials=self.ports().credentials(),
            password_service=self.hashes,
            mailer=self.mailer,
            event_bus=self.bus,
            clock=self.clock,
        )
        return handler.handle(
            ChangePassword(
                user_id=user.id, session_id=SESSION, current_password=current, new_password=new
            )
        )

    def choose(
        self,
        text: str,
        password: str = NEW,
        kind: ChoiceKind = passwords.RESET,
        device_token: str | None = None,
    ) -> Result[UUID, DomainError]:
        handler = ChoosePasswordHandler(
            kind=kind,
            user_repo=self.users,
            token_repo=self.tokens,
            guard=self.guard,
            passes=self.ports().device_passes(),
            password_service=self.hashes,
            mailer=self.mailer,
            event_bus=self.bus,
            clock=self.clock,
        )
        return handler.handle(
            ChoosePassword(token=text, password=password, device_token=device_token)
        )


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestChange:
    """Uses fixtures: house."""

    def test_the_new_password_is_kept_as_a_hash(self, house: House) -> None:
        user = house.account()
        assert_success(house.change(user))
        assert house.now(user).password_hash == house.hashes.hash_password(NEW)

    def test_the_version_of_tokens_stays_so_that_the_acting_session_does(
        self, house: House
    ) -> None:
        user = house.account()
        house.change(user)
        assert house.now(user).token_version == user.token_version

    def test_the_other_sessions_are_forfeited_before_the_outcome(self, house: House) -> None:
        house.change(house.account())
        assert house.bus.names == [
            "PasswordChangeAttempted",
            "SessionsForfeited",
            "PasswordChangeSucceeded",
        ]
        forfeited = house.bus.published_events[1]
        assert isinstance(forfeited, SessionsForfeited)
        assert (forfeited.kept, forfeited.reason) == (SESSION, "password_changed")

    def test_the_owner_is_told(self, house: House) -> None:
        house.change(house.account())
        assert house.mailer.notices == [(Notice.PASSWORD_CHANGED, EMAIL)]

    def test_links_that_were_mailed_before_are_over(self, house: House) -> None:
        user = house.account()
        link = house.link(user)
        house.change(user)
        assert house.tokens.tokens[link.id].spent_at is not None

    def test_a_wrong_current_password_counts_for_the_session(self, house: House) -> None:
        user = house.account()
        refused = house.change(user, current="wrong")
        assert_failure(refused, ErrorCode.INVALID_CREDENTIALS)
        assert house.guard.counts == {f"session:{SESSION}": FailureCount(1)}
        assert house.now(user) == user
        failed = house.bus.published_events[-1]
        assert isinstance(failed, PasswordChangeFailed)
        assert failed.reason == "wrong_password"

    def test_strangers_cannot_lock_the_owner_out(self, house: House) -> None:
        house.guard.counts[EMAIL] = LOCKED
        assert_success(house.change(house.account()))

    def test_a_locked_session_is_answered_like_a_wrong_password(self, house: House) -> None:
        user = house.account()
        house.guard.counts[f"session:{SESSION}"] = LOCKED
        right = assert_failure(house.change(user), ErrorCode.INVALID_CREDENTIALS)
        wrong = assert_failure(house.change(user, current="x"), ErrorCode.INVALID_CREDENTIALS)
        assert right == wrong

    def test_a_weak_new_password_is_refused_by_its_own_field(self, house: House) -> None:
        user = house.account()
        error = assert_failure(house.change(user, new="short"), ErrorCode.WEAK_PASSWORD)
        assert getattr(error, "field", None) == "new_password"
        assert (house.now(user), house.guard.counts) == (user, {})

    def test_an_account_that_is_gone_is_refused(self, house: House) -> None:
        assert_failure(house.change(make_user()), ErrorCode.USER_NOT_FOUND)

    def test_an_account_that_changes_meanwhile_is_refused(self, house: House) -> None:
        user = house.account()

        class Changing(ReversingPasswordService):
            def hash_password(self, plaintext: str) -> str:
                if plaintext == NEW:
                    house.users.users[user.id] = replace(user, password_hash="another")
                return super().hash_password(plaintext)

        house.hashes = Changing()
        assert_failure(house.change(user), ErrorCode.INVALID_CREDENTIALS)
        assert house.now(user).password_hash == "another"

    def test_no_password_prints(self) -> None:
        command = ChangePassword(
            user_id=uuid7(), session_id=SESSION, current_password=PASSWORD, new_password=NEW
        )
        assert not [secret for secret in (PASSWORD, NEW) if secret in repr(command)]


class TestReset:
    """Uses fixtures: house."""

    def test_the_link_sets_the_password_and_confirms_the_address(self, house: House) -> None:
        user = house.account(is_verified=False)
        assert assert_success(house.choose(house.link(user).text(KEYS))) == user.id
        assert house.now(user).password_hash == house.hashes.hash_password(NEW)
        assert house.now(user).is_verified is True

    def test_whatever_was_handed_out_before_ends(self, house: House) -> None:
        user = house.account()
        house.choose(house.link(user).text(KEYS))
        assert house.now(user).token_version == user.token_version + 1
        assert house.bus.names[1:] == ["SessionsForfeited", "PasswordResetSucceeded"]

    def test_devices_are_forgotten_but_the_one_that_shows_its_pass(self, house: House) -> None:
        user, other = house.account(), house.account(email="other@example.com")
        grant = house.ports().device_passes().grant
        kept, _, foreign = grant(user.id), grant(user.id), grant(other.id)
        house.choose(house.link(user).text(KEYS), device_token=kept.text(KEYS))
        assert house.passes.passes == {kept.id: kept, foreign.id: foreign}
        assert "DevicesForgotten" in house.bus.names

    def test_the_pass_of_somebody_else_keeps_nothing(self, house: House) -> None:
        user, other = house.account(), house.account(email="other@example.com")
        grant = house.ports().device_passes().grant
        _, foreign = grant(user.id), grant(other.id)
        house.choose(house.link(user).text(KEYS), device_token=foreign.text(KEYS))
        assert house.passes.passes == {foreign.id: foreign}

    def test_the_lock_of_the_address_and_other_links_are_over(self, house: House) -> None:
        user = house.account()
        house.guard.counts[EMAIL] = LOCKED
        first, second = house.link(user), house.link(user)
        house.choose(first.text(KEYS))
        assert house.guard.counts == {}
        assert_failure(house.choose(second.text(KEYS)), ErrorCode.INVALID_ONE_USE_TOKEN)

    @pytest.mark.conforms("A21")
    def test_the_owner_is_told(self, house: House) -> None:
        house.choose(house.link(house.account()).text(KEYS))
        assert house.mailer.notices == [(Notice.PASSWORD_CHANGED, EMAIL)]

    def test_the_link_works_once_and_for_an_hour(self, house: House) -> None:
        user = house.account()
        text, late = house.link(user).text(KEYS), house.link(user).text(KEYS)
        house.clock.advance(timedelta(hours=1))
        for each in (late, text):
            assert_failure(house.choose(each), ErrorCode.INVALID_ONE_USE_TOKEN)
        assert house.now(user) == user

    def test_a_weak_password_does_not_spend_the_link(self, house: House) -> None:
        text = house.link(house.account()).text(KEYS)
        assert_failure(house.choose(text, "short"), ErrorCode.WEAK_PASSWORD)
        assert_success(house.choose(text))

    @pytest.mark.parametrize("text", ["", "dsh_once_" + "A" * 64, "\x00", "\ud800"])
    def test_what_is_no_link_is_refused_without_a_hash(self, house: House, text: str) -> None:
        assert_failure(house.choose(text), ErrorCode.INVALID_ONE_USE_TOKEN)
        assert house.bus.names == ["PasswordResetAttempted", "PasswordResetFailed"]

    def test_the_token_of_nobody_opens_nothing(self, house: House) -> None:
        text = house.link(None).text(KEYS)
        assert_failure(house.choose(text), ErrorCode.INVALID_ONE_USE_TOKEN)

    def test_a_link_for_something_else_is_refused(self, house: House) -> None:
        text = house.link(house.account(), Purpose.EMAIL_VERIFICATION).text(KEYS)
        assert_failure(house.choose(text), ErrorCode.INVALID_ONE_USE_TOKEN)

    def test_an_inactive_account_is_refused_and_on_record(self, house: House) -> None:
        user = house.account(is_active=False)
        refused = house.choose(house.link(user).text(KEYS))
        assert_failure(refused, ErrorCode.INVALID_ONE_USE_TOKEN)
        failed = house.bus.published_events[-1]
        assert isinstance(failed, PasswordResetFailed)
        assert (failed.user_id, failed.reason) == (user.id, "invalid_one_use_token")


class TestInvitation:
    """Uses fixtures: house."""

    def test_the_person_chooses_the_first_password(self, house: House) -> None:
        user = house.account(is_verified=False, password_hash=house.hashes.unusable_hash())
        text = house.link(user, Purpose.INVITATION).text(KEYS)
        assert_success(house.choose(text, kind=passwords.INVITATION))
        assert house.now(user).can_login() is True
        assert house.bus.names == [
            "InvitationAcceptanceAttempted",
            "InvitationAcceptanceSucceeded",
        ]

    def test_a_reset_link_is_no_invitation(self, house: House) -> None:
        text = house.link(house.account()).text(KEYS)
        refused = house.choose(text, kind=passwords.INVITATION)
        assert_failure(refused, ErrorCode.INVALID_ONE_USE_TOKEN)
