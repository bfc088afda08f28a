"""Mails with a one-use link: asked for by whoever knows the address, or by an admin."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from users.domain.email import Email
from users.domain.errors import ACCOUNT_INACTIVE, USER_NOT_FOUND
from users.domain.events import (
    PasswordResetRequestAttempted,
    PasswordResetRequestFailed,
    PasswordResetRequestSucceeded,
    VerificationRequestAttempted,
    VerificationRequestFailed,
    VerificationRequestSucceeded,
)
from users.domain.tokens import Purpose
from users.domain.user import User
from users.ports import Cooldown, Mailer, OneUseTokenRepository, UserRepository

Attempted = type[PasswordResetRequestAttempted] | type[VerificationRequestAttempted]
Succeeded = type[PasswordResetRequestSucceeded] | type[VerificationRequestSucceeded]
Failed = type[PasswordResetRequestFailed] | type[VerificationRequestFailed]


@dataclass(frozen=True)
class LinkKind:
    """`refusal` says why this account gets no such link, or None."""

    purpose: Purpose
    attempted: Attempted
    succeeded: Succeeded
    failed: Failed
    refusal: Callable[[User], str | None]


def _no_reset(user: User) -> str | None:
    return None if user.is_active else "inactive"


def _no_verification(user: User) -> str | None:
    return "verified" if user.is_verified else _no_reset(user)


RESET: Final = LinkKind(
    Purpose.PASSWORD_RESET,
    PasswordResetRequestAttempted,
    PasswordResetRequestSucceeded,
    PasswordResetRequestFailed,
    _no_reset,
)
VERIFICATION: Final = LinkKind(
    Purpose.EMAIL_VERIFICATION,
    VerificationRequestAttempted,
    VerificationRequestSucceeded,
    VerificationRequestFailed,
    _no_verification,
)


@dataclass(frozen=True, kw_only=True)
class RequestLink:
    email: str


@dataclass(frozen=True, kw_only=True)
class RequestLinkHandler:
    """The trail tells what happened; callers are told nothing, not even by the clock: no hash is
    made for anybody, and an address that gets no link costs the same statements as one that does.
    Its token is nobody's, and its mail is dropped by the worker when it is due."""

    kind: LinkKind
    user_repo: UserRepository
    token_repo: OneUseTokenRepository
    cooldown: Cooldown
    mailer: Mailer
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: RequestLink) -> Result[None, DomainError]:
        self.event_bus.publish(self.kind.attempted(email=command.email))
        address = Email.create(command.email)
        if isinstance(address, Failure):  # whoever sent it knows that it is none
            return self._end(command.email, None, address.error.code)
        email = address.value.value
        user = self.user_repo.find_by_email(email)
        if not self.cooldown.claim(email):
            return self._end(email, user, "cooldown")
        refusal = self.kind.refusal(user) if user else "unknown"
        owner = user.id if user and refusal is None else None
        token = self.token_repo.issue(self.kind.purpose, owner, self.clock.now())
        self.mailer.send_link(self.kind.purpose, email, token.id)
        return self._end(email, user, refusal)

    def _end(self, email: str, user: User | None, reason: str | None) -> Result[None, DomainError]:
        user_id = user.id if user else None
        if reason is None:
            self.event_bus.publish(self.kind.succeeded(user_id=user_id, email=email))
        else:
            self.event_bus.publish(self.kind.failed(user_id=user_id, email=email, reason=reason))
        return Success(None)


@dataclass(frozen=True, kw_only=True)
class StartPasswordReset:
    """By an admin, who neither chooses nor learns anything (ASVS 6.4.6)."""

    user_id: UUID
    stated_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class StartPasswordResetHandler:
    user_repo: UserRepository
    token_repo: OneUseTokenRepository
    mailer: Mailer
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: StartPasswordReset) -> Result[None, DomainError]:
        user_id = command.user_id
        self.event_bus.publish(
            PasswordResetRequestAttempted(user_id=user_id, stated_reason=command.stated_reason)
        )
        user = self.user_repo.find_by_id(user_id)
        if user is None or not user.is_active:
            error = ACCOUNT_INACTIVE if user else USER_NOT_FOUND
            self.event_bus.publish(PasswordResetRequestFailed(user_id=user_id, reason=error.code))
            return Failure(error)
        token = self.token_repo.issue(Purpose.PASSWORD_RESET, user_id, self.clock.now())
        self.mailer.send_link(Purpose.PASSWORD_RESET, user.email, token.id)
        self.event_bus.publish(PasswordResetRequestSucceeded(user_id=user_id, email=user.email))
        return Success(None)


@dataclass(frozen=True, kw_only=True)
class OwnersLinks:
    """What the owner of an account is mailed when somebody is refused there."""

    user_repo: UserRepository
    token_repo: OneUseTokenRepository
    cooldown: Cooldown
    mailer: Mailer

    def mail_unlock(self, email: str, now: datetime) -> None:
        """Strangers have just locked devices that are not known. For an address without an account
        the same rows are written, and the mail is dropped when it is due."""
        user = self.user_repo.find_by_email(email)
        owner = user.id if user and user.can_login() else None
        token = self.token_repo.issue(Purpose.UNLOCK, owner, now)
        self.mailer.send_link(Purpose.UNLOCK, email, token.id)

    def mail_verification(self, email: str, user_id: UUID | None, now: datetime) -> None:
        """To whoever proved the password of an account that is not verified. For everybody else
        the same rows are written in the same period: else a right guess would be told from a wrong
        one. A stranger can use the period up; whoever needs the link can ask for it."""
        if self.cooldown.claim(email):
            token = self.token_repo.issue(Purpose.EMAIL_VERIFICATION, user_id, now)
            self.mailer.send_verification(email, token.id)
