"""Locks that admins set and lift. What is locked is signing in: sessions that are there go on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from users.application.device_passes import DevicePasses
from users.domain.errors import INVALID_LOCK, USER_NOT_FOUND
from users.domain.events import (
    AccountLockAttempted,
    AccountLockFailed,
    AccountLockSucceeded,
    AccountUnlockAttempted,
    AccountUnlockFailed,
    AccountUnlockSucceeded,
)
from users.ports import SignInGuard, UserRepository

LONGEST_LOCK: Final = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class LockAccount:
    """Against guessing: whoever resets the password by mail lifts it, as they lift any lock. To
    shut a person out, deactivate the account."""

    user_id: UUID
    period: timedelta
    stated_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class LockAccountHandler:
    user_repo: UserRepository
    guard: SignInGuard
    passes: DevicePasses
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: LockAccount) -> Result[datetime, DomainError]:
        """Until when."""
        user_id, now = command.user_id, self.clock.now()
        self.event_bus.publish(
            AccountLockAttempted(user_id=user_id, stated_reason=command.stated_reason)
        )
        if not timedelta(0) < command.period <= LONGEST_LOCK:
            return self._refuse(command, INVALID_LOCK)
        user = self.user_repo.lock(user_id)
        if user is None:
            return self._refuse(command, USER_NOT_FOUND)
        until = now + command.period
        self.guard.lock(user.email, until, now, user_id)
        # Else a device that is known would pass by the lock.
        self.passes.forget_all_of(user_id)
        self.event_bus.publish(AccountLockSucceeded(user_id=user_id, until=until))
        return Success(until)

    def _refuse(self, command: LockAccount, error: DomainError) -> Failure[DomainError]:
        self.event_bus.publish(AccountLockFailed(user_id=command.user_id, reason=error.code))
        return Failure(error)


@dataclass(frozen=True, kw_only=True)
class UnlockAccount:
    user_id: UUID
    stated_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class UnlockAccountHandler:
    """Failures are counted from nothing again, of strangers and of each device."""

    user_repo: UserRepository
    guard: SignInGuard
    event_bus: EventBusProtocol

    def handle(self, command: UnlockAccount) -> Result[None, DomainError]:
        user_id = command.user_id
        self.event_bus.publish(
            AccountUnlockAttempted(user_id=user_id, stated_reason=command.stated_reason)
        )
        user = self.user_repo.lock(user_id)
        if user is None:
            self.event_bus.publish(AccountUnlockFailed(user_id=user_id, reason=USER_NOT_FOUND.code))
            return Failure(USER_NOT_FOUND)
        self.guard.clear(user.email)  # also what was counted before there was an account
        self.guard.clear_all_of(user_id)
        self.event_bus.publish(AccountUnlockSucceeded(user_id=user_id))
        return Success(None)
