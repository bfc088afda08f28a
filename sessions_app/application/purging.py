"""What was over long ago."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core.clock import SystemClock
from core.errors import DomainError
from core.ports import Clock, EventBusProtocol
from core.result import Result, Success
from sessions_app.domain.events import SessionsPurged
from sessions_app.ports import PersonalTokenRepository, SessionRepository

KEEP_ENDED: Final = timedelta(days=90)
"""For their owner's list of what was known before; the trail keeps what happened."""


@dataclass(frozen=True, kw_only=True)
class PurgeSessions:
    pass


@dataclass(frozen=True, kw_only=True)
class PurgeSessionsHandler:
    session_repo: SessionRepository
    token_repo: PersonalTokenRepository
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: PurgeSessions) -> Result[int, DomainError]:
        before = self.clock.now() - KEEP_ENDED
        due = SessionsPurged(
            sessions=self.session_repo.count_over(before),
            personal_tokens=self.token_repo.count_over(before),
        )
        if not (due.sessions or due.personal_tokens):
            return Success(0)
        self.event_bus.publish(due)
        return Success(self.session_repo.purge(before) + self.token_repo.purge(before))
