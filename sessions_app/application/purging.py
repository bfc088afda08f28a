"""What was over long ago."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
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
class PurgedSessions:
    """Rows, by kind."""

    sessions: int
    personal_tokens: int

    @property
    def total(self) -> int:
        return self.sessions + self.personal_tokens


@dataclass(frozen=True, kw_only=True)
class PurgeSessionsHandler:
    session_repo: SessionRepository
    token_repo: PersonalTokenRepository
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: PurgeSessions) -> Result[PurgedSessions, DomainError]:
        before = self.clock.now() - KEEP_ENDED
        due = self._due(before)
        if not due.total:
            return Success(due)
        self.event_bus.publish(SessionsPurged(**asdict(due)))
        purged = PurgedSessions(
            sessions=self.session_repo.purge(before),
            personal_tokens=self.token_repo.purge(before),
        )
        return Success(purged)

    def look(self) -> PurgedSessions:
        """What would go, while nothing goes."""
        return self._due(self.clock.now() - KEEP_ENDED)

    def _due(self, before: datetime) -> PurgedSessions:
        return PurgedSessions(
            sessions=self.session_repo.count_over(before),
            personal_tokens=self.token_repo.count_over(before),
        )
