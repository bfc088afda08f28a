"""Whose request this is: one MAC and one query, so that a revocation counts at once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.clock import SystemClock
from core.errors import AuthenticationError
from core.keys import KeyRing
from core.ports import Clock
from core.result import Failure, Result, Success
from sessions_app.domain.errors import INVALID_TOKEN
from sessions_app.domain.personal_token import read_token_id
from sessions_app.domain.tokens import PresentedToken, TokenType
from sessions_app.ports import (
    PersonalTokenReader,
    PersonalTokenWithUser,
    SessionReader,
    SessionWithUser,
)


@dataclass(frozen=True, kw_only=True)
class AccessTokenAuthenticator:
    session_reader: SessionReader
    keys: KeyRing
    clock: Clock = SystemClock()

    def authenticate(self, access_token: str) -> Result[SessionWithUser, AuthenticationError]:
        presented = PresentedToken.read(access_token, TokenType.ACCESS)
        found = self.session_reader.find(presented.session_id) if presented else None
        if presented is None or found is None or not _is_open(found, self.clock.now()):
            return Failure(INVALID_TOKEN)
        session, now = found.session, self.clock.now()
        if not presented.is_genuine(session, self.keys):
            return Failure(INVALID_TOKEN)
        if not session.accepts_access(presented.generation, now):
            return Failure(INVALID_TOKEN)
        self.session_reader.touch(session, presented.generation, now)
        return Success(found)

    def authenticate_browser(
        self, session_id: UUID
    ) -> Result[SessionWithUser, AuthenticationError]:
        """The id comes from a session that the server keeps: there is no token to check."""
        found, now = self.session_reader.find(session_id), self.clock.now()
        if found is None or not _is_open(found, now):
            return Failure(INVALID_TOKEN)
        self.session_reader.touch(found.session, found.session.generation, now)
        return Success(found)


@dataclass(frozen=True, kw_only=True)
class PersonalTokenAuthenticator:
    token_reader: PersonalTokenReader
    keys: KeyRing
    clock: Clock = SystemClock()

    def authenticate(self, text: str) -> Result[PersonalTokenWithUser, AuthenticationError]:
        token_id = read_token_id(text)
        found = self.token_reader.find(token_id) if token_id else None
        if found is None or not found.token.is_genuine(text, self.keys):
            return Failure(INVALID_TOKEN)
        token, user, now = found.token, found.user, self.clock.now()
        if not token.is_live(now) or not user.can_login() or token.version < user.token_version:
            return Failure(INVALID_TOKEN)
        self.token_reader.touch(token, now)
        return Success(found)


def _is_open(found: SessionWithUser, now: datetime) -> bool:
    session, user = found.session, found.user
    return session.is_live(now) and user.can_login() and session.version >= user.token_version
