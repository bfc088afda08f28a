"""Ending what was handed out before, of one person or of everybody: after a leak, or in time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from sessions_app.domain.errors import INVALID_GRACE
from sessions_app.domain.events import (
    TokenRotationAttempted,
    TokenRotationFailed,
    TokenRotationSucceeded,
)
from sessions_app.ports import Owners, RotationRepository
from users.domain.errors import USER_NOT_FOUND

LONGEST_GRACE: Final = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class RotateTokens:
    """Of everybody where `user_id` is None. Within `grace` what is there still works."""

    user_id: UUID | None = None
    reason: str
    grace: timedelta = timedelta(0)


@dataclass(frozen=True)
class Rotation:
    """What it ends."""

    sessions: int
    personal_tokens: int
    effective_at: datetime


@dataclass(frozen=True, kw_only=True)
class RotateTokensHandler:
    """Whoever signs in meanwhile is either counted and ended, or begins after it."""

    owners: Owners
    rotations: RotationRepository
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: RotateTokens) -> Result[Rotation, DomainError]:
        self.event_bus.publish(
            TokenRotationAttempted(user_id=command.user_id, reason=command.reason)
        )
        if command.user_id is not None:
            self.owners.lock(command.user_id)  # so that it is there until the end
        looked = self.look(command)
        if isinstance(looked, Failure):
            return self._refuse(command, looked.error)
        rotation = looked.value
        self.rotations.add(command.user_id, rotation.effective_at, self.clock.now())
        self.event_bus.publish(
            TokenRotationSucceeded(
                user_id=command.user_id,
                reason=command.reason,
                effective_at=rotation.effective_at,
                sessions=rotation.sessions,
                personal_tokens=rotation.personal_tokens,
            )
        )
        return Success(rotation)

    def look(self, command: RotateTokens) -> Result[Rotation, DomainError]:
        """What it would end, without ending it."""
        if not timedelta(0) <= command.grace <= LONGEST_GRACE:
            return Failure(INVALID_GRACE)
        if command.user_id is not None and self.owners.find_by_id(command.user_id) is None:
            return Failure(USER_NOT_FOUND)
        now = self.clock.now()
        sessions, tokens = self.rotations.live(command.user_id, now)
        return Success(Rotation(sessions, tokens, now + command.grace))

    def _refuse(self, command: RotateTokens, error: DomainError) -> Failure[DomainError]:
        self.event_bus.publish(TokenRotationFailed(user_id=command.user_id, reason=error.code))
        return Failure(error)
