"""What the trail asks of the outside."""

from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from audit.domain.checkpoint import Checkpoint, SigningKey, VerifierKey
from audit.domain.entry import Entry, Projection
from audit.domain.log import Advance, Cursor, Frontier, Row
from audit.domain.merkle import TileReader
from audit.domain.subject import NamedSubject, Subject
from core.actions import Phase


class Trail(Protocol):
    def append(self, entry: Entry) -> None:
        """Raises when it cannot: what cannot be recorded must not happen."""
        ...


class OpenAttempts(Protocol):
    def without_outcome(self, patience: timedelta) -> list[bytes]:
        """The entries of attempts that are older than this and have no outcome."""
        ...

    def close(self, outcome: Entry) -> bool:
        """False where an outcome is there, or is just being written."""
        ...


class Subjects(Protocol):
    def named(self, *names: str) -> Mapping[str, Subject]:
        """By name (`audit.domain.subject`); made where they are not there yet."""
        ...


class SealedLog(TileReader, Protocol):
    """The tree's side of the trail. `tile` (of hashes) reads what stands there now."""

    def held(self) -> AbstractContextManager[Frontier | None]:
        """The right edge, for this caller alone until the block ends, in one transaction; None
        while another sealer holds it."""
        ...

    def frontier(self) -> Frontier: ...

    def last_checkpoint(self) -> str | None: ...

    def unsealed(self, cursor: Cursor, limit: int) -> list[Row]:
        """Rows behind the cursor that nobody can commit in front of any more, in order."""
        ...

    def advance(self, advance: Advance, checkpoint: Checkpoint, note: str, rows: list[Row]) -> None:
        """Within `held`."""
        ...


class ProvableLog(TileReader, Protocol):
    def last_checkpoint(self) -> str | None: ...

    def leaf_of(self, entry_id: UUID) -> int | None:
        """Where it stands in the tree; None where it is not sealed. Raises `LookupError` where
        the tiles do not name it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """What is asked of the trail: all of it holds, None asks for nothing. `subject`, `actor` and
    a `resource_id` of type user are ids of users; `since` belongs to it, `until` does not."""

    subject: UUID | None = None
    actor: UUID | None = None
    resource_type: str | None = None
    resource_id: UUID | None = None
    action: str | None = None
    phases: frozenset[Phase] = frozenset()
    correlation: UUID | None = None
    ip: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Recorded(NamedTuple):
    entry: bytes
    recorded_at: datetime
    is_sealed: bool


class RecordedEvents(Protocol):
    """In the order of their ids, which is the order of their making."""

    def newest(self, criteria: Criteria, before: UUID | None, size: int) -> list[Recorded]: ...

    def oldest(self, criteria: Criteria, after: UUID | None, size: int) -> list[Recorded]: ...

    def find(self, entry_id: UUID) -> Recorded | None: ...


class SubjectDirectory(Protocol):
    """Whom pseudonyms stand for; those that were erased are not in it."""

    def by_ref(self, *refs: UUID) -> Sequence[NamedSubject]: ...

    def by_name(self, *names: str) -> Sequence[NamedSubject]: ...


class Keeper(Protocol):
    """What the sealer keeps outside the database."""

    def signing_keys(self) -> Sequence[SigningKey]:
        """The first one signs; after a rotation the older one signs once more beside it."""
        ...

    def verifier_keys(self) -> Sequence[VerifierKey]:
        """All that ever signed."""
        ...

    def retire(self) -> None:
        """Forgets the signing keys but the first."""
        ...

    def checkpoint(self) -> str | None: ...

    def keep(self, note: str) -> None: ...


class Anchor(Protocol):
    """Where a checkpoint is published, out of reach of whoever holds this machine."""

    @property
    def name(self) -> str: ...

    def publish(self, note: str) -> str:
        """A receipt: where it can be found there. Raises `OSError` when it cannot."""
        ...


class AnchorRecords(Protocol):
    def is_due(self, sink: str, every: int) -> bool:
        """Whether `every` checkpoints have been made since the last one that `sink` has."""
        ...

    def add(self, sink: str, size: int, receipt: str) -> None: ...


class Stored(NamedTuple):
    """A row as it stands there, entry and columns."""

    columns: Projection
    cursor: Cursor
    recorded_at: datetime
    entry: bytes
    mac: bytes


class Evidence(TileReader, Protocol):
    """The trail to read, as it was at one moment."""

    def snapshot(self) -> AbstractContextManager[None]: ...

    def frontier(self) -> Frontier: ...

    def checkpoints(self, since: int) -> Iterable[tuple[int, bytes, str]]:
        """Size, root and note of those of more than `since` leaves, by size."""
        ...

    def ids(self, index: int) -> list[UUID]:
        """Of the leaves of a tile of level 0. Raises `LookupError` where it is missing."""
        ...

    def rows(self, ids: Sequence[UUID]) -> Mapping[UUID, Stored]: ...

    def rows_behind(self, cursor: Cursor, known: Container[UUID]) -> Iterable[Stored]:
        """In no order, but those that are known."""
        ...

    def orphans(self, since: Cursor) -> Iterable[UUID]:
        """Outcomes without an attempt."""
        ...

    def open_attempts(self, patience: timedelta) -> Iterable[UUID]: ...


class ErasableSubjects(Protocol):
    def knows(self, name: str) -> bool: ...

    def before(self, name: str) -> list[str]:
        """The earlier names of its kind: 'day:2026-01-31' is before 'day:2026-02-01'."""
        ...

    def erase(self, name: str) -> bool:
        """Destroys the key and forgets the name; False where there is none."""
        ...
