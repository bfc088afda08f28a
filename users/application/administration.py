"""How an installation gets its admins: by a one-use link at its first start, or by a command."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from users.application.registration import draft_user
from users.domain.errors import ADMIN_EXISTS, EMAIL_TAKEN, INVALID_SETUP_TOKEN
from users.domain.events import (
    AdminCreationAttempted,
    AdminCreationFailed,
    AdminCreationSucceeded,
    SetupLinkIssued,
)
from users.domain.password import PasswordPolicy
from users.domain.roles import Role
from users.domain.tokens import OneUseToken, Purpose
from users.ports import OneUseTokenRepository, PasswordService, UserRepository


@dataclass(frozen=True, kw_only=True)
class IssueSetupLink:
    pass


@dataclass(frozen=True, kw_only=True)
class IssueSetupLinkHandler:
    """A link that was issued before stops working: only the newest can name the first admin."""

    user_repo: UserRepository
    setup_token_repo: OneUseTokenRepository
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: IssueSetupLink) -> Result[OneUseToken, DomainError]:
        if self.user_repo.admin_exists():
            return Failure(ADMIN_EXISTS)
        now = self.clock.now()
        self.event_bus.publish(SetupLinkIssued())
        self.setup_token_repo.supersede(Purpose.FIRST_ADMIN, now)
        return Success(self.setup_token_repo.issue(Purpose.FIRST_ADMIN, None, now))


@dataclass(frozen=True, kw_only=True)
class CreateAdmin:
    """`setup_token` is what the page asks for; who has a shell on the server needs none."""

    email: str
    password: str = field(repr=False)
    setup_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class CreateAdminHandler:
    user_repo: UserRepository
    setup_token_repo: OneUseTokenRepository
    password_service: PasswordService
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()
    policy: PasswordPolicy = PasswordPolicy()

    def handle(self, command: CreateAdmin) -> Result[UUID, DomainError]:
        now = self.clock.now()
        self.event_bus.publish(AdminCreationAttempted(email=command.email))
        # First of all: who has no link must learn nothing about addresses, and hash nothing.
        link = self._open_link(command.setup_token, now)
        if command.setup_token is not None and link is None:
            return self._refuse(command, INVALID_SETUP_TOKEN)
        drafted = draft_user(
            command.email, command.password, self.policy, self.password_service, now
        )
        if isinstance(drafted, Failure):
            return self._refuse(command, drafted.error)
        if self.user_repo.find_by_email(drafted.value.email) is not None:
            return self._refuse(command, EMAIL_TAKEN)  # before the link is spent
        if link is not None and not self.setup_token_repo.redeem(link.id, now):
            return self._refuse(command, INVALID_SETUP_TOKEN)
        admin = replace(drafted.value, role=Role.ADMIN, is_verified=True)
        if isinstance(self.user_repo.save(admin), Failure):
            return self._refuse(command, EMAIL_TAKEN)
        self.event_bus.publish(AdminCreationSucceeded(user_id=admin.id, email=admin.email))
        return Success(admin.id)

    def _open_link(self, text: str | None, now: datetime) -> OneUseToken | None:
        """None too when an admin came by another way: a link is for the first one."""
        link = self.setup_token_repo.find(text, Purpose.FIRST_ADMIN) if text is not None else None
        if link is None or not link.is_spendable(now) or self.user_repo.admin_exists():
            return None
        return link

    def _refuse(self, command: CreateAdmin, error: DomainError) -> Failure[DomainError]:
        self.event_bus.publish(AdminCreationFailed(email=command.email, reason=error.code))
        return Failure(error)
