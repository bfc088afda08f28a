"""Proving the password again within a session: before what a stolen token must not do."""

from dataclasses import dataclass, field
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.keys import KeyRing
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from sessions_app.domain.errors import INVALID_TOKEN
from sessions_app.domain.events import (
    ReauthenticationAttempted,
    ReauthenticationFailed,
    ReauthenticationSucceeded,
)
from sessions_app.domain.tokens import TokenPair, tokens_of
from sessions_app.ports import Credentials, SessionRepository
from users.domain.claim import Claim, Known, KnownBy


@dataclass(frozen=True, kw_only=True)
class Reauthenticate:
    session_id: UUID
    user_id: UUID
    email: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ReauthenticateHandler:
    """Wrong passwords are counted for this session: strangers cannot lock its owner out here."""

    credentials: Credentials
    session_repo: SessionRepository
    event_bus: EventBusProtocol
    keys: KeyRing
    clock: Clock = SystemClock()

    def handle(self, command: Reauthenticate) -> Result[TokenPair, DomainError]:
        user_id, session_id = command.user_id, command.session_id
        self.event_bus.publish(ReauthenticationAttempted(user_id=user_id, session_id=session_id))
        known_by = KnownBy(Known.SESSION, session_id)
        claim = Claim(email=command.email, password=command.password, known_by=known_by)
        verified = self.credentials.verify(claim)
        if isinstance(verified, Failure):
            self.credentials.refuse(command.email, verified.error)
            return self._refuse(command, verified.error.reason, verified.error)
        now = self.clock.now()
        confirmed = self.credentials.confirm(verified.value)
        session = self.session_repo.lock(session_id)
        if confirmed is None or session is None or not session.is_live(now):
            return self._refuse(command, "changed_meanwhile", INVALID_TOKEN)
        proved = session.reauthenticated(key_id=self.keys.current, now=now)
        self.session_repo.refresh(session, proved)
        tokens = tokens_of(proved, self.keys)
        self.event_bus.publish(ReauthenticationSucceeded(user_id=user_id, session_id=session_id))
        return Success(tokens)

    def _refuse(
        self, command: Reauthenticate, reason: str, error: DomainError
    ) -> Failure[DomainError]:
        self.event_bus.publish(
            ReauthenticationFailed(
                user_id=command.user_id, session_id=command.session_id, reason=reason
            )
        )
        return Failure(error)
