"""The sealed trail in memory: rows, tiles, checkpoints and the right edge, as the tables have them.
Everything may be changed from outside, as by whoever owns the database."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from audit.domain.checkpoint import Checkpoint, SignedNote, SigningKey, VerifierKey
from audit.domain.entry import Entry, mac_of, outcome_id
from audit.domain.log import ID_BYTES, Advance, Cursor, Frontier, Row, packed, unpacked
from audit.domain.merkle import TILE_WIDTH, Edge
from audit.ports import Commits, Evidence, Keeper, ProvableLog, SealedLog, Stored, StoredCheckpoint
from core.actions import AuditAction, Phase
from core.ids import first_id_since
from core.keys import KeyRing

HASHES: Final = 0
IDS: Final = 1
_OUTCOMES: Final = (Phase.SUCCEEDED.value, Phase.FAILED.value, Phase.ABANDONED.value)


@dataclass
class EventRow:
    id: UUID
    phase: int
    action: str
    actor_ref: UUID | None
    subject_ref: UUID | None
    resource_type: str | None
    resource_id: UUID | None
    correlation: UUID
    ip_bi: bytes | None
    entry: bytes
    mac: bytes
    recorded_at: datetime
    seq: int

    @property
    def cursor(self) -> Cursor:
        return Cursor(0, 0, self.seq)

    def stored(self) -> Stored:
        return Stored(
            id=str(self.id),
            phase=self.phase,
            action=self.action,
            actor_ref=_text(self.actor_ref),
            subject_ref=_text(self.subject_ref),
            resource_type=self.resource_type,
            resource_id=_text(self.resource_id),
            correlation=str(self.correlation),
            ip_bi=self.ip_bi.hex() if self.ip_bi is not None else None,
            recorded_at=self.recorded_at,
            entry=self.entry,
            mac=self.mac,
            epoch=0,
            xid=0,
            seq=self.seq,
        )


@dataclass
class RightEdge:
    size: int = 0
    partials: bytes = b""
    partial_ids: bytes = b""
    cursor: Cursor = Cursor(0, 0, 0)


@dataclass
class CheckpointRow:
    size: int
    root: bytes
    note: str
    first_id: UUID
    last_id: UUID


@dataclass
class InMemoryLog:
    """`edge` is None where its row is gone. `by_others` while another sealer holds it."""

    implements = (SealedLog, ProvableLog, Evidence, Commits)
    events: list[EventRow] = field(default_factory=list)
    tiles: dict[tuple[int, int, int], bytes] = field(default_factory=dict)
    checkpoint_rows: list[CheckpointRow] = field(default_factory=list)
    edge: RightEdge | None = field(default_factory=RightEdge)
    people: dict[UUID, tuple[str | None, bytes | None]] = field(default_factory=dict)
    by_others: bool = False

    def copy(self) -> "InMemoryLog":
        return InMemoryLog(
            [replace(event) for event in self.events],
            dict(self.tiles),
            [replace(row) for row in self.checkpoint_rows],
            replace(self.edge) if self.edge else None,
            dict(self.people),
        )

    def insert(self, entry: Entry, keys: KeyRing) -> None:
        raw, last = entry.encoded(), max((event.seq for event in self.events), default=0)
        if any(event.id == entry.id for event in self.events):
            raise ValueError(f"{entry.id} is on the trail.")
        row: Any = (*entry.projection, raw, mac_of(raw, keys), datetime.now(UTC), last + 1)
        self.events.append(EventRow(*row))

    def row(self, entry_id: UUID) -> EventRow:
        return next(event for event in self.events if event.id == entry_id)

    # What the sealer asks.

    @contextmanager
    def held(self) -> Iterator[Frontier | None]:
        if self.edge is None:
            raise LookupError("there is none")
        yield None if self.by_others else self.frontier()

    def frontier(self) -> Frontier:
        at = self.edge or RightEdge()
        return Frontier(_edge(at.size, at.partials), at.partial_ids, at.cursor)

    def last_checkpoint(self) -> str | None:
        rows = sorted(self.checkpoint_rows, key=lambda row: row.size)
        return rows[-1].note if rows else None

    def unsealed(self, cursor: Cursor, limit: int) -> list[Row]:
        behind = [event for event in self._in_order() if event.cursor > cursor]
        return [Row(each.cursor, each.id, each.entry, each.mac) for each in behind[:limit]]

    def newest(self) -> Cursor:
        return max((event.cursor for event in self.events), default=Cursor(0, 0, 0))

    def advance(self, advance: Advance, checkpoint: Checkpoint, note: str, rows: list[Row]) -> None:
        for tile in advance.growth.tiles:
            self.tiles[HASHES, tile.level, tile.index] = tile.data
        for ids in advance.id_tiles:
            self.tiles[IDS, 0, ids.tile] = ids.ids
        at = advance.frontier
        self.edge = RightEdge(at.size, packed(at.edge.partials), at.ids, at.cursor)
        self.checkpoint_rows.append(
            CheckpointRow(checkpoint.size, checkpoint.root, note, rows[0].id, rows[-1].id)
        )

    def tile(self, level: int, index: int) -> bytes:
        edge = self.frontier().edge
        if index >= edge.size // TILE_WIDTH ** (level + 1):
            return edge.partials[level] if level < len(edge.partials) else b""
        return self.whole_tile(level, index)

    # What the prover asks.

    def leaf_of(self, entry_id: UUID) -> int | None:
        found = self.rows([entry_id]).get(entry_id)
        if found is None or found.cursor > self.frontier().cursor:
            return None
        for tile in range(-(-self.frontier().size // TILE_WIDTH)):
            ids = self.ids(tile)
            if entry_id in ids:
                return tile * TILE_WIDTH + ids.index(entry_id)
        raise LookupError(f"no leaf names {entry_id}")

    # What the verifier asks.

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        yield

    def checkpoints(self, since: int) -> Iterator[StoredCheckpoint]:
        for row in sorted(self.checkpoint_rows, key=lambda row: row.size):
            if row.size > since:
                ends = str(row.first_id), str(row.last_id)
                yield StoredCheckpoint(row.size, row.root, row.note, *ends)

    def ids(self, index: int) -> list[UUID]:
        at = self.frontier()
        raw = self._read(IDS, 0, index) if index < at.size // TILE_WIDTH else at.ids
        return [UUID(bytes=raw[n : n + ID_BYTES]) for n in range(0, len(raw), ID_BYTES)]

    def whole_tile(self, level: int, index: int) -> bytes:
        return self._read(HASHES, level, index)

    def leaf_tiles(self, first: int, last: int) -> Mapping[int, tuple[bytes, bytes]]:
        return {
            index: (self.tiles.get((HASHES, 0, index), b""), self.tiles.get((IDS, 0, index), b""))
            for index in range(first, last + 1)
        }

    def last_tiles(self) -> Iterable[tuple[bool, int, int]]:
        last: dict[tuple[int, int], int] = {}
        for kind, level, index in self.tiles:
            last[kind, level] = max(index, last.get((kind, level), 0))
        return [(kind == IDS, level, index) for (kind, level), index in last.items()]

    def leaves_naming(self, ids: Collection[UUID]) -> Mapping[UUID, list[int]]:
        found: dict[UUID, list[int]] = {}
        at = self.frontier()
        tiles = {index: raw for (kind, _, index), raw in self.tiles.items() if kind == IDS}
        for index, raw in sorted((tiles | {at.size // TILE_WIDTH: at.ids}).items()):
            for n in range(0, len(raw), ID_BYTES):
                named = raw[n : n + ID_BYTES]
                for entry_id in ids:
                    if entry_id.bytes == named:
                        leaf = index * TILE_WIDTH + n // ID_BYTES
                        found.setdefault(entry_id, []).append(leaf)
        return found

    def rows(self, ids: Sequence[UUID]) -> Mapping[UUID, Stored]:
        wanted = set(ids)
        return {event.id: event.stored() for event in self.events if event.id in wanted}

    def rows_of(self, action: str) -> Sequence[Stored]:
        return [event.stored() for event in self.events if event.action == action]

    def rows_behind(self, cursor: Cursor) -> Iterator[Stored]:
        return (event.stored() for event in self._in_order() if event.cursor > cursor)

    def orphans(self, since: Cursor) -> Iterable[UUID]:
        expected = {outcome_id(event.id) for event in self.events if event.phase == Phase.ATTEMPTED}
        outcomes = [event for event in self.events if event.phase in _OUTCOMES]
        return [one.id for one in outcomes if one.cursor > since and one.id not in expected]

    def open_attempts(self, since: UUID, patience: timedelta) -> Iterable[UUID]:
        there, until = {event.id for event in self.events}, first_id_since(patience)
        attempts = [event.id for event in self.events if event.phase == Phase.ATTEMPTED]
        return [one for one in attempts if since <= one < until and outcome_id(one) not in there]

    def subjects(self) -> Iterator[tuple[UUID, str | None, bytes | None]]:
        for ref, (name, wrapped) in sorted(self.people.items()):
            yield ref, name, wrapped

    def erased_refs(self) -> Set[UUID] | None:
        if self.rows_of(AuditAction.AUDIT_PRUNED):
            return None
        erased = self.rows_of(AuditAction.AUDIT_SUBJECT_ERASED)
        documents = [json.loads(row.entry) for row in erased]
        return {
            UUID(ref)
            for document in documents
            for ref in document["ctx"].get("refs") or [document["subject"]]
        }

    def _in_order(self) -> list[EventRow]:
        return sorted(self.events, key=lambda event: event.seq)

    def _read(self, kind: int, level: int, index: int) -> bytes:
        if (kind, level, index) not in self.tiles:
            raise LookupError(f"tile {index} of level {level} is not there")
        return self.tiles[kind, level, index]


@dataclass
class InMemoryKeeper:
    """`note` is the file outside the database."""

    implements = Keeper
    keys: list[SigningKey] = field(default_factory=list)
    known: list[VerifierKey] = field(default_factory=list)
    note: str | None = None

    def add(self, key: SigningKey) -> None:
        self.keys = [key, *self.keys[:1]]
        self.known.append(key.verifier_key)

    def signing_keys(self) -> Sequence[SigningKey]:
        return tuple(self.keys)

    def verifier_keys(self) -> Sequence[VerifierKey]:
        return tuple(self.known)

    def retire(self, signed: SigningKey) -> None:
        if self.keys[0] == signed:
            self.keys = [signed]

    def checkpoint(self) -> str | None:
        return self.note

    def advance(self, note: str) -> None:
        if self.note is None or _size(self.note) < _size(note):
            self.keep(note)

    def keep(self, note: str) -> None:
        self.note = note


@cache
def _edge(size: int, partials: bytes) -> Edge:
    return Edge(size, unpacked(partials))


def _size(note: str) -> int:
    return Checkpoint.read(SignedNote.read(note).text).size


def _text(value: UUID | None) -> str | None:
    return str(value) if value is not None else None
