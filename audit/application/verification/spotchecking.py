"""Single leaves against the last checkpoint, by their inclusion proofs: for a look that takes no
longer on a long trail."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from random import SystemRandom
from typing import Final, NamedTuple
from uuid import UUID

from audit.application.verification.rowchecking import RowCheck, id_of
from audit.domain.checkpoint import Checkpoint, NotAuthentic, VerifierKey, read_checkpoint
from audit.domain.findings import WARNINGS, Finding, Kind
from audit.domain.merkle import (
    HASH_BYTES,
    TILE_WIDTH,
    inclusion_proof,
    leaf_hash,
    verify_inclusion,
)
from audit.ports import Evidence, Stored
from core.actions import AuditAction
from core.ids import first_id_of

_AT_ONCE: Final = 1000
_HARMLESS: Final = WARNINGS | {Kind.UNSEALED}
_choose: Final[Callable[[range, int], list[int]]] = SystemRandom().sample


class Pruned(NamedTuple):
    """Rows with an id below `before` and a leaf below `last` are in archives. Both: the tree tells
    the leaf of a row, and nobody but its tile tells the id of one that is gone."""

    before: str
    last: int
    month: str

    def covers(self, leaf: int, entry_id: UUID | str) -> bool:
        return leaf < self.last and "" < str(entry_id) < self.before


@dataclass(frozen=True)
class SpotCheck:
    evidence: Evidence
    row_check: RowCheck
    checkpoint: Checkpoint
    pruned: Sequence[Pruned] = ()

    def any(self, number: int, progress: Callable[[int, int], None]) -> Iterator[Finding]:
        """Nobody can know which leaves it will be."""
        size = self.checkpoint.size
        chosen = sorted(_choose(range(size), min(number, size)))
        for at in range(0, len(chosen), _AT_ONCE):
            yield from self._leaves(chosen[at : at + _AT_ONCE])
            progress(min(at + _AT_ONCE, len(chosen)), len(chosen))

    def one(self, entry_id: UUID) -> Iterator[Finding]:
        leaves = self.evidence.leaves_naming([entry_id]).get(entry_id, [])
        if any(leaf < self.checkpoint.size for leaf in leaves):
            yield from self._leaves([leaf for leaf in leaves if leaf < self.checkpoint.size])
            return
        row = self.evidence.rows([entry_id]).get(entry_id)
        if row is None:
            yield Finding(Kind.UNKNOWN, "no row and no leaf has this id", None, entry_id)
            return
        yield from self.row_check.findings(row, None)
        if row.cursor <= self.evidence.frontier().cursor:
            yield Finding(Kind.INSERTED, "no leaf names it", None, entry_id)
        else:
            yield Finding(Kind.UNSEALED, "its MAC alone protects it yet", None, entry_id)

    def _leaves(self, leaves: Sequence[int]) -> Iterator[Finding]:
        names = dict(self._names(leaves))
        rows = self.evidence.rows([each for each in names.values() if each])
        for leaf, entry_id in names.items():
            if entry_id is None:
                yield Finding(Kind.ID_TILE, "no id is stored for it", leaf)
            elif entry_id not in rows and any(each.covers(leaf, entry_id) for each in self.pruned):
                yield Finding(Kind.PRUNED, "its row is in an archive", leaf, entry_id)
            elif entry_id not in rows:
                yield Finding(Kind.DELETED, "no row has this id", leaf, entry_id)
            else:
                yield from self.row_check.findings(rows[entry_id], leaf)
                yield from self._sealed(leaf, entry_id, rows[entry_id])

    def _names(self, leaves: Sequence[int]) -> Iterator[tuple[int, UUID | None]]:
        """Each tile is read once."""
        for tile, within in groupby(sorted(leaves), lambda leaf: leaf // TILE_WIDTH):
            ids = self._ids(tile)
            for leaf in within:
                at = leaf % TILE_WIDTH
                yield leaf, ids[at] if at < len(ids) else None

    def _ids(self, tile: int) -> Sequence[UUID]:
        try:
            return self.evidence.ids(tile)
        except (LookupError, ValueError):
            return ()

    def _sealed(self, leaf: int, entry_id: UUID, row: Stored) -> Iterator[Finding]:
        found = leaf_hash(row.entry)
        try:
            begin = leaf % TILE_WIDTH * HASH_BYTES
            stored = self.evidence.tile(0, leaf // TILE_WIDTH)[begin : begin + HASH_BYTES]
            holds = self._holds(leaf, found)
        except (LookupError, ValueError) as error:
            yield Finding(Kind.TILE, str(error), leaf, entry_id)
            return
        if holds and found == stored:
            return
        if holds:
            yield Finding(Kind.TILE, "the stored hash is not the entry's", leaf, entry_id)
        elif found == stored:
            text = "it does not lead to the root that was signed"
            yield Finding(Kind.REWRITTEN, text, leaf, entry_id)
        else:
            yield Finding(Kind.ALTERED, "not the entry that was sealed", leaf, entry_id)

    def _holds(self, leaf: int, found: bytes) -> bool:
        size = self.checkpoint.size
        proof = inclusion_proof(self.evidence, leaf, size)
        return verify_inclusion(found, leaf, size, proof, self.checkpoint.root)


def pruned(evidence: Evidence, row_check: RowCheck, checkpoint: Checkpoint) -> tuple[Pruned, ...]:
    """By the events of it that can be proved, or have a right MAC and wait for their seal; of none
    more than whoever recorded it could have pruned then."""
    proved = SpotCheck(evidence, row_check, checkpoint)
    found = []
    for row in evidence.rows_of(AuditAction.AUDIT_PRUNED):
        entry_id = id_of(row)
        if entry_id and all(each.kind in _HARMLESS for each in proved.one(entry_id)):
            said = json.loads(row.entry)["ctx"]
            before = min(str(said["before"]), str(_last_month_of(entry_id)))
            found.append(Pruned(before, min(int(said["last"]), checkpoint.size), said["month"]))
    return tuple(found)


def _last_month_of(entry_id: UUID) -> UUID:
    """The first id of the month that the event was made in: it is never pruned itself."""
    made = datetime.fromtimestamp((entry_id.int >> 80) / 1000, UTC)
    return first_id_of(made.replace(day=1, hour=0, minute=0, second=0, microsecond=0))


def last_signed(evidence: Evidence, vkeys: Sequence[VerifierKey]) -> Checkpoint:
    """Raises `NotAuthentic`; where nothing was sealed, there is none either."""
    note = evidence.last_checkpoint()
    if note is None:
        raise NotAuthentic("there is no checkpoint")
    return read_checkpoint(note, vkeys)
