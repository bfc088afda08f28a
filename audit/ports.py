"""What the trail asks of the outside."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import UUID

from audit.domain.checkpoint import Checkpoint, SigningKey, VerifierKey
from audit.domain.entry import Entry
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
        while another sealer holds it. Raises `LookupError` where it is gone."""
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
    trace: str | None = None
    """Looked for in each entry: give a time with it."""
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

    def among(self, criteria: Criteria, ids: Sequence[UUID]) -> list[Recorded]: ...

    def find(self, entry_id: UUID) -> Recorded | None: ...


class Outcomes(NamedTuple):
    """How often an action has come to `phase` between two bounds; `step` counts them from 0."""

    step: int
    phase: Phase
    events: int


class Source(NamedTuple):
    """An address under its blind, with the last event that came from there."""

    events: int
    last: UUID


class EventCounts(Protocol):
    def outcomes(self, action: str, bounds: Sequence[datetime]) -> list[Outcomes]: ...

    def sources(
        self, action: str, phase: Phase, bounds: tuple[datetime, datetime], most: int
    ) -> list[Source]:
        """Of the most events first."""
        ...


class Commits(Protocol):
    """The order in which rows were committed, as far as nobody can commit in front of them."""

    def newest(self) -> Cursor: ...

    def unsealed(self, cursor: Cursor, limit: int) -> list[Row]: ...


class SubjectDirectory(Protocol):
    """Whom pseudonyms stand for; those that were erased are not in it."""

    def by_ref(self, *refs: UUID) -> Sequence[NamedSubject]: ...

    def by_name(self, *names: str) -> Sequence[NamedSubject]: ...


class Month(NamedTuple):
    """A partition: the events whose ids are below `end`, and not of an older one. `name` is
    2026-01."""

    name: str
    end: UUID


class Months(Protocol):
    """Of the trail, as its tables are cut."""

    def finish(self, recorded: Sequence[str]) -> None:
        """Drops what an earlier run has recorded, and did not come to drop."""
        ...

    def before(self, name: str) -> Sequence[Month]: ...

    def ids(self, month: Month) -> set[UUID]: ...

    def leaves(self, ids: set[UUID]) -> Mapping[UUID, int]:
        """Of those that are sealed."""
        ...

    def drop(self, month: Month) -> None: ...


class Archives(Protocol):
    def write(self, first: int, last: int, folder: Path) -> str:
        """Checked by a program that shares nothing with this one. The SHA-256 of its manifest.
        Raises `ArchiveError`."""
        ...


class Keeper(Protocol):
    """What the sealer keeps outside the database."""

    def signing_keys(self) -> Sequence[SigningKey]:
        """The first one signs; after a rotation the older one signs once more beside it."""
        ...

    def verifier_keys(self) -> Sequence[VerifierKey]:
        """All that ever signed."""
        ...

    def retire(self, signed: SigningKey) -> None:
        """Forgets the signing keys but this one."""
        ...

    def checkpoint(self) -> str | None: ...

    def advance(self, note: str) -> None:
        """Keeps it, where it is of a larger tree than the one that is kept."""
        ...


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
    """A row as it stands there. Its columns are written as in the entry (ids with their hyphens,
    bytes in hex), so that comparing them needs no parsing."""

    id: str
    phase: int
    action: str
    actor_ref: str | None
    subject_ref: str | None
    resource_type: str | None
    resource_id: str | None
    correlation: str
    ip_bi: str | None
    recorded_at: datetime
    entry: bytes
    mac: bytes
    epoch: int
    xid: int
    seq: int

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.epoch, self.xid, self.seq)


class StoredCheckpoint(NamedTuple):
    """`first_id` and `last_id` are of the leaves since the checkpoint before."""

    size: int
    root: bytes
    note: str
    first_id: str
    last_id: str


class Evidence(TileReader, Protocol):
    """The trail to read, as it was at one moment."""

    def snapshot(self) -> AbstractContextManager[None]: ...

    def frontier(self) -> Frontier:
        """An empty one where its row is gone."""
        ...

    def last_checkpoint(self) -> str | None: ...

    def checkpoints(self, since: int) -> Iterator[StoredCheckpoint]:
        """Those of more than `since` leaves, by size."""
        ...

    def ids(self, index: int) -> list[UUID]:
        """Of the leaves of a tile of level 0. Raises `LookupError` where it is missing."""
        ...

    def whole_tile(self, level: int, index: int) -> bytes:
        """As it was stored, whatever the frontier says. Raises `LookupError`."""
        ...

    def leaf_tiles(self, first: int, last: int) -> Mapping[int, tuple[bytes, bytes]]:
        """Hashes and ids of the whole tiles `first` to `last`, that one included; what is missing
        is empty."""
        ...

    def last_tiles(self) -> Iterable[tuple[bool, int, int]]:
        """Whether it holds ids, its level and its index: of each level the last tile."""
        ...

    def leaves_naming(self, ids: Collection[UUID]) -> Mapping[UUID, list[int]]:
        """Looks through the ids of all leaves."""
        ...

    def rows(self, ids: Sequence[UUID]) -> Mapping[UUID, Stored]: ...

    def rows_of(self, action: str) -> Sequence[Stored]:
        """By their column; few."""
        ...

    def rows_behind(self, cursor: Cursor) -> Iterator[Stored]:
        """In the order of the commits, read as they are asked for, within `snapshot`."""
        ...

    def orphans(self, since: Cursor) -> Iterable[UUID]:
        """Outcomes without an attempt."""
        ...

    def open_attempts(self, since: UUID, patience: timedelta) -> Iterable[UUID]: ...

    def subjects(self) -> Iterator[tuple[UUID, str | None, bytes | None]]:
        """Pseudonym, name and wrapped key; without the two where it was erased."""
        ...

    def erased_refs(self) -> Set[UUID] | None:
        """The pseudonyms that are recorded as erased; None where records were pruned."""
        ...


class ErasableSubjects(Protocol):
    def knows(self, name: str) -> bool: ...

    def before(self, name: str) -> Sequence[tuple[str, UUID]]:
        """The earlier names of its kind, with their pseudonyms: 'day:2026-01-31' is before
        'day:2026-02-01'."""
        ...

    def erase(self, name: str) -> bool:
        """Destroys the key and forgets the name; False where there is none."""
        ...
