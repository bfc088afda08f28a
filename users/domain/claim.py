"""That an account is one's own: claimed with a password, by somebody who may be known already."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from users.domain.user import User


class Known(StrEnum):
    DEVICE = "device"
    SESSION = "session"
    LINK = "link"


@dataclass(frozen=True)
class KnownBy:
    """What tells a claimant from a stranger. Its failures are counted apart from the strangers',
    who cannot lock it."""

    kind: Known
    id: UUID

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """`known_by` is a session or a link that was checked before; a device shows its pass."""

    email: str
    password: str = field(repr=False)
    device_token: str | None = field(default=None, repr=False)
    known_by: KnownBy | None = None


@dataclass(frozen=True)
class Verified:
    user: User
    known_by: KnownBy | None = None
    password: str = field(default="", repr=False, compare=False)
    """What was proved."""
    failures: int = field(default=0, compare=False)
    """In a row, before it."""
