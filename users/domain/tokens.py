"""One-use tokens are derived, not stored: the row holds a salt, the server a key, and neither
alone yields the text that the mail carries."""

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from core import opaque
from core.ids import uuid7
from core.keys import KeyRing

_PREFIX: Final = "dsh_once_"  # lets secret scanners find a token that leaked


class Purpose(StrEnum):
    EMAIL_VERIFICATION = "email_verification"
    FIRST_ADMIN = "first_admin"
    PASSWORD_RESET = "password_reset"
    EMAIL_CHANGE = "email_change"
    INVITATION = "invitation"
    UNLOCK = "unlock"


LIFETIMES: Final = {
    Purpose.EMAIL_VERIFICATION: timedelta(hours=24),
    Purpose.FIRST_ADMIN: timedelta(hours=24),
    Purpose.PASSWORD_RESET: timedelta(hours=1),
    Purpose.EMAIL_CHANGE: timedelta(hours=24),
    Purpose.INVITATION: timedelta(hours=72),
    # As long as the longest lock that it gets somebody around.
    Purpose.UNLOCK: timedelta(hours=24),
}


@dataclass(frozen=True, kw_only=True)
class OneUseToken:
    id: UUID
    purpose: Purpose
    user_id: UUID | None
    key_id: str
    salt: bytes = field(repr=False)
    expires_at: datetime
    spent_at: datetime | None = None
    email: str | None = None
    """The address that the account is to have; forgotten with the token's use."""

    @classmethod
    def issue(
        cls,
        purpose: Purpose,
        user_id: UUID | None,
        *,
        key_id: str,
        salt: bytes,
        now: datetime,
        email: str | None = None,
    ) -> "OneUseToken":
        """`salt` is 32 bytes from the system's generator: half of the token's strength."""
        return cls(
            id=uuid7(),
            purpose=purpose,
            user_id=user_id,
            key_id=key_id,
            salt=salt,
            expires_at=calculate_expiration(purpose, now),
            email=email,
        )

    def text(self, keys: KeyRing) -> str:
        return opaque.spelled(_PREFIX, self.id.bytes + self._mac(keys))

    def is_genuine(self, text: str, keys: KeyRing) -> bool:
        """In constant time over the part that is secret."""
        return hmac.compare_digest(text.encode(), self.text(keys).encode())

    def is_spendable(self, now: datetime) -> bool:
        return self.spent_at is None and now < self.expires_at

    def spent(self, now: datetime) -> "OneUseToken":
        return replace(self, spent_at=now, email=None)

    def _mac(self, keys: KeyRing) -> bytes:
        return keys.mac(
            self.key_id,
            b"v1",
            b"one-use",
            self.purpose.encode(),
            self.key_id.encode(),
            self.id.bytes,
            self.salt,
        )


def calculate_expiration(purpose: Purpose, now: datetime) -> datetime:
    return now + LIFETIMES[purpose]


def read_token_id(text: str) -> UUID | None:
    """Which row a token speaks of; None when it is no token at all."""
    return opaque.read_id(_PREFIX, text)
