"""What a token itself names, whoever shows it."""

from dataclasses import dataclass

from core.keys import KeyRing
from sessions_app.application.personal_tokens import RevokePersonalToken
from sessions_app.application.revocation import RevokeSession
from sessions_app.domain.personal_token import read_token_id
from sessions_app.domain.tokens import PresentedToken, TokenType
from sessions_app.ports import PersonalTokenReader, SessionReader


@dataclass(frozen=True, kw_only=True)
class TokenNames:
    """Whoever holds a token may end what it opens (RFC 7009), also when it has expired: then a
    device signs out with what it still has."""

    session_reader: SessionReader
    token_reader: PersonalTokenReader
    keys: KeyRing

    def ending(self, text: str) -> RevokeSession | RevokePersonalToken | None:
        """The command that ends it; None where it is not genuine."""
        for token_type in TokenType:
            if presented := PresentedToken.read(text, token_type):
                return self._session(presented)
        token_id = read_token_id(text)
        found = self.token_reader.find(token_id) if token_id else None
        if found is None or not found.token.is_genuine(text, self.keys):
            return None
        return RevokePersonalToken(token_id=found.token.id, user_id=found.user.id)

    def _session(self, presented: PresentedToken) -> RevokeSession | None:
        found = self.session_reader.find(presented.session_id)
        if found is None or not presented.is_genuine(found.session, self.keys):
            return None
        return RevokeSession(session_id=found.session.id, user_id=found.user.id)
