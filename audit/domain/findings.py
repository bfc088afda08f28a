"""What a verification can find."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


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
    """A signature or a root in the table of checkpoints is wrong."""
    REWRITTEN = "rewritten"
    """Entries and hashes agree with each other, and not with what was signed."""
    ORPHAN_OUTCOME = "orphan_outcome"
    OPEN_ATTEMPT = "open_attempt"
    UNSEALED = "unsealed"
    CLOCK = "clock"


INCOMPLETE = frozenset({Kind.OPEN_ATTEMPT, Kind.UNSEALED})
"""Something is late. Not a sign of tampering by itself."""
WARNINGS = frozenset({Kind.CLOCK})


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
