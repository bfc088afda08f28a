"""A refresh token for its successor; and the same one again when the answer was lost."""

from dataclasses import dataclass, field

from core.clock import SystemClock
from core.errors import DomainError
from core.keys import KeyRing, UnknownKeyError
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from sessions_app.domain.errors import INVALID_GRANT
from sessions_app.domain.events import (
    SessionEnded,
    SessionRefreshAttempted,
    SessionRefreshFailed,
    SessionRefreshSucceeded,
)
from sessions_app.domain.session import DeviceSession, EndReason
from sessions_app.domain.tokens import PresentedToken, TokenPair, TokenType, tokens_of
from sessions_app.ports import Notices, SessionReader, SessionRepository
from users.domain.user import User


@dataclass(frozen=True, kw_only=True)
class RefreshSession:
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class RefreshSessionHandler:
    session_repo: SessionRepository
    session_reader: SessionReader
    notices: Notices
    event_bus: EventBusProtocol
    keys: KeyRing
    clock: Clock = SystemClock()

    def handle(self, command: RefreshSession) -> Result[TokenPair, DomainError]:
        self.event_bus.publish(SessionRefreshAttempted())
        presented = PresentedToken.read(command.refresh_token, TokenType.REFRESH)
        found = self.session_reader.find(presented.session_id) if presented else None
        if presented is None or found is None:
            return self._refuse(None, "unknown")
        if not presented.is_genuine(found.session, self.keys):
            return self._refuse(None, "not_genuine")
        # Locked and read again: refresh and revoke contend for this row, neither undoes the other.
        session = self.session_repo.lock(presented.session_id)
        if session is None or not session.is_live(self.clock.now()):
            return self._refuse(session, "ended")
        fresh = self.session_reader.find(session.id)
        if fresh is None or not _may_go_on(session, fresh.user):
            return self._refuse(session, "account_changed")
        try:
            return self._refresh(session, presented, fresh.user)
        except UnknownKeyError:  # made elsewhere, under a key that is not known here yet
            return self._refuse(session, "unknown_key")

    def _refresh(
        self, session: DeviceSession, presented: PresentedToken, user: User
    ) -> Result[TokenPair, DomainError]:
        now = self.clock.now()
        if presented.generation == session.generation:
            successor = session.refreshed(key_id=self.keys.current, now=now)
            if self.session_repo.refresh(session, successor):
                return self._succeed(successor, repeated=False)
        elif session.repeats_refresh(presented.generation, now):
            return self._succeed(session, repeated=True)
        # A token that was used up comes back: a thief or a bug; both end the session.
        self.session_repo.end(session.id, session.user_id, EndReason.REUSE, now)
        self.notices.reuse(user.email, session)
        self.event_bus.publish(
            SessionEnded(user_id=session.user_id, session_id=session.id, reason=EndReason.REUSE)
        )
        return self._refuse(session, EndReason.REUSE)

    def _succeed(self, session: DeviceSession, *, repeated: bool) -> Success[TokenPair]:
        tokens = tokens_of(session, self.keys)  # before the outcome, which is the last
        self.event_bus.publish(
            SessionRefreshSucceeded(
                user_id=session.user_id,
                session_id=session.id,
                generation=session.generation,
                repeated=repeated,
            )
        )
        return Success(tokens)

    def _refuse(self, session: DeviceSession | None, reason: str) -> Failure[DomainError]:
        self.event_bus.publish(
            SessionRefreshFailed(
                user_id=session.user_id if session else None,
                session_id=session.id if session else None,
                reason=reason,
            )
        )
        return Failure(INVALID_GRANT)


def _may_go_on(session: DeviceSession, user: User) -> bool:
    return user.can_login() and session.version >= user.token_version
