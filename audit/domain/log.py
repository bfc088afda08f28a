"""The sealed log: which rows stand in the tree, in which order, up to where."""

from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from audit.domain.merkle import HASH_BYTES, TILE_WIDTH, Edge, Growth, leaf_hash

ID_BYTES: Final = 16


class Cursor(NamedTuple):
    """Behind the last row that was sealed. The order of the commits, not of the clocks."""

    epoch: int
    xid: int
    seq: int


class Row(NamedTuple):
    cursor: Cursor
    id: UUID
    entry: bytes
    mac: bytes


class IdTile(NamedTuple):
    """The ids of the leaves of a whole tile: they name what was deleted."""

    tile: int
    ids: bytes


@dataclass(frozen=True)
class Frontier:
    """The right edge of the tree. It can be computed anew from the rows."""

    edge: Edge
    ids: bytes
    cursor: Cursor

    @property
    def size(self) -> int:
        return self.edge.size

    def grown(self, rows: list[Row]) -> "Advance":
        growth = self.edge.grown([leaf_hash(row.entry) for row in rows])
        ids = self.ids + b"".join(row.id.bytes for row in rows)
        width = TILE_WIDTH * ID_BYTES
        whole = len(ids) // width
        first = self.size // TILE_WIDTH
        tiles = [IdTile(first + n, ids[n * width : (n + 1) * width]) for n in range(whole)]
        return Advance(
            Frontier(growth.edge, ids[whole * width :], rows[-1].cursor), growth, tuple(tiles)
        )


@dataclass(frozen=True)
class Advance:
    frontier: Frontier
    growth: Growth
    id_tiles: tuple[IdTile, ...]


def packed(partials: tuple[bytes, ...]) -> bytes:
    """Each level's partial tile behind the number of its hashes, in one byte."""
    return b"".join(bytes([len(part) // HASH_BYTES]) + part for part in partials)


def unpacked(raw: bytes) -> tuple[bytes, ...]:
    partials, at = [], 0
    while at < len(raw):
        end = at + 1 + raw[at] * HASH_BYTES
        partials.append(raw[at + 1 : end])
        at = end
    return tuple(partials)
