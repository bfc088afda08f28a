"""Passwords: changed by who knows the old one, or chosen by link."""

from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError, ValidationError
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from users.application.credentials import PasswordCredentials
from users.application.device_passes import DevicePasses
from users.domain.claim import Claim, Known, KnownBy
from users.domain.errors import (
    INVALID_INVITATION,
    INVALID_RESET_TOKEN,
    NOT_THE_PASSWORD,
    USER_NOT_FOUND,
)
from users.domain.events import (
    InvitationAcceptanceAttempted,
    InvitationAcceptanceFailed,
    InvitationAcceptanceSucceeded,
    PasswordChangeAttempted,
    PasswordChangeFailed,
    PasswordChangeSucceeded,
    PasswordResetAttempted,
    PasswordResetFailed,
    PasswordResetSucceeded,
    SessionsForfeited,
)
from users.domain.notices import Notice
from users.domain.password import PasswordPolicy
from users.domain.tokens import OneUseToken, Purpose
from users.domain.user import User
from users.ports import (
    Mailer,
    OneUseTokenRepository,
    PasswordService,
    SignInGuard,
    UserRepository,
)


@dataclass(frozen=True, kw_only=True)
class ChangePassword:
    """From the session `session_id`, which stays; all others end."""

    user_id: UUID
    session_id: UUID
    current_password: str = field(repr=False)
    new_password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ChangePasswordHandler:
    user_repo: UserRepository
    token_repo: OneUseTokenRepository
    credentials: PasswordCredentials
    password_service: PasswordService
    mailer: Mailer
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()
    policy: PasswordPolicy = PasswordPolicy()

    def handle(self, command: ChangePassword) -> Result[None, DomainError]:
        self.event_bus.publish(PasswordChangeAttempted(user_id=command.user_id))
        known = self.user_repo.find_by_id(command.user_id)
        if known is None:
            return self._refuse(command, USER_NOT_FOUND, USER_NOT_FOUND.code)
        accepted = self.policy.check(command.new_password, known.email)
        if isinstance(accepted, Failure):
            error = replace(accepted.error, field="new_password")
            return self._refuse(command, error, error.code)
        # As at a sign-in: whoever holds a stolen session must not guess here without a count.
        session = KnownBy(Known.SESSION, command.session_id)
        claim = Claim(email=known.email, password=command.current_password, known_by=session)
        verified = self.credentials.verify(claim)
        if isinstance(verified, Failure):
            self.credentials.refuse(known.email, verified.error)
            return self._refuse(command, NOT_THE_PASSWORD, verified.error.reason)
        new_hash = self.password_service.hash_password(command.new_password)
        user = self.credentials.confirm(verified.value)
        if user is None:
            return self._refuse(command, NOT_THE_PASSWORD, "changed_meanwhile")
        self._change(command, user.with_password(new_hash))
        return Success(None)

    def _change(self, command: ChangePassword, user: User) -> None:
        now, kept = self.clock.now(), command.session_id
        self.user_repo.update(replace(user, updated_at=now))
        # Links that were mailed before, to whoever reads that mailbox, are over too.
        self.token_repo.supersede_all_of(user.id, now)
        self.event_bus.publish(
            SessionsForfeited(user_id=user.id, kept=kept, reason="password_changed")
        )
        self.mailer.send_notice(Notice.PASSWORD_CHANGED, user.email)
        self.event_bus.publish(PasswordChangeSucceeded(user_id=user.id, kept=kept))

    def _refuse(
        self, command: ChangePassword, error: DomainError, reason: str
    ) -> Failure[DomainError]:
        self.event_bus.publish(PasswordChangeFailed(user_id=command.user_id, reason=reason))
        return Failure(error)


@dataclass(frozen=True)
class ChoiceKind:
    """What a link is for on which somebody chooses a password."""

    purpose: Purpose
    refusal: ValidationError
    attempted: type[PasswordResetAttempted] | type[InvitationAcceptanceAttempted]
    succeeded: type[PasswordResetSucceeded] | type[InvitationAcceptanceSucceeded]
    failed: type[PasswordResetFailed] | type[InvitationAcceptanceFailed]


RESET: Final = ChoiceKind(
    Purpose.PASSWORD_RESET,
    INVALID_RESET_TOKEN,
    PasswordResetAttempted,
    PasswordResetSucceeded,
    PasswordResetFailed,
)
INVITATION: Final = ChoiceKind(
    Purpose.INVITATION,
    INVALID_INVITATION,
    InvitationAcceptanceAttempted,
    InvitationAcceptanceSucceeded,
    InvitationAcceptanceFailed,
)


@dataclass(frozen=True, kw_only=True)
class ChoosePassword:
    """All known devices become strangers again, but the one that shows its pass here."""

    token: str = field(repr=False)
    password: str = field(repr=False)
    device_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class ChoosePasswordHandler:
    """Whoever has the link reads the mailbox: the address counts as confirmed."""

    kind: ChoiceKind
    user_repo: UserRepository
    token_repo: OneUseTokenRepository
    guard: SignInGuard
    passes: DevicePasses
    password_service: PasswordService
    mailer: Mailer
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()
    policy: PasswordPolicy = PasswordPolicy()

    def handle(self, command: ChoosePassword) -> Result[UUID, DomainError]:
        self.event_bus.publish(self.kind.attempted())
        token = self.token_repo.find(command.token, self.kind.purpose)
        known = self._owner_of(token)
        if token is None or known is None:
            return self._refuse(token, self.kind.refusal)
        accepted = self.policy.check(command.password, known.email)
        if isinstance(accepted, Failure):  # before the link is spent
            return self._refuse(token, accepted.error)
        new_hash = self.password_service.hash_password(command.password)
        user = self.user_repo.lock(known.id)
        if user is None or not user.is_active or user.email != known.email:
            return self._refuse(token, self.kind.refusal)
        if not self.token_repo.redeem(token.id, self.clock.now()):
            return self._refuse(token, self.kind.refusal)
        self._choose(user, new_hash)
        self.passes.forget_all_of(user.id, command.device_token)
        self.event_bus.publish(self.kind.succeeded(user_id=user.id))
        return Success(user.id)

    def _owner_of(self, token: OneUseToken | None) -> User | None:
        if token is None or token.user_id is None or not token.is_spendable(self.clock.now()):
            return None
        user = self.user_repo.find_by_id(token.user_id)
        return user if user and user.is_active else None

    def _choose(self, user: User, new_hash: str) -> None:
        now = self.clock.now()
        changed = user.with_password(new_hash).with_tokens_ended()
        self.user_repo.update(replace(changed, is_verified=True, updated_at=now))
        self.token_repo.supersede_all_of(user.id, now)
        # Whoever was locked out by strangers, or forgot, gets in with what they have just chosen.
        self.guard.clear(user.email)
        if user.is_verified:  # else nobody has ever signed in
            self.event_bus.publish(SessionsForfeited(user_id=user.id, reason="password_reset"))
        self.mailer.send_notice(Notice.PASSWORD_CHANGED, user.email)

    def _refuse(self, token: OneUseToken | None, error: DomainError) -> Failure[DomainError]:
        user_id = token.user_id if token else None
        self.event_bus.publish(self.kind.failed(user_id=user_id, reason=error.code))
        return Failure(error)
