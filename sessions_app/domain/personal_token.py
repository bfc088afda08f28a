"""Personal access tokens: what a person gives to a program. Derived, not stored, like those of
sessions (`sessions_app.domain.tokens`)."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from core import opaque
from core.ids import uuid7
from core.keys import KeyRing, UnknownKeyError

PREFIX: Final = "dsh_pat_"
LONGEST_LIFE: Final = timedelta(days=366)
MOST_TOKENS: Final = 50
"""Of one person at a time."""
USED_EVERY: Final = timedelta(minutes=1)


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    """And read."""
    INTROSPECT = "introspect"
    """To ask whose a token is, and nothing else: for other services of the house."""


@dataclass(frozen=True, kw_only=True)
class PersonalToken:
    """`version` is the account's when it was made: below it the token is over."""

    id: UUID = field(default_factory=uuid7)
    user_id: UUID
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    key_id: str
    salt: bytes = field(repr=False)
    version: int
    rotation: int = 0
    rotated_at: datetime | None = None
    revoked_at: datetime | None = None

    def text(self, keys: KeyRing) -> str:
        return opaque.spelled(PREFIX, self.id.bytes + self._mac(keys))

    def is_genuine(self, text: str, keys: KeyRing) -> bool:
        try:
            return hmac.compare_digest(text.encode(), self.text(keys).encode())
        except UnknownKeyError:  # rotated out: whatever was made under it is over
            return False

    def is_live(self, now: datetime) -> bool:
        if self.revoked_at is not None or now >= self.expires_at:
            return False
        return self.rotated_at is None or now < self.rotated_at

    def was_used_long_ago(self, now: datetime) -> bool:
        return self.last_used_at is None or now >= self.last_used_at + USED_EVERY

    def _mac(self, keys: KeyRing) -> bytes:
        return keys.mac(self.key_id, b"v1", b"pat", self.key_id.encode(), self.id.bytes, self.salt)


def read_token_id(text: str) -> UUID | None:
    """Which row a token speaks of; None when it is no such token."""
    return opaque.read_id(PREFIX, text)
