"""From an address and a password to a verified account."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError, ValidationError
from core.ids import uuid7
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from users.domain.errors import (
    EMAIL_TAKEN,
    INVALID_ONE_USE_TOKEN,
    REGISTRATION_CLOSED,
    WRONG_PASSWORD,
)
from users.domain.events import (
    EmailVerificationAttempted,
    EmailVerificationFailed,
    EmailVerificationSucceeded,
    UserRegistrationAttempted,
    UserRegistrationFailed,
    UserRegistrationSucceeded,
)
from users.domain.notices import Notice
from users.domain.password import PasswordPolicy
from users.domain.tokens import OneUseToken, Purpose
from users.domain.user import User
from users.ports import Cooldown, Mailer, OneUseTokenRepository, PasswordService, UserRepository


class _Silent:
    """Where a handler stands alone: no mailbox to fill, none to protect."""

    def start(self, email: str) -> None: ...

    def claim(self, email: str) -> bool:
        return False

    def send_verification(self, email: str, token_id: UUID) -> None: ...

    def send_already_registered(self, email: str) -> None: ...

    def send_link(self, purpose: Purpose, email: str, token_id: UUID) -> None: ...

    def send_notice(self, notice: Notice, email: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class RegisterUser:
    """`user_id` and `at` are what the caller has already told, or will tell, of the account."""

    email: str
    password: str = field(repr=False)
    user_id: UUID = field(default_factory=uuid7)
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RegisterUserHandler:
    """Does the same work for a taken address as for a free one: one hash, one row of each kind. The
    unique index decides who was first, not a look before."""

    user_repo: UserRepository
    verification_token_repo: OneUseTokenRepository
    password_service: PasswordService
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()
    policy: PasswordPolicy = PasswordPolicy()
    cooldown: Cooldown = _Silent()
    mailer: Mailer = _Silent()
    is_open: bool = True

    def handle(self, command: RegisterUser) -> Result[UUID, DomainError]:
        now = command.at or self.clock.now()
        self.event_bus.publish(UserRegistrationAttempted(email=command.email))
        if not self.is_open:
            return self._refuse(command.email, REGISTRATION_CLOSED)
        drafted = self._draft(command, now)
        if isinstance(drafted, Failure):
            return self._refuse(command.email, drafted.error)
        user = replace(drafted.value, id=command.user_id)
        # Looked up for a free address too: the statement would tell them apart by the clock.
        owner = self.user_repo.find_by_email(user.email)
        if isinstance(self.user_repo.save(user), Failure):
            owner = owner or self.user_repo.find_by_email(user.email)  # somebody was faster
            return self._refuse_taken(user.email, owner, now)
        self._mail_link(user.email, user.id, now)
        self.cooldown.start(user.email)
        self.event_bus.publish(UserRegistrationSucceeded(user_id=user.id, email=user.email))
        return Success(user.id)

    def _draft(self, command: RegisterUser, now: datetime) -> Result[User, ValidationError]:
        return draft_user(command.email, command.password, self.policy, self.password_service, now)

    def _refuse_taken(self, email: str, owner: User | None, now: datetime) -> Failure[DomainError]:
        """A link is made out in any case; where its owner needs none, or had one just now, it is
        nobody's, and its mail is dropped when it is due."""
        may_mail = self.cooldown.claim(email)
        if owner is not None and owner.is_verified and may_mail:
            self.verification_token_repo.issue(Purpose.EMAIL_VERIFICATION, None, now)
            self.mailer.send_already_registered(email)
        else:
            needs_it = owner is not None and not owner.is_verified and may_mail
            self._mail_link(email, owner.id if owner and needs_it else None, now)
        return self._refuse(email, EMAIL_TAKEN, owner.id if owner else None)

    def _mail_link(self, email: str, user_id: UUID | None, now: datetime) -> None:
        token = self.verification_token_repo.issue(Purpose.EMAIL_VERIFICATION, user_id, now)
        self.mailer.send_verification(email, token.id)

    def _refuse(
        self, email: str, error: DomainError, owner: UUID | None = None
    ) -> Failure[DomainError]:
        self.event_bus.publish(
            UserRegistrationFailed(user_id=owner, email=email, reason=error.code)
        )
        return Failure(error)


def draft_user(
    email: str, password: str, policy: PasswordPolicy, passwords: PasswordService, now: datetime
) -> Result[User, ValidationError]:
    """An account that is not saved yet, its password checked and hashed."""
    created = User.create(email, now=now)
    if isinstance(created, Failure):
        return created
    accepted = policy.check(password, created.value.email)
    if isinstance(accepted, Failure):
        return accepted
    return Success(created.value.with_password(passwords.hash_password(password)))


@dataclass(frozen=True, kw_only=True)
class VerifyEmail:
    """`password` is asked on the page that the mail leads to: whoever follows a link to an
    account that somebody else registered does not know it, and hands them no verified account."""

    token: str = field(repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class VerifyEmailHandler:
    user_repo: UserRepository
    verification_token_repo: OneUseTokenRepository
    password_service: PasswordService
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: VerifyEmail) -> Result[UUID, DomainError]:
        now = self.clock.now()
        self.event_bus.publish(EmailVerificationAttempted())
        token = self.verification_token_repo.find(command.token, Purpose.EMAIL_VERIFICATION)
        if token is None or token.user_id is None or not token.is_spendable(now):
            return self._refuse(token, INVALID_ONE_USE_TOKEN)
        if not self._is_owner(token.user_id, command.password):
            return self._refuse(token, WRONG_PASSWORD)
        # The account before its link, as everywhere: a reset beside this one would else hold the
        # one and wait for the other.
        if self.user_repo.lock(token.user_id) is None:
            return self._refuse(token, INVALID_ONE_USE_TOKEN)
        if not self.verification_token_repo.redeem(token.id, now):
            return self._refuse(token, INVALID_ONE_USE_TOKEN)
        self.user_repo.mark_verified(token.user_id, now)
        self.event_bus.publish(EmailVerificationSucceeded(user_id=token.user_id))
        return Success(token.user_id)

    def _is_owner(self, user_id: UUID, password: str | None) -> bool:
        if password is None:
            return True
        user = self.user_repo.find_by_id(user_id)
        known_hash = user.password_hash if user else None
        return self.password_service.verify_password(password, known_hash)

    def _refuse(self, token: OneUseToken | None, error: DomainError) -> Failure[DomainError]:
        user_id = token.user_id if token else None
        self.event_bus.publish(EmailVerificationFailed(user_id=user_id, reason=error.code))
        return Failure(error)
