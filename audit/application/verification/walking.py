"""One verification on its way, leaf by leaf, from one checkpoint to the next."""

from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Final, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from audit.application.verification.growing import NOTHING, Leaf, Segment
from audit.application.verification.matching import Rows
from audit.application.verification.rowchecking import RowCheck, id_of, written_id
from audit.application.verification.spotchecking import Pruned, last_signed, pruned
from audit.domain.checkpoint import Checkpoint, NotAuthentic, VerifierKey, read_checkpoint
from audit.domain.findings import WARNINGS, Finding, Kind, Verified
from audit.domain.log import ID_BYTES, Cursor, Frontier
from audit.domain.merkle import HASH_BYTES, TILE_WIDTH, Edge, leaf_hash, root_of
from audit.ports import Evidence, Stored, StoredCheckpoint
from core.ports import Clock

LATE: Final = timedelta(minutes=5)
"""Seals take seconds and sweeps a minute: what is older than this is late."""
_TILES_AT_ONCE: Final = 16
_MOST_PLACED: Final = 100
"""Of what is found by its id; looking for its leaf reads the ids of all leaves."""

T = TypeVar("T")
_Found: TypeAlias = Generator[Finding, None, T]
"""Tells what it finds on the way to its result."""


class _Piece(NamedTuple):
    """Some leaves: what is stored for them, and the hashes of their rows."""

    first: int
    ids: list[str]
    stored: list[bytes]
    rows: list[bytes | None]
    found: list[str]
    """The ids of the rows; empty where there is none."""

    @property
    def last(self) -> int:
        return self.first + len(self.ids)

    def cut(self, first: int, last: int) -> tuple[list[str], list[bytes], list[bytes | None]]:
        part = slice(first - self.first, last - self.first)
        return self.ids[part], self.stored[part], self.rows[part]


class Walk:
    def __init__(
        self,
        evidence: Evidence,
        vkeys: Sequence[VerifierKey],
        row_check: RowCheck,
        since: Verified,
        progress: Callable[[int, int], None],
    ) -> None:
        self.evidence, self.vkeys, self.row_check = evidence, vkeys, row_check
        self.since, self.progress = since, progress
        self.edge, self.cursor = since.edge, since.cursor
        self._frontier = Frontier(Edge.empty(), b"", Cursor(0, 0, 0))
        self._rows = Rows(evidence, since.cursor)
        self._piece = _Piece(since.size, [], [], [], [])
        self._end, self._whole = since.size, 0
        self._chain_holds = True
        self._faulty: set[int] = set()
        self._differing: dict[int, Leaf] = {}

    def findings(self, outside: Sequence[Checkpoint], clock: Clock) -> Iterator[Finding]:
        self._frontier = self.evidence.frontier()
        self._end = self._last_signed_size()
        size = self._frontier.size
        self._whole = (size if self._is_stored(size) else self._end) // TILE_WIDTH
        yield from self._outside(outside)
        yield from self._checkpoints()
        yield from self._behind_the_last_checkpoint()
        yield from self._right_edge()
        yield from self._not_sealed(clock)
        yield from self._changed()
        yield from self._named_twice()
        yield from self._phases()

    def _last_signed_size(self) -> int:
        """What the frontier says is nobody's word."""
        note = self.evidence.last_checkpoint()
        try:
            return read_checkpoint(note, self.vkeys).size if note else 0
        except NotAuthentic:
            return self._frontier.size

    def _outside(self, outside: Sequence[Checkpoint]) -> Iterator[Finding]:
        agreed = 0
        if self._end < self.since.size:
            text = f"{self.since.size} entries were in order once, {self._end} are here"
            yield Finding(Kind.REWRITTEN, text, self._end)
        for checkpoint in sorted(outside, key=lambda each: each.size):
            if checkpoint.size > self._end:
                text = f"{checkpoint.size} entries were sealed once, {self._end} are here"
                yield Finding(Kind.REWRITTEN, text, self._end)
            elif self._agrees(checkpoint):
                agreed = checkpoint.size
            else:
                text = f"leaves {agreed} to {checkpoint.size - 1} are not those of the checkpoint"
                yield Finding(Kind.REWRITTEN, f"{text} from outside", agreed, self._id_of(agreed))

    def _agrees(self, checkpoint: Checkpoint) -> bool:
        try:
            return root_of(self.evidence, checkpoint.size) == checkpoint.root
        except (LookupError, ValueError):
            return False

    def _id_of(self, leaf: int) -> UUID | None:
        try:
            return self.evidence.ids(leaf // TILE_WIDTH)[leaf % TILE_WIDTH]
        except (LookupError, ValueError):
            return None

    def _checkpoints(self) -> Iterator[Finding]:
        """One that is not authentic vouches for nothing: its leaves belong to the next."""
        begin = self.edge.size
        for stored in self.evidence.checkpoints(self.edge.size):
            signed = yield from self._authentic(stored)
            if signed and signed.size > self.edge.size:
                segment = Segment.after(self.edge)
                first_id = yield from self._grow(segment, signed.size, begin)
                yield from self._close(segment, signed.root)
                yield from self._ends(stored, begin, first_id)
            begin = signed.size if signed else stored.size

    def _authentic(self, stored: StoredCheckpoint) -> _Found[Checkpoint | None]:
        leaf = max(stored.size - 1, 0)
        try:
            checkpoint = read_checkpoint(stored.note, self.vkeys)
        except NotAuthentic as error:
            yield Finding(Kind.CHECKPOINT, f"of size {stored.size}: {error}", leaf)
            return None
        if (checkpoint.size, checkpoint.root) != (stored.size, stored.root):
            yield Finding(Kind.CHECKPOINT, f"the row says {stored.size}, the note else", leaf)
        return checkpoint

    def _ends(self, stored: StoredCheckpoint, begin: int, first_id: str) -> Iterator[Finding]:
        """Where the checkpoint before was taken away, this one begins in the wrong place."""
        last_id = self._piece.found[self.edge.size - 1 - self._piece.first]
        if "" in (first_id, last_id) or self.edge.size != stored.size:
            return
        if first_id != stored.first_id:
            text = f"the one before {stored.size} is missing, or its first id is another"
            yield Finding(Kind.CHECKPOINT, text, begin, UUID(first_id))
        if last_id != stored.last_id:
            text = f"of size {stored.size}: its last id is another"
            yield Finding(Kind.CHECKPOINT, text, stored.size - 1, UUID(last_id))

    def _grow(self, segment: Segment, last: int, marked: int) -> _Found[str]:
        """The id of the leaf `marked`."""
        marked_id = ""
        while (at := segment.stored.size) < last:
            if at == self._piece.last:
                self._piece = yield from self._next_piece()
                self.progress(self._piece.last, self._end)
            end = min(last, self._piece.last)
            ids, stored, rows = self._piece.cut(at, end)
            segment.grow(ids, stored, rows)
            if at <= marked < end:
                marked_id = self._piece.found[marked - self._piece.first]
        return marked_id

    def _close(self, segment: Segment, signed: bytes | None) -> Iterator[Finding]:
        """Authentic as it is stored, or as the rows have it, or neither."""
        if signed is None or not self._chain_holds or segment.stored.root() == signed:
            self._note(segment.differing)
        elif segment.rows and segment.rows.root() == signed:
            segment.mend()
            yield from _wrong_hashes(segment.differing)
        else:
            self._chain_holds = False
            yield self._rewritten(segment)
            self._note(segment.differing)
        yield from self._upper_tiles(segment)
        self.edge = segment.stored

    def _note(self, differing: Sequence[Leaf]) -> None:
        self._differing.update((leaf.number, leaf) for leaf in differing)

    def _rewritten(self, segment: Segment) -> Finding:
        """At the first leaf that is suspect for another reason; where there is none, any may be."""
        last = segment.stored.size
        suspects = [leaf.number for leaf in segment.differing if leaf.stored != NOTHING]
        suspects += [leaf for leaf in self._faulty if segment.first <= leaf < last]
        suspects = suspects or [each.leaf or 0 for each in self._upper_tiles(segment)]
        leaf = min(suspects, default=segment.first)
        text = f"leaves {segment.first} to {last - 1} do not lead to the root that was signed"
        return Finding(Kind.REWRITTEN, text, leaf, self._id_of(leaf))

    def _upper_tiles(self, segment: Segment) -> Iterator[Finding]:
        for tile in segment.upper:
            try:
                stored = self.evidence.whole_tile(tile.level, tile.index)
            except LookupError:
                stored = b""
            if stored != tile.data:
                position = tile.index * TILE_WIDTH + _first_difference(stored, tile.data)
                leaf = position * TILE_WIDTH**tile.level
                text = f"tile {tile.index} of level {tile.level}"
                yield Finding(Kind.TILE, text, leaf, self._id_of(leaf))

    def _next_piece(self) -> _Found[_Piece]:
        first, step = self._piece.last, TILE_WIDTH * _TILES_AT_ONCE
        last = min(self._end, first // step * step + step)
        ids, stored = yield from self._stored(first, last)
        rows = self._rows.of(ids, first)
        hashes: list[bytes | None] = []
        for leaf, row in enumerate(rows, start=first):
            hashes.append(leaf_hash(row.entry) if row else None)
            if row and (found := self.row_check.findings(row, leaf)):
                self._faulty.update(leaf for each in found if each.kind not in WARNINGS)
                yield from found
        self.cursor = rows[-1].cursor if rows[-1] else self._frontier.cursor
        return _Piece(first, ids, stored, hashes, [row.id if row else "" for row in rows])

    def _stored(self, first: int, last: int) -> _Found[tuple[list[str], list[bytes]]]:
        ids: list[str] = []
        hashes: list[bytes] = []
        begin, end = first // TILE_WIDTH, (last - 1) // TILE_WIDTH
        tiles = self.evidence.leaf_tiles(begin, end)
        for index in range(begin, end + 1):
            start = index * TILE_WIDTH
            cut, width = slice(max(first - start, 0), None), min(last - start, TILE_WIDTH)
            raw, raw_ids = self._raw(index, *tiles.get(index, (b"", b"")))
            if (there := len(raw_ids) // ID_BYTES) < width:
                yield Finding(Kind.ID_TILE, f"tile {index} is not whole", start + there)
            names = _texts(raw_ids)[:width] + [""] * (width - there)
            if (there := len(raw) // HASH_BYTES) < width:
                name = UUID(names[there]) if names[there] else None
                yield Finding(Kind.TILE, f"tile {index} of level 0", start + there, name)
            ids += names[cut]
            hashes += (_hashes(raw)[:width] + [NOTHING] * (width - there))[cut]
        return ids, hashes

    def _raw(self, index: int, hashes: bytes, ids: bytes) -> tuple[bytes, bytes]:
        """The last tile is kept in the frontier until it is whole."""
        if index < self._whole:
            return hashes, ids
        return b"".join(self._frontier.edge.partials[:1]), self._frontier.ids

    def _behind_the_last_checkpoint(self) -> Iterator[Finding]:
        """Leaves of which the frontier alone speaks are compared with their rows all the same."""
        signed, size = self.edge.size, self._frontier.size
        if size == signed:
            return
        text = f"it says {size} leaves, signed are {signed}"
        if size < signed or not self._is_stored(size):
            yield Finding(Kind.FRONTIER, text)
            return
        self._end = size
        segment = Segment.after(self.edge)
        first_id = yield from self._grow(segment, size, signed)
        yield Finding(Kind.FRONTIER, text, signed, UUID(first_id) if first_id else None)
        yield from self._close(segment, None)

    def _is_stored(self, size: int) -> bool:
        """A number may say anything: so many leaves must be there, too."""
        whole = [
            index + 1
            for names, level, index in self.evidence.last_tiles()
            if (names, level) == (False, 0)
        ]
        partial = b"".join(self._frontier.edge.partials[:1])
        return size == sum(whole) * TILE_WIDTH + len(partial) // HASH_BYTES

    def _right_edge(self) -> Iterator[Finding]:
        frontier, size = self._frontier, self.edge.size
        if frontier.size == size and self._chain_holds and frontier.edge != self.edge:
            yield Finding(Kind.FRONTIER, "its hashes are not those of the last leaves")
        if frontier.size == size and len(frontier.ids) > size % TILE_WIDTH * ID_BYTES:
            yield Finding(Kind.FRONTIER, "it has more ids than leaves")
        if size and frontier.cursor != self.cursor:
            yield Finding(Kind.FRONTIER, "it does not stand behind the row of the last leaf")
        for holds_ids, level, index in self.evidence.last_tiles():
            if index >= size // TILE_WIDTH ** (level + 1):
                kind = Kind.ID_TILE if holds_ids else Kind.TILE
                yield Finding(kind, f"tile {index} of level {level} is behind the last leaf")

    def _not_sealed(self, clock: Clock) -> Iterator[Finding]:
        """Rows that no leaf names: among the sealed ones they do not belong; behind them they
        wait for the next seal."""
        waiting: list[datetime] = []
        missed = {leaf.stored: index for index, leaf in self._differing.items()}
        for row in self._rows.rest():
            index = missed.get(leaf_hash(row.entry))
            if index in self._differing:
                yield from self._named_otherwise(self._differing.pop(index), row)
            elif row.cursor > self._frontier.cursor:
                yield from self.row_check.findings(row, None)
                waiting.append(row.recorded_at)
            else:
                yield Finding(Kind.INSERTED, f"no leaf names {row.id!a}", None, id_of(row))
        if waiting and clock.now() - min(waiting) > LATE:
            yield Finding(Kind.UNSEALED, f"{len(waiting)} rows, the oldest of {min(waiting)}")

    def _named_otherwise(self, leaf: Leaf, row: Stored) -> Iterator[Finding]:
        if written_id(row) == leaf.id != "":
            yield Finding(Kind.COLUMN, "id", leaf.number, UUID(leaf.id))
        elif leaf.id:
            yield Finding(Kind.ID_TILE, "the leaf names another id", leaf.number, id_of(row))

    def _changed(self) -> Iterator[Finding]:
        of = {leaf.row: leaf for leaf in self._differing.values()}
        sealed = {leaf.stored for leaf in self._differing.values()}
        for leaf in self._differing.values():
            entry_id = UUID(leaf.id) if leaf.id else None
            if leaf.row is None and any(p.covers(leaf.number, leaf.id) for p in self._pruned):
                continue
            if leaf.row is None:
                yield Finding(Kind.DELETED, "no row has this id", leaf.number, entry_id)
            elif leaf.row in sealed and leaf.stored in of and leaf.number not in self._faulty:
                named = of[leaf.stored].id
                yield Finding(Kind.ID_TILE, "the leaf names another id", leaf.number, UUID(named))
            elif leaf.row in sealed:
                yield Finding(Kind.REORDERED, "it is another leaf's entry", leaf.number, entry_id)
            elif leaf.stored != NOTHING:
                text = "not the entry that was sealed"
                yield Finding(Kind.ALTERED, text, leaf.number, entry_id)

    @cached_property
    def _pruned(self) -> tuple[Pruned, ...]:
        """Asked for where something is missing, and then only."""
        try:
            signed = last_signed(self.evidence, self.vkeys)
        except NotAuthentic:
            return ()
        return pruned(self.evidence, self.row_check, signed)

    def _named_twice(self) -> Iterator[Finding]:
        """By its id, and before its turn: unless its row came later, it had come before."""
        ids = [UUID(each) for each in islice(self._rows.early, _MOST_PLACED)]
        for entry_id, leaves in self.evidence.leaves_naming(ids).items():
            for leaf in sorted(leaves)[1:]:
                text = f"it is leaf {min(leaves)} already"
                yield Finding(Kind.DUPLICATE, text, leaf, entry_id)

    def _phases(self) -> Iterator[Finding]:
        orphans = list(self.evidence.orphans(self.since.cursor))
        yield from self._placed(Kind.ORPHAN_OUTCOME, "an outcome without its attempt", orphans)
        attempts = list(self.evidence.open_attempts(self.since.attempts, LATE))
        yield from self._placed(Kind.OPEN_ATTEMPT, "no outcome yet", attempts)

    def _placed(self, kind: Kind, text: str, ids: Sequence[UUID]) -> Iterator[Finding]:
        places = self.evidence.leaves_naming(ids[:_MOST_PLACED])
        for entry_id in ids:
            yield Finding(kind, text, min(places.get(entry_id, []), default=None), entry_id)


def _wrong_hashes(differing: Sequence[Leaf]) -> Iterator[Finding]:
    for leaf in differing:
        if leaf.stored != NOTHING:
            entry_id = UUID(leaf.id) if leaf.id else None
            yield Finding(Kind.TILE, "the stored hash is not the entry's", leaf.number, entry_id)


def _hashes(raw: bytes) -> list[bytes]:
    return [
        raw[at : at + HASH_BYTES]
        for at in range(0, len(raw) // HASH_BYTES * HASH_BYTES, HASH_BYTES)
    ]


def _texts(raw: bytes) -> list[str]:
    """Ids as text. `UUID` would take most of the time of a verification."""
    digits = raw.hex()
    ids = (digits[at : at + 32] for at in range(0, len(raw) // ID_BYTES * 32, 32))
    return [f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}" for d in ids]


def _first_difference(stored: bytes, computed: bytes) -> int:
    """In hashes."""
    pairs = zip(_hashes(stored), _hashes(computed), strict=False)
    return next((n for n, (here, wanted) in enumerate(pairs) if here != wanted), 0)
