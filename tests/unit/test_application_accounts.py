from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.result import Result
from tests.assertions import assert_failure, assert_success
from tests.factories import make_user
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.users import (
    InMemoryDevicePassRepository,
    InMemoryOneUseTokenRepository,
    InMemorySignInGuard,
    InMemoryUserRepository,
    RecordingMailer,
    ReversingPasswordService,
)
from users.application.accounts import (
    ChangeAccount,
    ChangeAccountHandler,
    DeleteAccount,
    DeleteAccountHandler,
    InviteUser,
    InviteUserHandler,
    PurgedTokens,
    PurgeTokens,
    PurgeTokensHandler,
)
from users.domain.events import (
    AccountChangeAttempted,
    EmailVouchedFor,
    LimitsChanged,
    RoleChanged,
    SessionsForfeited,
)
from users.domain.lockout import FailureCount
from users.domain.notices import Notice
from users.domain.roles import Role, SessionTier
from users.domain.tokens import Purpose
from users.domain.user import User

EMAIL = "test@example.com"


@dataclass
class House:
    clock: FakeClock
    users: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    tokens: InMemoryOneUseTokenRepository = field(default_factory=InMemoryOneUseTokenRepository)
    guard: InMemorySignInGuard = field(default_factory=InMemorySignInGuard)
    mailer: RecordingMailer = field(default_factory=RecordingMailer)
    bus: StubEventBus = field(default_factory=StubEventBus)

    def account(self, email: str = EMAIL, **over: Any) -> User:
        user = make_user(email=email, **over)
        self.users.users[user.id] = user
        return user

    def admin(self, email: str = "admin@example.com") -> User:
        return self.account(email, role=Role.ADMIN)

    def change(self, user: User, by: User, **changes: Any) -> Result[User, DomainError]:
        handler = ChangeAccountHandler(
            user_repo=self.users, token_repo=self.tokens, event_bus=self.bus, clock=self.clock
        )
        return handler.handle(ChangeAccount(user_id=user.id, actor_id=by.id, **changes))

    def delete(self, user: User) -> Result[None, DomainError]:
        handler = DeleteAccountHandler(
            user_repo=self.users, guard=self.guard, mailer=self.mailer, event_bus=self.bus
        )
        return handler.handle(DeleteAccount(user_id=user.id))

    def invite(self, email: str, role: Role = Role.USER) -> Result[User, DomainError]:
        handler = InviteUserHandler(
            user_repo=self.users,
            token_repo=self.tokens,
            password_service=ReversingPasswordService(),
            mailer=self.mailer,
            event_bus=self.bus,
            clock=self.clock,
        )
        return handler.handle(InviteUser(email=email, role=role))

    def forfeited(self) -> list[str]:
        events = self.bus.published_events
        return [event.reason for event in events if isinstance(event, SessionsForfeited)]


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestChange:
    """Uses fixtures: house."""

    def test_a_promotion_is_a_fact_with_the_old_and_the_new_role(self, house: House) -> None:
        user = house.account()
        changed = assert_success(house.change(user, house.admin(), role=Role.AUDITOR))
        assert house.users.users[user.id] == changed
        fact = house.bus.published_events[1]
        assert isinstance(fact, RoleChanged)
        assert (fact.old, fact.new) == ("user", "auditor")
        assert (house.forfeited(), changed.token_version) == ([], user.token_version)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [({"role": Role.USER}, "demoted"), ({"is_active": False}, "deactivated")],
    )
    def test_what_is_lost_ends_the_sessions_tokens_and_links(
        self, house: House, changes: dict[str, Any], reason: str
    ) -> None:
        user = house.account(role=Role.AUDITOR)
        link = house.tokens.issue(Purpose.PASSWORD_RESET, user.id, house.clock.now())
        changed = assert_success(house.change(user, house.admin(), **changes))
        assert house.forfeited() == [reason]
        assert changed.token_version == user.token_version + 1
        assert house.tokens.tokens[link.id].spent_at is not None
        assert house.bus.names[-1] == "AccountChangeSucceeded"

    def test_a_person_can_be_let_in_again(self, house: House) -> None:
        user = house.account(is_active=False)
        assert assert_success(house.change(user, house.admin(), is_active=True)).is_active is True
        assert house.forfeited() == []

    def test_an_admin_can_vouch_for_an_address(self, house: House) -> None:
        user = house.account(is_verified=False)
        changed = assert_success(house.change(user, house.admin(), is_verified=True))
        assert (changed.is_verified, changed.token_version) == (True, user.token_version)
        fact = house.bus.published_events[1]
        assert isinstance(fact, EmailVouchedFor)
        assert fact.user_id == user.id

    def test_what_the_admin_says_stands_beside_the_attempt(self, house: House) -> None:
        user = house.account()
        house.change(user, house.admin(), role=Role.AUDITOR, stated_reason="asked for by the board")
        attempt = house.bus.published_events[0]
        assert isinstance(attempt, AccountChangeAttempted)
        assert attempt.stated_reason == "asked for by the board"

    def test_limits_change_together_and_none_is_the_tiers(self, house: House) -> None:
        user = house.account(max_sessions=7)
        house.change(user, house.admin(), session_tier=SessionTier.PLUS, max_sessions=None)
        fact = house.bus.published_events[1]
        assert isinstance(fact, LimitsChanged)
        assert (fact.old_tier, fact.new_tier) == ("basic", "plus")
        assert (fact.old_max_sessions, fact.new_max_sessions) == (7, None)

    def test_what_stays_as_it_is_is_no_fact(self, house: House) -> None:
        user = house.account(max_sessions=7)
        assert assert_success(house.change(user, house.admin(), is_active=True)) == user
        assert house.bus.names == ["AccountChangeAttempted", "AccountChangeSucceeded"]

    def test_nobody_changes_their_own_role(self, house: House) -> None:
        admin = house.admin()
        house.admin("second@example.com")
        assert_failure(house.change(admin, admin, role=Role.USER), ErrorCode.OWN_ROLE)
        assert house.users.users[admin.id] == admin

    def test_the_last_admin_who_can_sign_in_stays_one(self, house: House) -> None:
        admin = house.admin()
        house.account("away@example.com", role=Role.ADMIN, is_active=False)
        house.account("new@example.com", role=Role.ADMIN, is_verified=False)
        assert_failure(house.change(admin, admin, is_active=False), ErrorCode.LAST_ADMIN)
        other = house.account()
        assert_failure(house.change(admin, other, role=Role.USER), ErrorCode.LAST_ADMIN)
        assert house.users.users[admin.id] == admin

    def test_one_of_two_admins_may_go(self, house: House) -> None:
        admin = house.admin()
        house.admin("second@example.com")
        assert_success(house.change(admin, admin, is_active=False))

    def test_one_refusal_refuses_all(self, house: House) -> None:
        admin = house.admin()
        changes = {"session_tier": SessionTier.PRO, "is_active": False}
        assert_failure(house.change(admin, admin, **changes), ErrorCode.LAST_ADMIN)
        assert house.users.users[admin.id].session_tier is SessionTier.BASIC

    def test_an_unknown_account_is_refused(self, house: House) -> None:
        stranger = make_user(id=uuid7())
        assert_failure(house.change(stranger, house.admin()), ErrorCode.USER_NOT_FOUND)


class TestDeletion:
    """Uses fixtures: house."""

    def test_the_account_goes_and_its_owner_is_told(self, house: House) -> None:
        user = house.account()
        house.guard.counts[EMAIL] = FailureCount(3)
        assert_success(house.delete(user))
        assert (house.users.users, house.guard.counts) == ({}, {})
        assert house.mailer.notices == [(Notice.ACCOUNT_DELETED, EMAIL)]
        assert house.forfeited() == ["account_deleted"]
        assert house.bus.names[-1] == "DeletionSucceeded"

    def test_the_last_admin_cannot(self, house: House) -> None:
        admin = house.admin()
        assert_failure(house.delete(admin), ErrorCode.LAST_ADMIN)
        assert house.users.users == {admin.id: admin}
        assert house.bus.names == ["DeletionAttempted", "DeletionFailed"]

    def test_who_is_gone_cannot_go_again(self, house: House) -> None:
        assert_failure(house.delete(make_user()), ErrorCode.USER_NOT_FOUND)


class TestInvitation:
    """Uses fixtures: house."""

    def test_it_makes_an_account_that_nobody_can_use_yet(self, house: House) -> None:
        user = assert_success(house.invite(" NEW@example.com", Role.AUDITOR))
        assert (user.email, user.role, user.is_verified) == ("new@example.com", Role.AUDITOR, False)
        assert user.password_hash == ReversingPasswordService().unusable_hash()
        (token,) = house.tokens.tokens.values()
        assert house.mailer.links == [(Purpose.INVITATION, user.email, token.id)]

    def test_a_taken_address_and_none_at_all_are_told(self, house: House) -> None:
        house.account()
        assert_failure(house.invite(EMAIL), ErrorCode.EMAIL_ALREADY_EXISTS)
        assert_failure(house.invite("no address"), ErrorCode.INVALID_EMAIL)
        assert house.mailer.links == []


class TestPurge:
    """Uses fixtures: house."""

    @pytest.mark.conforms("L19")
    def test_tokens_that_expired_long_ago_go_on_record(self, house: House) -> None:
        house.tokens.issue(Purpose.EMAIL_CHANGE, uuid7(), house.clock.now(), "new@example.com")
        handler = PurgeTokensHandler(
            token_repo=house.tokens,
            pass_repo=InMemoryDevicePassRepository(),
            guard=house.guard,
            event_bus=house.bus,
            clock=house.clock,
        )
        assert assert_success(handler.handle(PurgeTokens())).total == 0
        house.clock.advance(timedelta(days=32))
        assert handler.look() == PurgedTokens(tokens=1, device_passes=0, failure_counts=0)
        assert house.bus.names == []
        assert assert_success(handler.handle(PurgeTokens())).total == 1
        assert (house.tokens.tokens, house.bus.names) == ({}, ["TokensPurged"])
