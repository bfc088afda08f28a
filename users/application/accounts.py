"""Accounts, as admins change them and as their owners end them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Literal, TypeVar
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.events import DomainEvent
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from users.domain.errors import EMAIL_TAKEN, LAST_ADMIN, OWN_ROLE, USER_NOT_FOUND
from users.domain.events import (
    AccountChangeAttempted,
    AccountChangeFailed,
    AccountChangeSucceeded,
    ActivityChanged,
    DeletionAttempted,
    DeletionFailed,
    DeletionSucceeded,
    EmailVouchedFor,
    InvitationAttempted,
    InvitationFailed,
    InvitationSucceeded,
    LimitsChanged,
    RoleChanged,
    SessionsForfeited,
    TokensPurged,
)
from users.domain.notices import Notice
from users.domain.roles import Role, SessionTier
from users.domain.tokens import Purpose
from users.domain.user import User
from users.ports import (
    DevicePassRepository,
    Mailer,
    OneUseTokenRepository,
    PasswordService,
    SignInGuard,
    UserRepository,
)

KEEP_EXPIRED: Final = timedelta(days=30)
KEEP_FAILURES: Final = timedelta(days=180)
"""A row of failures ends by itself when none was added for so long."""


T = TypeVar("T")


class Keep(Enum):
    AS_IS = "as it is"


def _or(new: T | Keep, old: T) -> T:
    return old if isinstance(new, Keep) else new


@dataclass(frozen=True, kw_only=True)
class ChangeAccount:
    """By the admin `actor_id`; None at the command line, where there are no users. What is
    `Keep.AS_IS` is not changed; `max_sessions` of None is the limit of the tier."""

    user_id: UUID
    actor_id: UUID | None
    stated_reason: str | None = None
    is_verified: Literal[True] | Keep = Keep.AS_IS
    role: Role | Keep = Keep.AS_IS
    is_active: bool | Keep = Keep.AS_IS
    session_tier: SessionTier | Keep = Keep.AS_IS
    max_sessions: int | Keep | None = Keep.AS_IS

    def applied_to(self, user: User) -> User:
        return replace(
            user,
            is_verified=_or(self.is_verified, user.is_verified),
            role=_or(self.role, user.role),
            is_active=_or(self.is_active, user.is_active),
            session_tier=_or(self.session_tier, user.session_tier),
            max_sessions=_or(self.max_sessions, user.max_sessions),
        )


@dataclass(frozen=True, kw_only=True)
class ChangeAccountHandler:
    """All of it, or nothing; each kind of change is a fact of its own on the trail."""

    user_repo: UserRepository
    token_repo: OneUseTokenRepository
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: ChangeAccount) -> Result[User, DomainError]:
        self.event_bus.publish(
            AccountChangeAttempted(user_id=command.user_id, stated_reason=command.stated_reason)
        )
        # First and in order, so that two admins who change each other do not wait for ever, and
        # the second one sees what the first has done.
        admins = self.user_repo.lock_admins()
        before = self.user_repo.lock(command.user_id)
        if before is None:
            return self._refuse(command, USER_NOT_FOUND)
        after = command.applied_to(before)
        if after.role is not before.role and command.user_id == command.actor_id:
            return self._refuse(command, OWN_ROLE)
        if not _is_admin(after) and is_last(before, admins):
            return self._refuse(command, LAST_ADMIN)
        if after == before:
            return self._succeed(after)
        return self._change(before, after)

    def _change(self, before: User, after: User) -> Result[User, DomainError]:
        now, reason = self.clock.now(), _loss(before, after)
        after = replace(after.with_tokens_ended() if reason else after, updated_at=now)
        self.user_repo.update(after)
        for fact in _changes(before, after):
            self.event_bus.publish(fact)
        if reason:
            self.token_repo.supersede_all_of(after.id, now)
            self.event_bus.publish(SessionsForfeited(user_id=after.id, reason=reason))
        return self._succeed(after)

    def _succeed(self, user: User) -> Success[User]:
        self.event_bus.publish(AccountChangeSucceeded(user_id=user.id))
        return Success(user)

    def _refuse(self, command: ChangeAccount, error: DomainError) -> Failure[DomainError]:
        self.event_bus.publish(AccountChangeFailed(user_id=command.user_id, reason=error.code))
        return Failure(error)


def is_last(user: User, admins: list[User]) -> bool:
    """Of `admins`, who are held."""
    return [admin.id for admin in admins] == [user.id]


def _is_admin(user: User) -> bool:
    return user.role is Role.ADMIN and user.can_login()


def _loss(before: User, after: User) -> str | None:
    """Why whatever was handed out before must not work any more."""
    if before.is_active and not after.is_active:
        return "deactivated"
    return "demoted" if after.role.is_below(before.role) else None


def _changes(before: User, after: User) -> Iterator[DomainEvent]:
    user_id = before.id
    if before.is_verified is not after.is_verified:
        yield EmailVouchedFor(user_id=user_id)
    if before.role is not after.role:
        yield RoleChanged(user_id=user_id, old=before.role, new=after.role)
    if before.is_active is not after.is_active:
        yield ActivityChanged(user_id=user_id, old=before.is_active, new=after.is_active)
    if (before.session_tier, before.max_sessions) != (after.session_tier, after.max_sessions):
        yield LimitsChanged(
            user_id=user_id,
            old_tier=before.session_tier,
            new_tier=after.session_tier,
            old_max_sessions=before.max_sessions,
            new_max_sessions=after.max_sessions,
        )


@dataclass(frozen=True, kw_only=True)
class InviteUser:
    email: str
    role: Role = Role.USER


@dataclass(frozen=True, kw_only=True)
class InviteUserHandler:
    """Makes an account without a password: the person chooses one, by the link in the mail."""

    user_repo: UserRepository
    token_repo: OneUseTokenRepository
    password_service: PasswordService
    mailer: Mailer
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: InviteUser) -> Result[User, DomainError]:
        now = self.clock.now()
        self.event_bus.publish(InvitationAttempted(email=command.email, role=command.role))
        created = User.create(command.email, now=now, role=command.role)
        if isinstance(created, Failure):
            return self._refuse(command, created.error)
        user = created.value.with_password(self.password_service.unusable_hash())
        if isinstance(self.user_repo.save(user), Failure):
            return self._refuse(command, EMAIL_TAKEN)
        token = self.token_repo.issue(Purpose.INVITATION, user.id, now)
        self.mailer.send_link(Purpose.INVITATION, user.email, token.id)
        self.event_bus.publish(
            InvitationSucceeded(user_id=user.id, email=user.email, role=user.role)
        )
        return Success(user)

    def _refuse(self, command: InviteUser, error: DomainError) -> Failure[DomainError]:
        self.event_bus.publish(InvitationFailed(email=command.email, reason=error.code))
        return Failure(error)


@dataclass(frozen=True, kw_only=True)
class DeleteAccount:
    """By its owner."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class DeleteAccountHandler:
    """The row goes with all that hangs on it; who it was is erased from the trail with it."""

    user_repo: UserRepository
    guard: SignInGuard
    mailer: Mailer
    event_bus: EventBusProtocol

    def handle(self, command: DeleteAccount) -> Result[None, DomainError]:
        self.event_bus.publish(DeletionAttempted(user_id=command.user_id))
        admins = self.user_repo.lock_admins()
        user = self.user_repo.lock(command.user_id)
        if user is None:
            return self._refuse(command, USER_NOT_FOUND)
        if is_last(user, admins):
            return self._refuse(command, LAST_ADMIN)
        self.event_bus.publish(SessionsForfeited(user_id=user.id, reason="account_deleted"))
        self.guard.clear(user.email)
        self.user_repo.delete(user.id)
        self.mailer.send_notice(Notice.ACCOUNT_DELETED, user.email)
        self.event_bus.publish(DeletionSucceeded(user_id=user.id))
        return Success(None)

    def _refuse(self, command: DeleteAccount, error: DomainError) -> Failure[DomainError]:
        self.event_bus.publish(DeletionFailed(user_id=command.user_id, reason=error.code))
        return Failure(error)


@dataclass(frozen=True, kw_only=True)
class PurgeTokens:
    pass


@dataclass(frozen=True, kw_only=True)
class PurgedTokens:
    """Rows, by kind."""

    tokens: int
    device_passes: int
    failure_counts: int

    @property
    def total(self) -> int:
        return self.tokens + self.device_passes + self.failure_counts


@dataclass(frozen=True, kw_only=True)
class PurgeTokensHandler:
    """What expired long ago goes, with the addresses in it, and so do failures that nobody has
    added to since long."""

    token_repo: OneUseTokenRepository
    pass_repo: DevicePassRepository
    guard: SignInGuard
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: PurgeTokens) -> Result[PurgedTokens, DomainError]:
        now = self.clock.now()
        due = self._due(now)
        if not due.total:
            return Success(due)
        self.event_bus.publish(TokensPurged(**asdict(due)))
        purged = PurgedTokens(
            tokens=self.token_repo.purge(now - KEEP_EXPIRED),
            device_passes=self.pass_repo.purge(now - KEEP_EXPIRED),
            failure_counts=self.guard.purge(now - KEEP_FAILURES),
        )
        return Success(purged)

    def look(self) -> PurgedTokens:
        """What would go, while nothing goes."""
        return self._due(self.clock.now())

    def _due(self, now: datetime) -> PurgedTokens:
        return PurgedTokens(
            tokens=self.token_repo.count_expired(now - KEEP_EXPIRED),
            device_passes=self.pass_repo.count_expired(now - KEEP_EXPIRED),
            failure_counts=self.guard.count_quiet(now - KEEP_FAILURES),
        )
