"""The Merkle tree of the trail: RFC 9162 §2.1, kept in the tiles of C2SP tlog-tiles.

A tile of level L holds the roots of subtrees of 256**L leaves. The nodes in between are not
stored: their tile gives them again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from hashlib import sha256
from itertools import pairwise
from struct import Struct
from typing import Final, Protocol, TypeAlias

HASH_BYTES: Final = 32
TILE_WIDTH: Final = 256
EMPTY_ROOT: Final = sha256(b"").digest()
_TILE_HEIGHT: Final = 8
_TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES
_PAIR_BYTES: Final = 2 * HASH_BYTES
_TILES_AT_HAND: Final = 256

_Range: TypeAlias = tuple[int, int]
_ReadTile: TypeAlias = Callable[[int, int], bytes]


class TileReader(Protocol):
    def tile(self, level: int, index: int) -> bytes:
        """The hashes of a tile, one behind the other. The last tile of a level may be partial, and
        may hold more than the tree that is asked about. Raises `LookupError` where it is missing.
        """
        ...


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of(tiles: TileReader, size: int) -> bytes:
    return Edge.of(tiles, size).root()


def inclusion_proof(tiles: TileReader, index: int, size: int) -> tuple[bytes, ...]:
    """From the leaf's sibling up to the root's child (RFC 9162 §2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    return _roots(tiles, _siblings(index, index + 1, size))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """`leaf` is a leaf hash. Accepts what RFC 9162 §2.1.3.2 accepts."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    siblings = _siblings(index, index + 1, size)
    if len(proof) != len(siblings):
        return False
    found = leaf
    for (first, _), sibling in zip(siblings, proof, strict=True):
        found = node_hash(sibling, found) if first < index else node_hash(found, sibling)
    return found == root


def consistency_proof(tiles: TileReader, old: int, new: int) -> tuple[bytes, ...]:
    """That a tree begins with its first `old` leaves (RFC 9162 §2.1.4.1). Empty where there is
    nothing to prove."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not continue one of {old}")
    if old in (0, new):
        return ()
    start = _last_subtree(old)
    siblings = _siblings(start, old, new)
    # A subtree that is all of the old tree is known to whoever checks.
    return _roots(tiles, [(start, old), *siblings] if start else siblings)


def verify_consistency(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Accepts what RFC 9162 §2.1.4.2 accepts; and every tree continues the empty one."""
    if not 0 <= old_size <= new_size or not _are_hashes(old_root, new_root, *proof):
        return False
    if old_size == new_size and old_root != new_root:
        return False
    if old_size in (0, new_size):
        return not proof and (old_size > 0 or old_root == EMPTY_ROOT)
    return _roots_proved(old_size, new_size, proof, old_root) == (old_root, new_root)


def _roots_proved(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[bytes, bytes] | None:
    start = _last_subtree(old)
    siblings = _siblings(start, old, new)
    path = proof if start else (old_root, *proof)
    if len(path) != 1 + len(siblings):
        return None
    before = after = path[0]
    for (first, _), sibling in zip(siblings, path[1:], strict=True):
        if first < start:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
        else:
            after = node_hash(after, sibling)
    return before, after


@dataclass(frozen=True)
class RangeProof:
    """What the leaves of [first, last) lack for the root at `size`: the roots of the largest
    aligned subtrees on either side, left to right (as transparency-dev/merkle `compact.Range`).
    """

    first: int
    last: int
    size: int
    left: tuple[bytes, ...]
    right: tuple[bytes, ...]


def range_proof(tiles: TileReader, first: int, last: int, size: int) -> RangeProof:
    _check_range(first, last, size)
    read = cache(tiles.tile)
    left = tuple(_node(read, *place) for place in _subtrees(0, first))
    right = tuple(_node(read, *place) for place in _subtrees(last, size))
    return RangeProof(first, last, size, left, right)


def root_of_range(leaves: Iterable[bytes], proof: RangeProof) -> bytes:
    """Raises `ValueError` for a number of leaves or of hashes that such a range does not have."""
    _check_range(proof.first, proof.last, proof.size)
    inside = list(_subtrees(proof.first, proof.last))
    hashes = list(leaves)
    if len(hashes) != proof.last - proof.first:
        raise ValueError(f"{len(hashes)} leaves, not those of [{proof.first}, {proof.last})")
    bounds = [*((index << height) - proof.first for height, index in inside), len(hashes)]
    within = [_folded(b"".join(hashes[begin:end])) for begin, end in pairwise(bounds)]
    roots = [*proof.left, *within, *proof.right]
    places = [*_subtrees(0, proof.first), *inside, *_subtrees(proof.last, proof.size)]
    if len(roots) != len(places) or not _are_hashes(*roots):
        raise ValueError(f"not the hashes beside [{proof.first}, {proof.last})")
    return _merged((height, root) for (height, _), root in zip(places, roots, strict=True))


def _check_range(first: int, last: int, size: int) -> None:
    if not 0 <= first <= last <= size:
        raise ValueError(f"[{first}, {last}) is no range of a tree of {size}")


@dataclass(frozen=True)
class Tile:
    level: int
    index: int
    data: bytes


@dataclass(frozen=True)
class Edge:
    """All that a tree needs in order to grow: of each level the tile that is not whole yet."""

    size: int
    partials: tuple[bytes, ...]

    @classmethod
    def empty(cls) -> "Edge":
        return cls(0, ())

    @classmethod
    def of(cls, tiles: TileReader, size: int) -> "Edge":
        partials: list[bytes] = []
        count = size
        while count:
            level = len(partials)
            count, width = divmod(count, TILE_WIDTH)
            partials.append(_beginning(tiles, level, count, width))
        return cls(size, tuple(partials))

    def root(self) -> bytes:
        rest = b""
        for partial in self.partials:
            # What one level leaves over stands last in the level above.
            rest = _folded(partial + rest)
        return rest or EMPTY_ROOT

    def grown(self, leaves: Sequence[bytes]) -> "Growth":
        """By leaf hashes; level after level, each of them at once."""
        row = b"".join(leaves)
        if len(row) != len(leaves) * HASH_BYTES:
            raise ValueError(f"a leaf is not a hash of {HASH_BYTES} bytes")
        partials = list(self.partials)
        tiles: list[Tile] = []
        level = 0
        while row:
            row = b"".join(partials[level : level + 1]) + row
            end = len(row) // _TILE_BYTES * _TILE_BYTES
            partials[level : level + 1] = [row[end:]]
            index = self.size // TILE_WIDTH ** (level + 1)
            whole = _tiles(row[:end])
            tiles += [Tile(level, index + n, data) for n, data in enumerate(whole)]
            row = b"".join([_folded(data) for data in whole])
            level += 1
        return Growth(Edge(self.size + len(leaves), tuple(partials)), tuple(tiles))


@dataclass(frozen=True)
class Growth:
    """`tiles` are those that have become whole, of every level."""

    edge: Edge
    tiles: tuple[Tile, ...]


def _tiles(row: bytes) -> list[bytes]:
    return [row[at : at + _TILE_BYTES] for at in range(0, len(row), _TILE_BYTES)]


def _parents(row: bytes) -> bytes:
    """Of whole pairs: a last node without a sibling has none here."""
    pairs = _pairs(len(row) // _PAIR_BYTES).unpack_from(row)
    return b"".join([sha256(b"\x01" + pair).digest() for pair in pairs])


@cache
def _pairs(number: int) -> Struct:
    # Cutting a row at once, not slice by slice, makes growing faster by a tenth.
    return Struct(f"{_PAIR_BYTES}s" * number)


def _folded(row: bytes) -> bytes:
    """The root over neighbours of one height, the last of which may be lower."""
    if len(row) > _TILE_BYTES:
        return _folded(b"".join([_folded(tile) for tile in _tiles(row)]))
    while len(row) > HASH_BYTES:
        single = row[len(row) // _PAIR_BYTES * _PAIR_BYTES :]
        row = _parents(row) + single
    return row


def _merged(nodes: Iterable[tuple[int, bytes]]) -> bytes:
    """The root over aligned subtrees that follow one another from leaf 0, with their heights."""
    stack: list[tuple[int, bytes]] = []
    for height, node in nodes:
        while stack and stack[-1][0] == height:
            node = node_hash(stack.pop()[1], node)
            height += 1
        stack.append((height, node))
    return _descending([node for _, node in stack])


def _descending(roots: Sequence[bytes]) -> bytes:
    """The root over subtrees of which each is higher than the next."""
    if not roots:
        return EMPTY_ROOT
    return reduce(lambda right, left: node_hash(left, right), reversed(roots))


def _siblings(start: int, end: int, size: int) -> list[_Range]:
    """What hangs beside the way from the subtree [start, end) up to the root."""
    found: list[_Range] = []
    first, last = 0, size
    while (first, last) != (start, end):
        middle = first + (1 << (last - first - 1).bit_length() - 1)
        if start < middle:
            found.append((middle, last))
            last = middle
        else:
            found.append((first, middle))
            first = middle
    return found[::-1]


def _last_subtree(size: int) -> int:
    """Where the last of the whole subtrees begins that a tree is made of."""
    return size & (size - 1)


def _subtrees(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Height and index of the largest aligned subtrees of [first, last), left to right."""
    while first < last:
        height = (last - first).bit_length() - 1
        if first:
            height = min(height, (first & -first).bit_length() - 1)
        yield height, first >> height
        first += 1 << height


def _roots(tiles: TileReader, ranges: Iterable[_Range]) -> tuple[bytes, ...]:
    read = cache(tiles.tile)
    return tuple(
        _descending([_node(read, *place) for place in _subtrees(first, last)])
        for first, last in ranges
    )


def _node(read: _ReadTile, height: int, index: int) -> bytes:
    level, above = divmod(height, _TILE_HEIGHT)
    tile, at = divmod(index, TILE_WIDTH >> above)
    node = _rows(read(level, tile))[above][at * HASH_BYTES : (at + 1) * HASH_BYTES]
    if len(node) != HASH_BYTES:
        raise LookupError(f"tile {tile} of level {level} is too short")
    return node


@lru_cache(_TILES_AT_HAND)
def _rows(tile: bytes) -> tuple[bytes, ...]:
    """A tile and the nodes above its hashes, by height. Many proofs need the same ones."""
    rows = [tile]
    for _ in range(1, _TILE_HEIGHT):
        rows.append(_parents(rows[-1]))
    return tuple(rows)


def _beginning(tiles: TileReader, level: int, index: int, width: int) -> bytes:
    # A tile of width 0 need not exist.
    found = tiles.tile(level, index)[: width * HASH_BYTES] if width else b""
    if len(found) != width * HASH_BYTES:
        raise LookupError(f"tile {index} of level {level} is too short")
    return found


def _are_hashes(*values: bytes) -> bool:
    # Two values of other lengths, cut elsewhere, would give the same node.
    return all(len(value) == HASH_BYTES for value in values)
