from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from core.errors import ConflictError, DomainError, ErrorCode
from core.result import Failure, Result
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
from users.application.administration import (
    CreateAdmin,
    CreateAdminHandler,
    IssueSetupLink,
    IssueSetupLinkHandler,
)
from users.domain.errors import EMAIL_TAKEN
from users.domain.events import AdminCreationFailed
from users.domain.roles import Role
from users.domain.tokens import OneUseToken, Purpose
from users.domain.user import User

EMAIL = "admin@example.com"
PASSWORD = "SecurePass123!"


class LosingRepository(InMemoryUserRepository):
    def save(self, user: User) -> Result[None, ConflictError]:
        return Failure(EMAIL_TAKEN)


class RacedTokens(InMemoryOneUseTokenRepository):
    def redeem(self, token_id: UUID, now: datetime) -> bool:
        return False


@dataclass
class House:
    clock: FakeClock
    users: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    tokens: InMemoryOneUseTokenRepository = field(default_factory=InMemoryOneUseTokenRepository)
    bus: StubEventBus = field(default_factory=StubEventBus)

    def link(self, purpose: Purpose = Purpose.FIRST_ADMIN) -> str:
        return self.tokens.issue(purpose, None, self.clock.now()).text(KEYS)

    def create(
        self, token: str | None = None, email: str = EMAIL, password: str = PASSWORD
    ) -> Result[UUID, DomainError]:
        handler = CreateAdminHandler(
            user_repo=self.users,
            setup_token_repo=self.tokens,
            password_service=ReversingPasswordService(),
            event_bus=self.bus,
            clock=self.clock,
        )
        return handler.handle(CreateAdmin(email=email, password=password, setup_token=token))

    def issue(self) -> Result[OneUseToken, DomainError]:
        handler = IssueSetupLinkHandler(
            user_repo=self.users,
            setup_token_repo=self.tokens,
            event_bus=self.bus,
            clock=self.clock,
        )
        return handler.handle(IssueSetupLink())


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestByCommand:
    """Uses fixtures: house."""

    def test_who_has_a_shell_needs_no_link(self, house: House) -> None:
        admin = house.users.users[assert_success(house.create())]
        assert (admin.role, admin.is_verified) == (Role.ADMIN, True)
        assert admin.can_login() is True

    def test_the_password_is_kept_as_a_hash(self, house: House) -> None:
        admin = house.users.users[assert_success(house.create())]
        assert admin.password_hash == ReversingPasswordService().hash_password(PASSWORD)

    def test_a_second_admin_may_be_made(self, house: House) -> None:
        house.create()
        assert_success(house.create(email="second@example.com"))
        assert len(house.users.users) == 2

    @pytest.mark.parametrize(
        ("email", "password", "code"),
        [
            ("invalid", PASSWORD, ErrorCode.INVALID_EMAIL),
            (EMAIL, "short", ErrorCode.WEAK_PASSWORD),
            (EMAIL, "admin@example.com", ErrorCode.WEAK_PASSWORD),
        ],
    )
    def test_the_rules_of_registration_hold(
        self, house: House, email: str, password: str, code: ErrorCode
    ) -> None:
        assert_failure(house.create(email=email, password=password), code)
        assert house.users.users == {}

    def test_a_taken_address_is_refused(self, house: House) -> None:
        house.users.save(make_user(email=EMAIL))
        assert_failure(house.create(), ErrorCode.EMAIL_ALREADY_EXISTS)

    def test_the_loser_of_a_race_is_refused_alike(self, house: House) -> None:
        house.users = LosingRepository()
        assert_failure(house.create(), ErrorCode.EMAIL_ALREADY_EXISTS)
        assert house.bus.names == ["AdminCreationAttempted", "AdminCreationFailed"]

    def test_it_is_recorded_as_attempt_and_success(self, house: House) -> None:
        admin_id = assert_success(house.create())
        assert house.bus.names == ["AdminCreationAttempted", "AdminCreationSucceeded"]
        assert house.bus.published_events[1].user_id == admin_id


class TestByLink:
    """Uses fixtures: house."""

    def test_the_link_makes_the_first_admin(self, house: House) -> None:
        admin = house.users.users[assert_success(house.create(house.link()))]
        assert admin.role is Role.ADMIN

    def test_the_link_works_once(self, house: House) -> None:
        text = house.link()
        house.create(text)
        assert_failure(
            house.create(text, email="second@example.com"), ErrorCode.INVALID_ONE_USE_TOKEN
        )

    def test_the_link_works_for_less_than_a_day(self, house: House) -> None:
        text = house.link()
        house.clock.advance(timedelta(hours=24))
        assert_failure(house.create(text), ErrorCode.INVALID_ONE_USE_TOKEN)
        assert house.users.users == {}

    @pytest.mark.parametrize("text", ["", "dsh_once_" + "A" * 64, "\x00", "\ud800"])
    def test_what_is_no_link_is_refused(self, house: House, text: str) -> None:
        assert_failure(house.create(text), ErrorCode.INVALID_ONE_USE_TOKEN)
        assert house.users.users == {}

    def test_a_token_for_another_purpose_is_refused(self, house: House) -> None:
        text = house.link(Purpose.EMAIL_VERIFICATION)
        assert_failure(house.create(text), ErrorCode.INVALID_ONE_USE_TOKEN)

    def test_a_link_is_for_the_first_admin_alone(self, house: House) -> None:
        text = house.link()
        house.create()
        refused = house.create(text, email="second@example.com")
        assert_failure(refused, ErrorCode.INVALID_ONE_USE_TOKEN)
        assert len(house.users.users) == 1

    @pytest.mark.parametrize("password", [PASSWORD, "short"])
    def test_who_has_no_link_does_not_learn_who_has_an_account(
        self, house: House, password: str
    ) -> None:
        house.users.save(make_user(email=EMAIL))
        taken = house.create("dsh_once_" + "A" * 64, email=EMAIL, password=password)
        free = house.create("dsh_once_" + "A" * 64, email="free@example.com", password=password)
        assert assert_failure(taken, ErrorCode.INVALID_ONE_USE_TOKEN) == assert_failure(
            free, ErrorCode.INVALID_ONE_USE_TOKEN
        )

    @pytest.mark.parametrize(
        ("email", "password"), [("taken@example.com", PASSWORD), (EMAIL, "short")]
    )
    def test_a_mistake_in_the_form_does_not_spend_the_link(
        self, house: House, email: str, password: str
    ) -> None:
        house.users.save(make_user(email="taken@example.com"))
        text = house.link()
        assert isinstance(house.create(text, email=email, password=password), Failure)
        assert_success(house.create(text))

    def test_the_loser_of_a_race_for_the_link_is_refused(self, house: House) -> None:
        house.tokens = RacedTokens()
        assert_failure(house.create(house.link()), ErrorCode.INVALID_ONE_USE_TOKEN)
        assert house.users.users == {}

    def test_a_refusal_is_on_record_with_its_reason(self, house: House) -> None:
        house.create("no link")
        failed = house.bus.published_events[-1]
        assert isinstance(failed, AdminCreationFailed)
        assert failed.reason == "invalid_one_use_token"

    def test_neither_password_nor_link_prints(self, house: House) -> None:
        text = house.link()
        house.create(text)
        said = repr(CreateAdmin(email=EMAIL, password=PASSWORD, setup_token=text))
        said += repr(house.bus.published_events)
        assert EMAIL in said
        assert not [secret for secret in (text, PASSWORD) if secret in said]


class TestIssueSetupLink:
    """Uses fixtures: house."""

    def test_a_link_lives_for_a_day(self, house: House) -> None:
        assert_success(house.issue())
        (token,) = house.tokens.tokens.values()
        assert (token.purpose, token.user_id) == (Purpose.FIRST_ADMIN, None)
        assert token.expires_at == NOON + timedelta(hours=24)

    def test_a_link_that_was_issued_before_stops_working(self, house: House) -> None:
        earlier = house.link()
        house.issue()
        assert_failure(house.create(earlier), ErrorCode.INVALID_ONE_USE_TOKEN)

    def test_links_in_mails_keep_working(self, house: House) -> None:
        mailed = house.tokens.issue(Purpose.EMAIL_VERIFICATION, None, NOON)
        house.issue()
        assert house.tokens.tokens[mailed.id].is_spendable(NOON) is True

    def test_no_link_is_issued_once_there_is_an_admin(self, house: House) -> None:
        house.create()
        assert_failure(house.issue(), ErrorCode.ADMIN_ALREADY_EXISTS)
        assert house.tokens.tokens == {}

    def test_the_issue_is_on_record(self, house: House) -> None:
        house.issue()
        assert house.bus.names == ["SetupLinkIssued"]
