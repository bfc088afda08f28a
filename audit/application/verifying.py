"""Reading the whole trail against what was signed.

Leaf by leaf, between one checkpoint and the next: the hashes that are stored must lead to the root
that was signed; each row must have the hash that is stored for it; and each column must say what
the entry says. A row that no leaf names is a finding as well.
"""

import hmac
import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from audit.domain.checkpoint import Checkpoint, NotAuthentic, VerifierKey, read_checkpoint
from audit.domain.entry import Projection, read_projection, tells_phase
from audit.domain.findings import INCOMPLETE, WARNINGS, Finding, Kind
from audit.domain.log import Cursor, Frontier
from audit.domain.merkle import HASH_BYTES, TILE_WIDTH, Edge, Growth, leaf_hash, root_of
from audit.ports import Evidence, Stored
from core.actions import Phase
from core.clock import SystemClock
from core.keys import KeyRing
from core.ports import Clock

LATE: Final = timedelta(minutes=5)
"""Seals take seconds and sweeps a minute: what is older than this is late."""
_TILES_AT_ONCE: Final = 16
_DIFFERENT_CLOCKS: Final = timedelta(minutes=5)

T = TypeVar("T")
_Found: TypeAlias = Generator[Finding, None, T]
"""Tells what it finds on the way to its result."""


@dataclass(frozen=True)
class Verified:
    """Up to here everything was in order; kept outside the database, so that the next
    verification begins here."""

    edge: Edge = field(default_factory=Edge.empty)
    cursor: Cursor = Cursor(0, 0, 0)

    @property
    def size(self) -> int:
        return self.edge.size


@dataclass(frozen=True)
class Report:
    findings: tuple[Finding, ...]
    checked: int
    size: int
    root: bytes
    verified: Verified | None
    """None where something was found."""

    @property
    def tampered(self) -> bool:
        return any(found.kind not in INCOMPLETE | WARNINGS for found in self.findings)

    @property
    def exit_code(self) -> int:
        """0 in order, 1 tampered with, 2 incomplete."""
        if self.tampered:
            return 1
        return 2 if any(found.kind in INCOMPLETE for found in self.findings) else 0


@dataclass(frozen=True, kw_only=True)
class Verifier:
    evidence: Evidence
    vkeys: Sequence[VerifierKey]
    mac_keys: KeyRing
    clock: Clock = SystemClock()

    def verify(
        self,
        since: Verified | None = None,
        outside: Sequence[Checkpoint] = (),
        progress: Callable[[int], None] = lambda leaves: None,
    ) -> Report:
        """`outside` are checkpoints from elsewhere, already authenticated: somebody who recomputed
        every hash and signed it cannot have changed those. `progress` is told how many leaves."""
        walk = _Walk(self, since or Verified(), progress)
        with self.evidence.snapshot():
            findings = list(walk.findings(outside))
        findings.sort(key=lambda found: (found.leaf is None, found.leaf or 0))
        report = Report(
            tuple(findings), walk.checked, walk.frontier.size, walk.frontier.edge.root(), None
        )
        if report.tampered:
            return report
        verified = Verified(walk.frontier.edge, walk.frontier.cursor)
        return Report(report.findings, report.checked, report.size, report.root, verified)

    def check_row(self, row: Stored, leaf: int | None) -> Iterator[Finding]:
        """What one row says of itself, sealed or not."""
        if not any(
            hmac.compare_digest(self.mac_keys.mac(key_id, b"audit.entry", row.entry), row.mac)
            for key_id in self.mac_keys.keys
        ):
            yield Finding(Kind.MAC, "the row's MAC is not that of its entry", leaf, row.columns.id)
        try:
            document = json.loads(row.entry)
            read = read_projection(document)
            away = abs(_time(document) - row.recorded_at)
        except (ValueError, KeyError, TypeError, AttributeError):
            yield Finding(Kind.NOT_AN_ENTRY, "the entry cannot be read", leaf, row.columns.id)
            return
        yield from _check_columns(row.columns, read, leaf)
        if not tells_phase(read.id, Phase(read.phase)):
            yield Finding(Kind.BAD_PHASE, Phase(read.phase).name, leaf, row.columns.id)
        if away > _DIFFERENT_CLOCKS:
            yield Finding(Kind.CLOCK, f"happened {document['at']}", leaf, row.columns.id)


def _check_columns(row: Projection, read: Projection, leaf: int | None) -> Iterator[Finding]:
    if row == read:
        return
    names = [name for name in row._fields if getattr(row, name) != getattr(read, name)]
    yield Finding(Kind.COLUMN, ", ".join(names), leaf, row.id)


def _time(document: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(document["at"])


class _Walk:
    """One verification on its way."""

    def __init__(
        self, verifier: Verifier, since: Verified, progress: Callable[[int], None]
    ) -> None:
        self.verifier, self.evidence = verifier, verifier.evidence
        self.since, self.progress = since, progress
        self.frontier: Frontier = Frontier(Edge.empty(), b"", Cursor(0, 0, 0))
        self.edge = since.edge
        self.sealed: dict[UUID, int] = {}
        self.lost: dict[bytes, tuple[int, UUID]] = {}
        self.chain_holds = True

    @property
    def checked(self) -> int:
        return len(self.sealed)

    def findings(self, outside: Sequence[Checkpoint]) -> Iterator[Finding]:
        self.frontier = self.evidence.frontier()
        checkpoints = yield from self._checkpoints()
        yield from self._outside(outside)
        bounds = [self.since.size, *(each.size for each in checkpoints)]
        signed = {each.size: each.root for each in checkpoints}
        for first, last in pairwise(bounds):
            yield from self._segment(first, last, signed[last])
        if bounds[-1] != self.frontier.size or (
            self.chain_holds and self.edge != self.frontier.edge
        ):
            yield Finding(
                Kind.FRONTIER, f"it says {self.frontier.size} leaves, signed are {bounds[-1]}"
            )
        yield from self._not_sealed()
        yield from self._phases()

    def _checkpoints(self) -> _Found[list[Checkpoint]]:
        """Those behind the starting point whose signature is right, by size."""
        good: list[Checkpoint] = []
        for size, root, note in self.evidence.checkpoints(self.since.size):
            try:
                checkpoint = read_checkpoint(note, self.verifier.vkeys)
            except NotAuthentic as error:
                yield Finding(Kind.CHECKPOINT, f"of size {size}: {error}", size - 1)
                continue
            if (checkpoint.size, checkpoint.root) != (size, root):
                yield Finding(Kind.CHECKPOINT, f"the row says {size}, the note else", size - 1)
            if checkpoint.size > self.since.size:
                good.append(checkpoint)
        return good

    def _outside(self, outside: Sequence[Checkpoint]) -> Iterator[Finding]:
        for checkpoint in outside:
            if checkpoint.size > self.frontier.size:
                yield Finding(
                    Kind.REWRITTEN,
                    f"{checkpoint.size} entries were sealed once, {self.frontier.size} are here",
                )
                continue
            try:
                agrees = root_of(self.evidence, checkpoint.size) == checkpoint.root
            except (LookupError, ValueError, IndexError):
                agrees = False
            if not agrees:
                yield Finding(
                    Kind.REWRITTEN,
                    f"not the first {checkpoint.size} entries that the checkpoint from outside"
                    " was signed for",
                    0,
                )

    def _segment(self, first: int, last: int, signed: bytes) -> Iterator[Finding]:
        """The leaves of one checkpoint: authentic as stored, or as the rows have it, or neither."""
        stored, from_rows, ids = yield from self._leaves(first, last)
        growth = self.edge.grown(stored)
        if growth.edge.root() == signed or not self.chain_holds:
            yield from self._compare(first, ids, stored, from_rows)
        elif (
            None not in from_rows
            and (mended := self.edge.grown([each for each in from_rows if each])).edge.root()
            == signed
        ):
            growth = mended
            for leaf, entry_id in _differing(first, ids, stored, from_rows):
                yield Finding(Kind.TILE, "the stored hash is not the entry's", leaf, entry_id)
        else:
            self.chain_holds = False
            yield from self._rewritten(first, last, ids, stored, from_rows)
        yield from self._tiles(growth)
        self.edge = growth.edge

    def _rewritten(
        self,
        first: int,
        last: int,
        ids: list[UUID],
        stored: list[bytes],
        from_rows: list[bytes | None],
    ) -> Iterator[Finding]:
        suspects = list(self._compare(first, ids, stored, from_rows))
        yield from suspects
        leaf = suspects[0].leaf if suspects else first
        yield Finding(
            Kind.REWRITTEN,
            f"leaves {first} to {last - 1} do not lead to the root that was signed",
            leaf,
            ids[(leaf or 0) - first] if ids else None,
        )

    def _compare(
        self, first: int, ids: list[UUID], stored: list[bytes], from_rows: list[bytes | None]
    ) -> Iterator[Finding]:
        known = set(stored)
        for leaf, entry_id in _differing(first, ids, stored, from_rows):
            row = from_rows[leaf - first]
            if row is None:
                self.lost[stored[leaf - first]] = (leaf, entry_id)
            elif row in known:
                yield Finding(Kind.REORDERED, "it was sealed as another leaf", leaf, entry_id)
            else:
                yield Finding(Kind.ALTERED, "not the entry that was sealed", leaf, entry_id)

    def _leaves(
        self, first: int, last: int
    ) -> _Found[tuple[list[bytes], list[bytes | None], list[UUID]]]:
        """What is stored for the leaves, and what their rows hash to, in pieces of some tiles."""
        stored: list[bytes] = []
        from_rows: list[bytes | None] = []
        ids: list[UUID] = []
        step = TILE_WIDTH * _TILES_AT_ONCE
        at = first
        while at < last:
            end = min(last, at // step * step + step)
            hashes, names = yield from self._stored(at, end)
            rows = self.evidence.rows(names)
            for leaf, entry_id in enumerate(names, start=at):
                yield from self._note(leaf, entry_id)
                row = rows.get(entry_id)
                if row is not None:
                    yield from self.verifier.check_row(row, leaf)
                from_rows.append(leaf_hash(row.entry) if row else None)
            stored += hashes
            ids += names
            at = end
            self.progress(at)
        return stored, from_rows, ids

    def _note(self, leaf: int, entry_id: UUID) -> Iterator[Finding]:
        earlier = self.sealed.setdefault(entry_id, leaf)
        if earlier != leaf:
            yield Finding(Kind.DUPLICATE, f"it is leaf {earlier} already", leaf, entry_id)

    def _stored(self, first: int, last: int) -> _Found[tuple[list[bytes], list[UUID]]]:
        hashes: list[bytes] = []
        ids: list[UUID] = []
        for index in range(first // TILE_WIDTH, (last - 1) // TILE_WIDTH + 1):
            start = index * TILE_WIDTH
            cut = slice(max(first - start, 0), last - start)
            width = min(last - start, TILE_WIDTH)
            hashes += (yield from self._hashes(index, width))[cut]
            ids += (yield from self._ids(index, width))[cut]
        return hashes, ids

    def _hashes(self, index: int, width: int) -> _Found[list[bytes]]:
        try:
            raw = self.evidence.tile(0, index)
        except LookupError as error:
            raw = b""
            yield Finding(Kind.TILE, str(error), index * TILE_WIDTH)
        found = [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]
        return _filled(found, width, bytes(HASH_BYTES))

    def _ids(self, index: int, width: int) -> _Found[list[UUID]]:
        try:
            found = self.evidence.ids(index)
        except LookupError as error:
            found = []
            yield Finding(Kind.ID_TILE, str(error), index * TILE_WIDTH)
        return _filled(found, width, UUID(int=0))

    def _tiles(self, growth: Growth) -> Iterator[Finding]:
        for tile in growth.tiles:
            try:
                same = self.evidence.tile(tile.level, tile.index) == tile.data
            except LookupError:
                same = False
            if not same and tile.level > 0:
                leaf = tile.index * TILE_WIDTH ** (tile.level + 1)
                yield Finding(Kind.TILE, f"tile {tile.index} of level {tile.level}", leaf)

    def _not_sealed(self) -> Iterator[Finding]:
        """Rows that no leaf names: among the sealed ones they do not belong; behind them they
        wait for the next seal."""
        waiting: list[datetime] = []
        for row in self.evidence.rows_behind(self.since.cursor, self.sealed.keys()):
            if row.cursor > self.frontier.cursor:
                yield from self.verifier.check_row(row, None)
                waiting.append(row.recorded_at)
                continue
            leaf, _ = self.lost.pop(leaf_hash(row.entry), (None, None))
            if leaf is not None:
                yield Finding(Kind.ID_TILE, "the leaf names another id", leaf, row.columns.id)
            else:
                yield Finding(Kind.INSERTED, "no leaf names it", None, row.columns.id)
        for leaf, entry_id in self.lost.values():
            yield Finding(Kind.DELETED, "no row has this id", leaf, entry_id)
        if waiting and self.verifier.clock.now() - min(waiting) > LATE:
            yield Finding(Kind.UNSEALED, f"{len(waiting)} rows, the oldest of {min(waiting)}")

    def _phases(self) -> Iterator[Finding]:
        for entry_id in self.evidence.orphans(self.since.cursor):
            yield Finding(
                Kind.ORPHAN_OUTCOME,
                "an outcome without its attempt",
                self.sealed.get(entry_id),
                entry_id,
            )
        for entry_id in self.evidence.open_attempts(LATE):
            yield Finding(Kind.OPEN_ATTEMPT, "no outcome yet", self.sealed.get(entry_id), entry_id)


def _differing(
    first: int, ids: list[UUID], stored: list[bytes], from_rows: Sequence[bytes | None]
) -> Iterator[tuple[int, UUID]]:
    for offset, (entry_id, here, row) in enumerate(zip(ids, stored, from_rows, strict=True)):
        if here != row:
            yield first + offset, entry_id


def _filled(found: list[Any], width: int, filler: Any) -> list[Any]:
    """What is missing at the end differs from everything."""
    return found[:width] + [filler] * (width - len(found))
