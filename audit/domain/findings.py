"""What a verification can find, and how far it came."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

from audit.domain.log import Cursor
from audit.domain.merkle import Edge

_NO_ID: Final = UUID(int=0)
BEFORE_ALL: Final = Cursor(-(2**15), 0, -(2**63))
"""Nothing is passed over: not what somebody has put in this very place."""


class Kind(StrEnum):
    ALTERED = "altered"
    """The entry of a leaf is not the one that was sealed."""
    DELETED = "deleted"
    INSERTED = "inserted"
    """A row among the sealed ones that was never sealed."""
    DUPLICATE = "duplicate"
    """One id in two leaves."""
    REORDERED = "reordered"
    COLUMN = "column"
    """A column does not say what the entry says."""
    MAC = "mac"
    BAD_PHASE = "bad_phase"
    """The id tells another phase than the entry."""
    NOT_AN_ENTRY = "not_an_entry"
    TILE = "tile"
    """A stored hash is not that of what it stands for."""
    ID_TILE = "id_tile"
    FRONTIER = "frontier"
    CHECKPOINT = "checkpoint"
    """A checkpoint is missing, or its signature, its root or an id beside it is wrong."""
    REWRITTEN = "rewritten"
    """Entries and hashes agree with each other, and not with what was signed."""
    SUBJECT = "subject"
    """A pseudonym stands for somebody else, or was erased without a record."""
    ORPHAN_OUTCOME = "orphan_outcome"
    OPEN_ATTEMPT = "open_attempt"
    UNSEALED = "unsealed"
    OUTSIDE = "outside"
    """There is nothing outside the database to compare it with."""
    UNKNOWN = "unknown"
    """Neither a row nor a leaf has the id that was asked for."""
    PRUNED = "pruned"
    """The row left the database on record: it is in an archive."""
    UNREADABLE = "unreadable"
    """A table holds what cannot stand there."""
    CLOCK = "clock"


INCOMPLETE = frozenset({Kind.OPEN_ATTEMPT, Kind.UNSEALED, Kind.OUTSIDE, Kind.UNKNOWN})
"""Something is late or not there. Not a sign of tampering by itself."""
WARNINGS = frozenset({Kind.CLOCK, Kind.PRUNED})


@dataclass(frozen=True)
class Finding:
    kind: Kind
    detail: str
    leaf: int | None = None
    id: UUID | None = None

    def __str__(self) -> str:
        place = f"leaf {self.leaf}" if self.leaf is not None else "not a leaf"
        event = f", event {self.id}" if self.id else ""
        return f"{place}{event}: {self.kind}: {self.detail}"


@dataclass(frozen=True)
class Verified:
    """Up to here everything was in order; kept outside the database, so that the next
    verification begins here. Attempts with a smaller id than `attempts` had their outcome."""

    edge: Edge = field(default_factory=Edge.empty)
    cursor: Cursor = BEFORE_ALL
    attempts: UUID = _NO_ID

    @property
    def size(self) -> int:
        return self.edge.size
