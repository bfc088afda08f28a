"""The leaves of one checkpoint, on their way to the root that was signed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from audit.domain.merkle import HASH_BYTES, Edge, Tile

NOTHING: Final = bytes(HASH_BYTES)
"""In the place of a hash that is not stored."""


class Leaf(NamedTuple):
    """Whose row has not the hash that is stored; `row` is None where there is no row, `id` empty
    where none is stored."""

    number: int
    id: str
    stored: bytes
    row: bytes | None


@dataclass
class Segment:
    """Grows by the hashes that are stored, and beside them, as soon as they differ, by those that
    the rows have: one of them may lead to the root."""

    first: int
    stored: Edge
    rows: Edge | None
    differing: list[Leaf] = field(default_factory=list)
    upper: list[Tile] = field(default_factory=list)
    _mended: list[Tile] = field(default_factory=list)

    @classmethod
    def after(cls, edge: Edge) -> "Segment":
        return cls(edge.size, edge, edge)

    def grow(self, ids: Sequence[str], stored: list[bytes], rows: list[bytes | None]) -> None:
        if self.rows is self.stored:
            if stored == rows:
                growth = self.stored.grown(stored)
                self.upper += [tile for tile in growth.tiles if tile.level]
                self.rows = self.stored = growth.edge
                return
            self._mended = [*self.upper]
        self.differing += _differing(self.stored.size, ids, stored, rows)
        self._grow_by_rows([row for row in rows if row], len(rows))
        growth = self.stored.grown(stored)
        self.upper += [tile for tile in growth.tiles if tile.level]
        self.stored = growth.edge

    def mend(self) -> None:
        """The rows are right, and what is stored is not."""
        assert self.rows is not None
        self.stored, self.upper = self.rows, self._mended

    def _grow_by_rows(self, hashes: list[bytes], wanted: int) -> None:
        if self.rows is None or len(hashes) < wanted:
            self.rows = None
            return
        growth = self.rows.grown(hashes)
        self.rows = growth.edge
        self._mended += [tile for tile in growth.tiles if tile.level]


def _differing(
    first: int, ids: Sequence[str], stored: list[bytes], rows: list[bytes | None]
) -> Iterator[Leaf]:
    for offset, leaf in enumerate(zip(ids, stored, rows, strict=True)):
        if leaf[1] != leaf[2]:
            yield Leaf(first + offset, *leaf)
