"""Session tokens are opaque to clients and derived, not stored: a MAC over what the session's row
says. Neither the database nor the key alone yields one."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from core import opaque
from core.keys import KeyRing, UnknownKeyError
from sessions_app.domain.session import DeviceSession

_ID_BYTES: Final = 16
_GENERATION_BYTES: Final = 4
_MAC_BYTES: Final = 32
_RAW_BYTES: Final = _ID_BYTES + _GENERATION_BYTES + _MAC_BYTES


class TokenType(StrEnum):
    ACCESS = "access"
    REFRESH = "refresh"

    @property
    def prefix(self) -> str:
        """Lets a secret scanner find a token that leaked, and say which it is."""
        return f"dsh_{self}_"


@dataclass(frozen=True)
class TokenPair:
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_ends_at: datetime


@dataclass(frozen=True)
class PresentedToken:
    """What a token claims; `is_genuine` tells whether to believe it."""

    type: TokenType
    session_id: UUID
    generation: int
    mac: bytes = field(repr=False)

    @classmethod
    def read(cls, text: str, token_type: TokenType) -> "PresentedToken | None":
        raw = opaque.read(token_type.prefix, text, _RAW_BYTES)
        if raw is None:
            return None
        return cls(
            type=token_type,
            session_id=UUID(bytes=raw[:_ID_BYTES]),
            generation=int.from_bytes(raw[_ID_BYTES:-_MAC_BYTES], "big"),
            mac=raw[-_MAC_BYTES:],
        )

    def is_genuine(self, session: DeviceSession, keys: KeyRing) -> bool:
        """The row pins the keys of the current and the previous generation. An older one may
        have been made under any key: it is only ever refused, but as reuse if it is genuine."""
        pinned = {
            session.generation: session.key_id,
            session.generation - 1: session.previous_key_id,
        }
        key_ids = [pinned[self.generation]] if self.generation in pinned else list(keys.keys)
        return any(self._matches(session, key_id, keys) for key_id in key_ids if key_id)

    def _matches(self, session: DeviceSession, key_id: str, keys: KeyRing) -> bool:
        try:
            expected = _mac(session, self.type, self.generation, key_id, keys)
        except UnknownKeyError:  # rotated out: whatever was made under it is over
            return False
        return hmac.compare_digest(self.mac, expected)


def tokens_of(session: DeviceSession, keys: KeyRing) -> TokenPair:
    """The current generation's: the same strings at every call."""
    return TokenPair(
        _text(session, TokenType.ACCESS, keys),
        _text(session, TokenType.REFRESH, keys),
        session.access_ends_at,
    )


def _text(session: DeviceSession, token_type: TokenType, keys: KeyRing) -> str:
    raw = (
        session.id.bytes
        + session.generation.to_bytes(_GENERATION_BYTES, "big")
        + _mac(session, token_type, session.generation, session.key_id, keys)
    )
    return opaque.spelled(token_type.prefix, raw)


def _mac(
    session: DeviceSession, token_type: TokenType, generation: int, key_id: str, keys: KeyRing
) -> bytes:
    return keys.mac(
        key_id,
        b"v1",
        token_type.encode(),
        key_id.encode(),
        session.id.bytes,
        generation.to_bytes(_GENERATION_BYTES, "big"),
        session.salt,
    )
