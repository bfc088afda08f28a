"""Ending sessions because something happened to their account."""

from dataclasses import dataclass
from uuid import UUID

from core.clock import SystemClock
from core.ports import Clock, EventBusProtocol
from sessions_app.domain.events import SessionEnded
from sessions_app.domain.session import EndReason
from sessions_app.ports import SessionRepository


@dataclass(frozen=True, kw_only=True)
class ForfeitedSessions:
    """Inside somebody else's unit of work, which holds the account's row: no sign-in is beside."""

    session_repo: SessionRepository
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def end(self, user_id: UUID, kept: UUID | None, reason: EndReason) -> None:
        now = self.clock.now()
        for session in self.session_repo.live_of(user_id, now):
            if session.id == kept:
                continue
            if self.session_repo.end(session.id, user_id, reason, now):
                self.event_bus.publish(
                    SessionEnded(user_id=user_id, session_id=session.id, reason=reason)
                )
