from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from core.errors import ErrorCode
from core.result import Failure, Success
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.users import (
    InMemoryCooldown,
    InMemoryOneUseTokenRepository,
    InMemoryUserRepository,
    RecordingMailer,
    ReversingPasswordService,
)
from users.application.registration import RegisterUser, RegisterUserHandler
from users.domain.events import UserRegistrationFailed, UserRegistrationSucceeded
from users.domain.password import PasswordPolicy
from users.domain.roles import Role
from users.domain.tokens import Purpose
from users.domain.user import User

EMAIL = "test@example.com"
PASSWORD = "SecurePass123!"
COMMAND = RegisterUser(email=EMAIL, password=PASSWORD)


@dataclass
class CountingPasswordService(ReversingPasswordService):
    hashed: list[str] = field(default_factory=list)

    def hash_password(self, plaintext: str) -> str:
        self.hashed.append(plaintext)
        return super().hash_password(plaintext)


@dataclass
class House:
    clock: FakeClock
    users: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    tokens: InMemoryOneUseTokenRepository = field(default_factory=InMemoryOneUseTokenRepository)
    passwords: CountingPasswordService = field(default_factory=CountingPasswordService)
    bus: StubEventBus = field(default_factory=StubEventBus)
    cooldown: InMemoryCooldown = field(default_factory=InMemoryCooldown)
    mailer: RecordingMailer = field(default_factory=RecordingMailer)

    def handler(self) -> RegisterUserHandler:
        return RegisterUserHandler(
            user_repo=self.users,
            verification_token_repo=self.tokens,
            password_service=self.passwords,
            event_bus=self.bus,
            clock=self.clock,
            policy=PasswordPolicy(12, frozenset({"passwordpassword"})),
            cooldown=self.cooldown,
            mailer=self.mailer,
        )

    def mails_that_leave(self) -> list[str]:
        """A link that is nobody's is not mailed when it is due."""
        links = [
            email
            for email, token_id in self.mailer.verifications
            if self.tokens.tokens[token_id].user_id is not None
        ]
        return links + self.mailer.already_registered

    def owner(self, **over: object) -> User:
        user = make_user(email=EMAIL, **over)
        self.users.save(user)
        return user


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestFreeAddress:
    """Uses fixtures: house."""

    def test_the_account_is_saved_under_the_id_that_is_returned(self, house: House) -> None:
        user_id = assert_success(house.handler().handle(COMMAND))
        assert list(house.users.users) == [user_id]

    def test_the_account_waits_for_its_verification(self, house: House) -> None:
        user = house.users.users[assert_success(house.handler().handle(COMMAND))]
        assert (user.is_verified, user.is_active, user.role) == (False, True, Role.USER)

    def test_the_password_is_kept_as_a_hash(self, house: House) -> None:
        user = house.users.users[assert_success(house.handler().handle(COMMAND))]
        assert user.password_hash == house.passwords.hash_password(PASSWORD)
        assert PASSWORD not in user.password_hash

    def test_the_address_is_kept_in_its_normal_form(self, house: House) -> None:
        command = RegisterUser(email=" Test@Example.com", password=PASSWORD)
        user = house.users.users[assert_success(house.handler().handle(command))]
        assert user.email == EMAIL

    def test_the_handlers_clock_dates_the_account(self, house: House) -> None:
        user = house.users.users[assert_success(house.handler().handle(COMMAND))]
        assert (user.created_at, user.updated_at) == (NOON, NOON)

    def test_the_command_may_date_it_instead(self, house: House) -> None:
        command = RegisterUser(email=EMAIL, password=PASSWORD, at=NOON + timedelta(hours=1))
        user = house.users.users[assert_success(house.handler().handle(command))]
        assert user.created_at == NOON + timedelta(hours=1)

    def test_a_token_that_verifies_the_address_is_mailed_to_it(self, house: House) -> None:
        user_id = assert_success(house.handler().handle(COMMAND))
        (token,) = house.tokens.tokens.values()
        assert (token.purpose, token.user_id) == (Purpose.EMAIL_VERIFICATION, user_id)
        assert token.expires_at == NOON + timedelta(hours=24)
        assert house.mailer.verifications == [(EMAIL, token.id)]

    def test_it_is_recorded_as_attempt_and_success(self, house: House) -> None:
        user_id = assert_success(house.handler().handle(COMMAND))
        assert house.bus.names == ["UserRegistrationAttempted", "UserRegistrationSucceeded"]
        succeeded = house.bus.published_events[1]
        assert isinstance(succeeded, UserRegistrationSucceeded)
        assert (succeeded.user_id, succeeded.email) == (user_id, EMAIL)

    def test_the_mailbox_gets_no_second_mail_at_once(self, house: House) -> None:
        house.handler().handle(COMMAND)
        house.handler().handle(COMMAND)
        assert len(house.mails_that_leave()) == 1


class TestTakenAddress:
    """Uses fixtures: house."""

    def test_it_is_refused_and_nothing_is_saved(self, house: House) -> None:
        owner = house.owner()
        assert_failure(house.handler().handle(COMMAND), ErrorCode.EMAIL_ALREADY_EXISTS)
        assert house.users.users == {owner.id: owner}

    def test_case_does_not_make_another_address(self, house: House) -> None:
        house.owner()
        command = RegisterUser(email="TEST@example.com", password=PASSWORD)
        assert_failure(house.handler().handle(command), ErrorCode.EMAIL_ALREADY_EXISTS)

    def test_the_owner_is_told_by_mail(self, house: House) -> None:
        house.owner()
        house.handler().handle(COMMAND)
        assert house.mailer.already_registered == [EMAIL]
        assert house.mailer.verifications == []

    def test_an_owner_who_is_not_verified_gets_a_new_link(self, house: House) -> None:
        owner = house.owner(is_verified=False)
        house.handler().handle(COMMAND)
        (token,) = house.tokens.tokens.values()
        assert token.user_id == owner.id
        assert house.mailer.verifications == [(EMAIL, token.id)]
        assert house.mailer.already_registered == []

    def test_an_owner_who_is_not_verified_keeps_the_first_password(self, house: House) -> None:
        owner = house.owner(is_verified=False)
        assert_failure(house.handler().handle(COMMAND), ErrorCode.EMAIL_ALREADY_EXISTS)
        assert house.users.users[owner.id] == owner

    @pytest.mark.parametrize("is_verified", [True, False])
    def test_the_owner_is_told_once_per_cool_down(self, house: House, is_verified: bool) -> None:
        house.owner(is_verified=is_verified)
        for _ in range(5):
            house.handler().handle(COMMAND)
        assert len(house.mails_that_leave()) == 1

    def test_the_owner_is_told_again_after_it(self, house: House) -> None:
        house.owner()
        house.handler().handle(COMMAND)
        house.cooldown.running.clear()
        house.handler().handle(COMMAND)
        assert house.mailer.already_registered == [EMAIL, EMAIL]

    def test_it_costs_one_hash_as_a_free_address_does(self, house: House) -> None:
        house.owner()
        house.handler().handle(COMMAND)
        assert house.passwords.hashed == [PASSWORD]

    def test_the_trail_knows_whose_address_it_is(self, house: House) -> None:
        owner = house.owner()
        house.handler().handle(COMMAND)
        assert house.bus.names == ["UserRegistrationAttempted", "UserRegistrationFailed"]
        failed = house.bus.published_events[1]
        assert isinstance(failed, UserRegistrationFailed)
        assert (failed.user_id, failed.reason) == (owner.id, "email_already_exists")

    @pytest.mark.parametrize("is_verified", [True, False])
    def test_each_refusal_writes_one_row_of_each_kind_as_a_registration_does(
        self, house: House, is_verified: bool
    ) -> None:
        house.owner(is_verified=is_verified)
        for refusals in (1, 2):
            house.handler().handle(COMMAND)
            ordered = house.mailer.already_registered + house.mailer.verifications
            assert (len(ordered), len(house.tokens.tokens)) == (refusals, refusals)


class TestRefusals:
    """Uses fixtures: house."""

    @pytest.mark.parametrize(
        ("email", "password", "code"),
        [
            ("invalid", PASSWORD, ErrorCode.INVALID_EMAIL),
            (EMAIL, "short", ErrorCode.WEAK_PASSWORD),
            (EMAIL, "PasswordPassword", ErrorCode.WEAK_PASSWORD),
            (EMAIL, "test@example.com", ErrorCode.WEAK_PASSWORD),
        ],
    )
    def test_bad_input_is_refused_before_anything_is_hashed_or_saved(
        self, house: House, email: str, password: str, code: ErrorCode
    ) -> None:
        assert_failure(house.handler().handle(RegisterUser(email=email, password=password)), code)
        assert (house.passwords.hashed, house.users.users) == ([], {})
        assert house.bus.names == ["UserRegistrationAttempted", "UserRegistrationFailed"]

    def test_a_weak_password_is_refused_alike_for_a_taken_address(self, house: House) -> None:
        command = RegisterUser(email=EMAIL, password="short")
        fresh = assert_failure(house.handler().handle(command), ErrorCode.WEAK_PASSWORD)
        house.owner()
        taken = assert_failure(house.handler().handle(command), ErrorCode.WEAK_PASSWORD)
        assert fresh == taken

    @pytest.mark.parametrize("email", [EMAIL, "invalid", "taken@example.com"])
    def test_no_event_carries_the_password(self, house: House, email: str) -> None:
        house.users.save(make_user(email="taken@example.com"))
        house.handler().handle(RegisterUser(email=email, password=PASSWORD))
        events = house.bus.published_events
        assert len(events) == 2
        assert PASSWORD not in repr(events)
        assert PASSWORD[::-1] not in repr(events)

    def test_the_password_is_not_in_the_commands_repr(self) -> None:
        assert PASSWORD not in repr(COMMAND)


class TestAlone:
    """Uses fixtures: clock."""

    def test_a_handler_without_cool_down_and_mailer_still_registers(self, clock: FakeClock) -> None:
        house = House(clock)
        handler = RegisterUserHandler(
            user_repo=house.users,
            verification_token_repo=house.tokens,
            password_service=house.passwords,
            event_bus=house.bus,
        )
        assert isinstance(handler.handle(COMMAND), Success)
        assert isinstance(handler.handle(COMMAND), Failure)
