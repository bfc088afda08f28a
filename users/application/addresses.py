"""From one e-mail address to another: asked for by the account, decided by the new mailbox."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from users.application.credentials import PasswordCredentials
from users.domain.claim import Claim, Known, KnownBy
from users.domain.email import Email
from users.domain.errors import (
    EMAIL_TAKEN,
    INVALID_EMAIL_CHANGE,
    MAILED_JUST_NOW,
    OWN_EMAIL,
    USER_NOT_FOUND,
    WRONG_PASSWORD,
)
from users.domain.events import (
    EmailChangeAttempted,
    EmailChangeFailed,
    EmailChangeRequestAttempted,
    EmailChangeRequestFailed,
    EmailChangeRequestSucceeded,
    EmailChangeSucceeded,
)
from users.domain.notices import Notice
from users.domain.tokens import OneUseToken, Purpose
from users.domain.user import User
from users.ports import Cooldown, Mailer, OneUseTokenRepository, UserRepository


@dataclass(frozen=True, kw_only=True)
class RequestEmailChange:
    user_id: UUID
    email: str


@dataclass(frozen=True, kw_only=True)
class RequestEmailChangeHandler:
    """Does the same work for a taken address as for a free one: two mails and one token, which
    for a taken address nobody gets."""

    user_repo: UserRepository
    token_repo: OneUseTokenRepository
    cooldown: Cooldown
    mailer: Mailer
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: RequestEmailChange) -> Result[None, DomainError]:
        self.event_bus.publish(
            EmailChangeRequestAttempted(user_id=command.user_id, email=command.email)
        )
        address = Email.create(command.email)
        if isinstance(address, Failure):
            return self._refuse(command, address.error)
        email = address.value.value
        user = self.user_repo.find_by_id(command.user_id)
        if user is None or user.email == email:
            return self._refuse(command, OWN_EMAIL if user else USER_NOT_FOUND)
        owner = self.user_repo.find_by_email(email)
        if not self.cooldown.claim(email):
            return self._refuse(command, MAILED_JUST_NOW)
        # Held, so that two who ask at once do not both have the only token.
        if self.user_repo.lock(user.id) is None:
            return self._refuse(command, USER_NOT_FOUND)
        token = self._only_token(user, email)
        self.mailer.send_notice(Notice.EMAIL_CHANGE_REQUESTED, user.email)
        if owner is not None:
            self.mailer.send_notice(Notice.EMAIL_TAKEN, owner.email)
            return self._refuse(command, EMAIL_TAKEN)
        self.mailer.send_link(Purpose.EMAIL_CHANGE, email, token.id)
        self.event_bus.publish(EmailChangeRequestSucceeded(user_id=user.id, email=email))
        return Success(None)

    def _only_token(self, user: User, email: str) -> OneUseToken:
        now = self.clock.now()
        self.token_repo.supersede_all_of(user.id, now)
        return self.token_repo.issue(Purpose.EMAIL_CHANGE, user.id, now, email)

    def _refuse(self, command: RequestEmailChange, error: DomainError) -> Failure[DomainError]:
        self.event_bus.publish(
            EmailChangeRequestFailed(
                user_id=command.user_id, email=command.email, reason=error.code
            )
        )
        return Failure(error)


@dataclass(frozen=True, kw_only=True)
class ChangeEmail:
    """`password` is asked on the page that the mail leads to: whoever follows a link to somebody
    else's account does not know it, and lends them no address."""

    token: str = field(repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class ChangeEmailHandler:
    user_repo: UserRepository
    token_repo: OneUseTokenRepository
    credentials: PasswordCredentials
    mailer: Mailer
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: ChangeEmail) -> Result[UUID, DomainError]:
        now = self.clock.now()
        self.event_bus.publish(EmailChangeAttempted())
        token = self.token_repo.find(command.token, Purpose.EMAIL_CHANGE)
        if token is None or token.user_id is None or not token.is_spendable(now):
            return self._refuse(token, INVALID_EMAIL_CHANGE)
        if not self._is_owner(token.user_id, command.password):
            return self._refuse(token, WRONG_PASSWORD)
        user = self.user_repo.lock(token.user_id)
        if user is None or not user.can_login() or token.email is None:
            return self._refuse(token, INVALID_EMAIL_CHANGE)
        if not self.token_repo.redeem(token.id, now):
            return self._refuse(token, INVALID_EMAIL_CHANGE)
        return self._change(user, token, token.email, now)

    def _change(
        self, user: User, token: OneUseToken, email: str, now: datetime
    ) -> Result[UUID, DomainError]:
        if isinstance(self.user_repo.update(replace(user, email=email, updated_at=now)), Failure):
            self.mailer.send_notice(Notice.EMAIL_TAKEN, email)
            return self._refuse(token, INVALID_EMAIL_CHANGE, EMAIL_TAKEN.code)
        # A link in the mailbox that is given up must not open the account any more.
        self.token_repo.supersede_all_of(user.id, now)
        self._carry_lock(user, email, now)
        for each in (user.email, email):
            self.mailer.send_notice(Notice.EMAIL_CHANGED, each)
        self.event_bus.publish(
            EmailChangeSucceeded(user_id=user.id, old_email=user.email, new_email=email)
        )
        return Success(user.id)

    def _carry_lock(self, user: User, email: str, now: datetime) -> None:
        """It is the account that is locked: whoever still has a session must not lift it so."""
        guard = self.credentials.guard
        until = guard.hold(user.email).locked_until
        if until is not None and now < until:
            guard.lock(email, until, now, user.id)

    def _is_owner(self, user_id: UUID, password: str | None) -> bool:
        """Wrong passwords are counted for whoever has such a link of this account."""
        if password is None:
            return True
        user = self.user_repo.find_by_id(user_id)
        if user is None:
            return False
        link = KnownBy(Known.LINK, user_id)
        verified = self.credentials.verify(
            Claim(email=user.email, password=password, known_by=link)
        )
        if isinstance(verified, Failure):
            self.credentials.refuse(user.email, verified.error)
            return False
        return self.credentials.confirm(verified.value) is not None

    def _refuse(
        self, token: OneUseToken | None, error: DomainError, reason: str | None = None
    ) -> Failure[DomainError]:
        user_id = token.user_id if token else None
        self.event_bus.publish(EmailChangeFailed(user_id=user_id, reason=reason or error.code))
        return Failure(error)
