"""What makes a device known: a token that it got when somebody signed in there, or by a mailed
link. It opens nothing; strangers cannot lock out whoever shows it. Derived, not stored, like the
tokens of sessions."""

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core import opaque
from core.ids import uuid7
from core.keys import KeyRing

PREFIX: Final = "dsh_device_"
LIFETIME: Final = timedelta(days=180)
"""Since the last sign-in."""
MOST_PASSES: Final = 50
"""Of one person at a time: programs that sign in and never show their pass get a new one each
time."""


@dataclass(frozen=True, kw_only=True)
class DevicePass:
    id: UUID = field(default_factory=uuid7)
    user_id: UUID
    salt: bytes = field(repr=False)
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime

    @classmethod
    def grant(cls, user_id: UUID, *, salt: bytes, now: datetime) -> "DevicePass":
        """`salt` is 32 bytes from the system's generator: half of the token's strength."""
        return cls(user_id=user_id, salt=salt, created_at=now, expires_at=now + LIFETIME)

    def used(self, now: datetime) -> "DevicePass":
        return replace(self, last_used_at=now, expires_at=now + LIFETIME)

    def is_live(self, now: datetime) -> bool:
        return now < self.expires_at

    def text(self, keys: KeyRing) -> str:
        return self._text(keys.current, keys)

    def is_genuine(self, text: str, keys: KeyRing) -> bool:
        """Under any key that is known: when keys are rotated, and the answer with the new text is
        lost, the device is known by the old one."""
        return any(
            hmac.compare_digest(text.encode(), self._text(key_id, keys).encode())
            for key_id in keys.keys
        )

    def _text(self, key_id: str, keys: KeyRing) -> str:
        mac = keys.mac(
            key_id,
            b"v1",
            b"device",
            key_id.encode(),
            self.id.bytes,
            self.user_id.bytes,
            self.salt,
        )
        return opaque.spelled(PREFIX, self.id.bytes + mac)


def read_pass_id(text: str) -> UUID | None:
    return opaque.read_id(PREFIX, text)
