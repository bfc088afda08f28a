from dataclasses import dataclass
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from sessions_app.domain.errors import SESSION_NOT_FOUND
from sessions_app.domain.events import (
    SessionRevocationAttempted,
    SessionRevocationFailed,
    SessionRevocationSucceeded,
)
from sessions_app.domain.session import EndReason
from sessions_app.ports import SessionRepository


@dataclass(frozen=True, kw_only=True)
class RevokeSession:
    """By its owner, from this or another session of theirs."""

    session_id: UUID
    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class RevokeSessionHandler:
    session_repo: SessionRepository
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: RevokeSession) -> Result[None, DomainError]:
        user_id, session_id = command.user_id, command.session_id
        self.event_bus.publish(SessionRevocationAttempted(user_id=user_id, session_id=session_id))
        ended = self.session_repo.end(session_id, user_id, EndReason.REVOKED, self.clock.now())
        if not ended:
            self.event_bus.publish(
                SessionRevocationFailed(
                    user_id=user_id, session_id=session_id, reason=SESSION_NOT_FOUND.code
                )
            )
            return Failure(SESSION_NOT_FOUND)
        self.event_bus.publish(SessionRevocationSucceeded(user_id=user_id, session_id=session_id))
        return Success(None)
