"""Ending sessions, by their owner or by an admin."""

from dataclasses import dataclass, field
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from sessions_app.domain.errors import SESSION_NOT_FOUND
from sessions_app.domain.events import (
    SessionEnded,
    SessionRevocationAttempted,
    SessionRevocationFailed,
    SessionRevocationSucceeded,
    SessionsRevocationAttempted,
    SessionsRevocationFailed,
    SessionsRevocationSucceeded,
)
from sessions_app.domain.session import EndReason
from sessions_app.ports import KnownDevices, Owners, SessionRepository


@dataclass(frozen=True, kw_only=True)
class RevokeSession:
    """Of its owner `user_id`."""

    session_id: UUID
    user_id: UUID
    stated_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class RevokeSessionHandler:
    session_repo: SessionRepository
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: RevokeSession) -> Result[None, DomainError]:
        user_id, session_id = command.user_id, command.session_id
        self.event_bus.publish(
            SessionRevocationAttempted(
                user_id=user_id, session_id=session_id, stated_reason=command.stated_reason
            )
        )
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


@dataclass(frozen=True, kw_only=True)
class RevokeSessions:
    """All of a person's, but `except_for`. With them go the passes of all known devices, but of
    the one that shows its own."""

    user_id: UUID
    except_for: UUID | None = None
    device_token: str | None = field(default=None, repr=False)
    stated_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class RevokeSessionsHandler:
    owners: Owners
    session_repo: SessionRepository
    devices: KnownDevices
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: RevokeSessions) -> Result[int, DomainError]:
        """How many ended."""
        user_id = command.user_id
        self.event_bus.publish(
            SessionsRevocationAttempted(user_id=user_id, stated_reason=command.stated_reason)
        )
        # A sign-in beside this one is either seen here, or begins afterwards.
        if self.owners.lock(user_id) is None:
            self.event_bus.publish(
                SessionsRevocationFailed(user_id=user_id, reason=SESSION_NOT_FOUND.code)
            )
            return Failure(SESSION_NOT_FOUND)
        now, ended = self.clock.now(), 0
        for session in self.session_repo.live_of(user_id, now):
            if session.id == command.except_for:
                continue
            if self.session_repo.end(session.id, user_id, EndReason.REVOKED, now):
                ended += 1
                self.event_bus.publish(
                    SessionEnded(user_id=user_id, session_id=session.id, reason=EndReason.REVOKED)
                )
        self.devices.forget_all_of(user_id, command.device_token)
        self.event_bus.publish(
            SessionsRevocationSucceeded(user_id=user_id, kept=command.except_for, sessions=ended)
        )
        return Success(ended)
