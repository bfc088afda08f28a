"""Whose a token is, for other services of the house (RFC 7662)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.result import Failure
from sessions_app.application.authenticating import (
    AccessTokenAuthenticator,
    PersonalTokenAuthenticator,
)
from sessions_app.domain.personal_token import PREFIX, Scope
from users.domain.user import User


@dataclass(frozen=True, kw_only=True)
class Introspection:
    """Of a token that opens doors now; of any other there is nothing to tell."""

    user_id: UUID
    email: str
    role: str
    scope: str
    issued_at: datetime
    expires_at: datetime
    session_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Introspector:
    sessions: AccessTokenAuthenticator
    tokens: PersonalTokenAuthenticator

    def introspect(self, text: str) -> Introspection | None:
        return self._personal(text) if text.startswith(PREFIX) else self._of_session(text)

    def _personal(self, text: str) -> Introspection | None:
        found = self.tokens.authenticate(text)
        if isinstance(found, Failure):
            return None
        token, user = found.value.token, found.value.user
        return _told(user, token.scope, token.created_at, token.expires_at)

    def _of_session(self, text: str) -> Introspection | None:
        found = self.sessions.authenticate(text)
        if isinstance(found, Failure):
            return None
        session, user = found.value.session, found.value.user
        return _told(
            user, Scope.WRITE, session.generation_began_at, session.access_ends_at, session.id
        )


def _told(
    user: User,
    scope: Scope,
    issued_at: datetime,
    expires_at: datetime,
    session_id: UUID | None = None,
) -> Introspection:
    return Introspection(
        user_id=user.id,
        email=user.email,
        role=user.role,
        scope="read write" if scope is Scope.WRITE else scope,
        issued_at=issued_at,
        expires_at=expires_at,
        session_id=session_id,
    )
