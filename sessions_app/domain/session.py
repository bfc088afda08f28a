from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from core.ids import uuid7
from sessions_app.domain.familiarity import Mark

ACCESS_LIFETIME: Final = timedelta(minutes=15)
IDLE_LIMIT: Final = timedelta(days=14)
ABSOLUTE_LIMIT: Final = timedelta(days=30)
"""Whatever the refreshing (ASVS 7.3.2)."""
OVERLAP: Final = timedelta(seconds=10)
"""Requests that were on their way when a token was refreshed still arrive."""
SEEN_EVERY: Final = timedelta(minutes=1)


class SessionKind(StrEnum):
    API = "api"
    BROWSER = "browser"


class EndReason(StrEnum):
    REVOKED = "revoked"
    LIMIT = "session_limit"
    REUSE = "refresh_token_reuse"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET = "password_reset"
    DEACTIVATED = "deactivated"
    DEMOTED = "demoted"
    ACCOUNT_DELETED = "account_deleted"


@dataclass(frozen=True, kw_only=True)
class DeviceSession:
    """A sign-in on one device. Its tokens are derived from `id`, `generation` and `salt`, under
    the key `key_id`; `version` is the account's at sign-in: below it the session is over."""

    id: UUID = field(default_factory=uuid7)
    user_id: UUID
    kind: SessionKind = SessionKind.API
    device: str
    ip_address: str | None = None
    location: str | None = None
    created_at: datetime
    authenticated_at: datetime
    """When the password was proved last."""
    last_seen_at: datetime
    generation: int = 1
    generation_began_at: datetime
    first_used_at: datetime | None = None
    key_id: str
    previous_key_id: str | None = None
    previous_ends_at: datetime | None = None
    salt: bytes = field(repr=False)
    version: int = 1
    rotation: int = 0
    """The last rotation of tokens when it began: a later one ends it, at `rotated_at`."""
    rotated_at: datetime | None = None
    marks: tuple[Mark, ...] = ()
    """What was new about it when it began."""
    revoked_at: datetime | None = None
    revoked_reason: EndReason | None = None

    @property
    def expires_at(self) -> datetime:
        return min(self.last_seen_at + IDLE_LIMIT, self.created_at + ABSOLUTE_LIMIT)

    @property
    def access_ends_at(self) -> datetime:
        return self.generation_began_at + ACCESS_LIFETIME

    def is_live(self, now: datetime) -> bool:
        if self.revoked_at is not None or now >= self.expires_at:
            return False
        return self.rotated_at is None or now < self.rotated_at

    def state(self, now: datetime) -> str:
        """`live`, or why it is over."""
        if self.is_live(now):
            return "live"
        if self.revoked_reason is not None:
            return self.revoked_reason
        return "expired" if now >= self.expires_at else "tokens_rotated"

    def accepts_access(self, generation: int, now: datetime) -> bool:
        """Whether an access token of this generation still opens the door."""
        if not self.is_live(now):
            return False
        if generation == self.generation:
            return now < self.access_ends_at
        ends_at = self.previous_ends_at
        return generation == self.generation - 1 and ends_at is not None and now < ends_at

    def repeats_refresh(self, generation: int, now: datetime) -> bool:
        """Whether this refresh token gets its successor once more: the answer may have been lost.
        The successor's first use retires it, not a clock (RFC 9700 §4.14.2)."""
        unused = self.first_used_at is None or now <= self.first_used_at + OVERLAP
        return generation == self.generation - 1 and unused

    def refreshed(self, *, key_id: str, now: datetime) -> "DeviceSession":
        return replace(
            self,
            generation=self.generation + 1,
            generation_began_at=now,
            first_used_at=None,
            previous_key_id=self.key_id,
            # Never later than its own end: a token that is over does not come back.
            previous_ends_at=min(self.access_ends_at, now + OVERLAP),
            key_id=key_id,
            last_seen_at=now,
        )

    def reauthenticated(self, *, key_id: str, now: datetime) -> "DeviceSession":
        """One generation is left out: no token of before is the predecessor of the new ones
        (ASVS 7.2.4)."""
        return replace(
            self,
            generation=self.generation + 2,
            generation_began_at=now,
            first_used_at=None,
            previous_key_id=None,
            previous_ends_at=None,
            key_id=key_id,
            authenticated_at=now,
            last_seen_at=now,
        )

    def is_first_use(self, generation: int) -> bool:
        return generation == self.generation and self.first_used_at is None

    def was_seen_long_ago(self, now: datetime) -> bool:
        return now >= self.last_seen_at + SEEN_EVERY
