import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pymerkle import InmemoryTree  # type: ignore[import-untyped]

from audit.domain.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    Edge,
    Growth,
    RangeProof,
    Tile,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    range_proof,
    root_of,
    root_of_range,
    verify_consistency,
    verify_inclusion,
)

SMALL = 300
# make model asks all; the others are those where a tile of 256 begins, fills and goes on.
THOROUGH = "MODEL_EXAMPLES" in os.environ
SIZES = range(SMALL + 1) if THOROUGH else [*range(20), *range(255, 258)]
LEVELS = 20 if THOROUGH else 17  # with 17 there are whole tiles of tiles already
LARGE = 2**LEVELS
EXHAUSTIVE = "every tree up to 300 leaves, where make model asks"
ENTRIES = [b"entry %d" % n for n in range(SMALL)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
STRANGE = bytes(HASH_BYTES)

Root = Callable[[int, int], bytes]
Proof = tuple[bytes, ...]


@dataclass(frozen=True)
class Shelf:
    """The tiles of one tree in memory. None is empty."""

    tiles: dict[tuple[int, int], bytes]

    def tile(self, level: int, index: int) -> bytes:
        return self.tiles[level, index]


def shelf_of(*growths: Growth) -> Shelf:
    tiles = {(tile.level, tile.index): tile.data for each in growths for tile in each.tiles}
    edge = growths[-1].edge
    for level, partial in enumerate(edge.partials):
        if partial:
            tiles[level, edge.size // TILE_WIDTH ** (level + 1)] = partial
    return Shelf(tiles)


def tree_of(leaves: Sequence[bytes]) -> Shelf:
    return shelf_of(Edge.empty().grown(leaves))


# The definitions of RFC 9162, word for word.


def split(width: int) -> int:
    power = 1
    while power * 2 < width:
        power *= 2
    return power


def rfc_root(first: int, last: int) -> bytes:
    """§2.1.1"""
    if first == last:
        return sha256(b"").digest()
    if last - first == 1:
        return LEAVES[first]
    middle = first + split(last - first)
    return sha256(b"\x01" + cached_root(first, middle) + cached_root(middle, last)).digest()


cached_root = cache(rfc_root)


def rfc_path(root: Root, leaf: int, first: int, last: int) -> Proof:
    """§2.1.3.1"""
    if last - first == 1:
        return ()
    middle = first + split(last - first)
    if leaf < middle:
        return (*rfc_path(root, leaf, first, middle), root(middle, last))
    return (*rfc_path(root, leaf, middle, last), root(first, middle))


def rfc_subproof(root: Root, old: int, first: int, last: int, known: bool = True) -> Proof:
    """§2.1.4.1"""
    if old == last:
        return () if known else (root(first, last),)
    middle = first + split(last - first)
    if old <= middle:
        return (*rfc_subproof(root, old, first, middle, known), root(middle, last))
    return (*rfc_subproof(root, old, middle, last, False), root(first, middle))


TREE = tree_of(LEAVES)


@pytest.fixture(scope="module")
def other() -> InmemoryTree:
    """An implementation by others. Its consistency proofs are cut finer than those of the RFC."""
    tree = InmemoryTree(algorithm="sha256")
    tree.append_entries(ENTRIES)
    return tree


class TestKnownTrees:
    """Those of the tests of certificate-transparency-go and transparency-dev/merkle."""

    ENTRIES = tuple(
        map(
            bytes.fromhex,
            [
                "",
                "00",
                "10",
                "2021",
                "3031",
                "40414243",
                "5051525354555657",
                "606162636465666768696a6b6c6d6e6f",
            ],
        )
    )
    LEAVES = tuple(map(leaf_hash, ENTRIES))
    ROOTS = tuple(
        map(
            bytes.fromhex,
            [
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ],
        )
    )

    @pytest.mark.parametrize("size", range(9))
    def test_the_root_is_the_published_one(self, size: int) -> None:
        assert Edge.empty().grown(self.LEAVES[:size]).edge.root() == self.ROOTS[size]

    @pytest.mark.parametrize(
        ("index", "size", "published"),
        [
            (0, 1, []),
            (
                0,
                8,
                [
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                5,
                8,
                [
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        ],
    )
    def test_the_inclusion_proof_is_the_published_one(
        self, index: int, size: int, published: list[str]
    ) -> None:
        proof = inclusion_proof(tree_of(self.LEAVES), index, size)
        assert [each.hex() for each in proof] == published

    @pytest.mark.parametrize(
        ("old", "new", "published"),
        [
            (1, 1, []),
            (
                1,
                8,
                [
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                6,
                8,
                [
                    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                2,
                5,
                [
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ],
    )
    def test_the_consistency_proof_is_the_published_one(
        self, old: int, new: int, published: list[str]
    ) -> None:
        proof = consistency_proof(tree_of(self.LEAVES), old, new)
        assert [each.hex() for each in proof] == published


@pytest.mark.model
@pytest.mark.slow(reason=EXHAUSTIVE)
class TestEverySmallTree:
    def test_the_root_is_that_of_the_definition(self, other: InmemoryTree) -> None:
        for size in SIZES:
            root = root_of(TREE, size)
            assert root == cached_root(0, size)
            assert root == other.get_root(size)

    def test_a_tree_of_just_this_size_has_the_same_root(self) -> None:
        for size in SIZES:
            assert root_of(tree_of(LEAVES[:size]), size) == cached_root(0, size)

    def test_inclusion_proofs_are_those_of_the_definition(self) -> None:
        for size in SIZES[1:]:
            for index in range(size):
                proof = inclusion_proof(TREE, index, size)
                assert proof == rfc_path(cached_root, index, 0, size)

    def test_inclusion_proofs_are_those_of_pymerkle(self, other: InmemoryTree) -> None:
        for size in SIZES[1:]:
            for index in range(size):
                theirs = other.prove_inclusion(index + 1, size).path
                assert [LEAVES[index], *inclusion_proof(TREE, index, size)] == theirs

    def test_inclusion_proofs_verify_for_their_own_leaf_and_root_alone(self) -> None:
        for size in SIZES[1:]:
            root = cached_root(0, size)
            for index in range(size):
                proof = inclusion_proof(TREE, index, size)
                assert verify_inclusion(LEAVES[index], index, size, proof, root)
                assert not verify_inclusion(STRANGE, index, size, proof, root)
                assert not verify_inclusion(LEAVES[index], index, size, proof, STRANGE)

    def test_consistency_proofs_are_those_of_the_definition(self) -> None:
        for new in SIZES[1:]:
            for old in range(1, new + 1):
                proof = consistency_proof(TREE, old, new)
                assert proof == rfc_subproof(cached_root, old, 0, new)

    def test_pymerkle_proves_the_same_roots_consistent(self, other: InmemoryTree) -> None:
        for new in SIZES[1:]:
            for old in range(1, new):
                theirs = other.prove_consistency(old, new)
                assert theirs.retrieve_prior_state() == cached_root(0, old)
                assert theirs.compute_root() == cached_root(0, new)

    def test_consistency_proofs_verify_for_their_own_roots_alone(self) -> None:
        for new in SIZES[1:]:
            after = cached_root(0, new)
            for old in range(1, new):
                before, proof = cached_root(0, old), consistency_proof(TREE, old, new)
                assert verify_consistency(old, new, proof, before, after)
                assert not verify_consistency(old, new, proof, STRANGE, after)
                assert not verify_consistency(old, new, proof, before, STRANGE)


class LargeTree:
    """Perfect subtrees are looked up, so that the definitions can be followed from the root."""

    def __init__(self) -> None:
        leaves = [leaf_hash(n.to_bytes(4, "big")) for n in range(LARGE)]
        self.growth = Edge.empty().grown(leaves)
        self.tiles = shelf_of(self.growth)
        self.rows = [b"".join(leaves)]
        while len(leaves) > 1:
            leaves = [node_hash(*pair) for pair in zip(leaves[::2], leaves[1::2], strict=True)]
            self.rows.append(b"".join(leaves))

    def root(self, first: int, last: int) -> bytes:
        width = last - first
        if width.bit_count() == 1 and first % width == 0:
            at = first // width * HASH_BYTES
            return self.rows[width.bit_length() - 1][at : at + HASH_BYTES]
        middle = first + split(width)
        return node_hash(self.root(first, middle), self.root(middle, last))


@pytest.fixture(scope="module")
def large() -> LargeTree:
    return LargeTree()


# Sizes near those at which a level or a tile becomes whole find more than others do.
sizes = st.integers(1, LARGE) | st.builds(
    lambda power, off: min(max(2**power + off, 1), LARGE),
    st.integers(0, LEVELS),
    st.integers(-2, 2),
)


@pytest.mark.slow(reason="a tree of 131,072 leaves, and of a million where make model asks")
class TestLargeTrees:
    @given(size=sizes)
    def test_the_root_is_that_of_the_definition(self, large: LargeTree, size: int) -> None:
        assert root_of(large.tiles, size) == large.root(0, size)

    @given(size=sizes, share=st.floats(0, 1, exclude_max=True))
    def test_a_leaf_is_proved(self, large: LargeTree, size: int, share: float) -> None:
        index = int(size * share)
        leaf, root = large.root(index, index + 1), large.root(0, size)

        proof = inclusion_proof(large.tiles, index, size)

        assert proof == rfc_path(large.root, index, 0, size)
        assert verify_inclusion(leaf, index, size, proof, root)

    @given(one=sizes, two=sizes)
    def test_a_beginning_is_proved(self, large: LargeTree, one: int, two: int) -> None:
        old, new = sorted((one, two))

        proof = consistency_proof(large.tiles, old, new)

        assert proof == rfc_subproof(large.root, old, 0, new)
        assert verify_consistency(old, new, proof, large.root(0, old), large.root(0, new))

    @given(size=sizes, share=st.floats(0, 1), width=st.integers(0, 600))
    def test_a_range_leads_to_the_root(
        self, large: LargeTree, size: int, share: float, width: int
    ) -> None:
        first = int(size * share)
        last = min(first + width, size)
        leaves = [large.root(n, n + 1) for n in range(first, last)]

        proof = range_proof(large.tiles, first, last, size)

        assert root_of_range(leaves, proof) == large.root(0, size)

    def test_all_of_its_tiles_are_whole(self, large: LargeTree) -> None:
        whole = {(tile.level, tile.index) for tile in large.growth.tiles}
        assert whole == {(level, n) for level in (0, 1) for n in range(LARGE >> 8 * level + 8)}
        assert large.growth.edge.partials == (b"", b"", large.rows[16])


class TestWhereNothingIsToBeProved:
    @pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (6, 5), (0, 0), (0, -1)])
    def test_a_leaf_outside_the_tree_has_no_proof(self, index: int, size: int) -> None:
        with pytest.raises(ValueError, match="there is no leaf"):
            inclusion_proof(TREE, index, size)

    @pytest.mark.parametrize(("index", "size"), [(-1, 1), (1, 1), (2, 1), (0, 0), (0, -1)])
    def test_nor_is_it_included(self, index: int, size: int) -> None:
        assert not verify_inclusion(LEAVES[0], index, size, (), LEAVES[0])

    @pytest.mark.parametrize(("old", "new"), [(2, 1), (1, 0), (-1, 3)])
    def test_no_tree_continues_a_larger_one(self, old: int, new: int) -> None:
        with pytest.raises(ValueError, match="does not continue"):
            consistency_proof(TREE, old, new)

    @pytest.mark.parametrize(("old", "new"), [(2, 1), (1, 0), (-1, 3), (-1, -1)])
    def test_nor_is_it_consistent(self, old: int, new: int) -> None:
        assert not verify_consistency(old, new, (), LEAVES[0], LEAVES[0])

    @pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 7), (7, 7)])
    def test_proofs_are_empty_where_the_old_tree_is_none_or_the_same(
        self, old: int, new: int
    ) -> None:
        roots = cached_root(0, old), cached_root(0, new)
        assert consistency_proof(TREE, old, new) == ()
        assert verify_consistency(old, new, (), *roots)
        assert not verify_consistency(old, new, (STRANGE,), *roots)

    @pytest.mark.parametrize(
        ("old", "new", "before", "after"),
        [
            (0, 7, LEAVES[0], cached_root(0, 7)),
            (0, 0, EMPTY_ROOT, LEAVES[0]),
            (0, 0, LEAVES[0], LEAVES[0]),
            (7, 7, cached_root(0, 7), cached_root(0, 6)),
            (0, 7, EMPTY_ROOT, b"no hash"),
        ],
    )
    def test_an_empty_proof_is_none_for_other_roots(
        self, old: int, new: int, before: bytes, after: bytes
    ) -> None:
        assert not verify_consistency(old, new, (), before, after)

    def test_the_root_of_nothing_is_the_hash_of_nothing(self) -> None:
        assert root_of(Shelf({}), 0) == EMPTY_ROOT == Edge.empty().root()


def mutations(proof: Proof) -> Iterator[Proof]:
    """One hash left out, added, or exchanged with the next; or one of its bits turned."""
    for at in range(len(proof) + 1):
        yield (*proof[:at], STRANGE, *proof[at:])
    for at, value in enumerate(proof):
        yield (*proof[:at], *proof[at + 1 :])
        yield (*proof[: at + 1], value, *proof[at + 1 :])
        for bit in range(8):
            turned = bytes([*value[:bit], value[bit] ^ 1 << bit, *value[bit + 1 :]])
            yield (*proof[:at], turned, *proof[at + 1 :])
        yield (*proof[:at], value[:-1], *proof[at + 1 :])
        yield (*proof[:at], value + b"\x00", *proof[at + 1 :])
    for at, (one, two) in enumerate(pairwise(proof)):
        yield (*proof[:at], two, one, *proof[at + 2 :])


class TestForgery:
    @pytest.mark.parametrize("size", [1, 2, 3, 8, 21, 255, 256, 257, 300])
    @pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.99])
    def test_a_changed_inclusion_proof_never_verifies(self, size: int, share: float) -> None:
        index, root = int(size * share), cached_root(0, size)
        for forged in mutations(inclusion_proof(TREE, index, size)):
            assert not verify_inclusion(LEAVES[index], index, size, forged, root)

    @pytest.mark.parametrize("new", [2, 3, 8, 21, 255, 256, 257, 300])
    @pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.99])
    def test_a_changed_consistency_proof_never_verifies(self, new: int, share: float) -> None:
        old = max(int(new * share), 1)
        before, after = cached_root(0, old), cached_root(0, new)
        for forged in mutations(consistency_proof(TREE, old, new)):
            assert not verify_consistency(old, new, forged, before, after)

    @pytest.mark.parametrize("size", [2, 5, 8, 21])
    def test_a_proof_is_for_one_index(self, size: int) -> None:
        root = cached_root(0, size)
        for index in range(size):
            proof = inclusion_proof(TREE, index, size)
            fitting = [
                n for n in range(size) if verify_inclusion(LEAVES[index], n, size, proof, root)
            ]
            assert fitting == [index]

    @pytest.mark.parametrize("size", [1, 6, 300])
    def test_a_leaf_or_a_root_of_another_length_never_verifies(self, size: int) -> None:
        leaf, root, proof = LEAVES[0], cached_root(0, size), inclusion_proof(TREE, 0, size)
        assert not verify_inclusion(leaf[:-1], 0, size, proof, root)
        assert not verify_inclusion(leaf, 0, size, proof, root + b"\x00")
        assert not verify_consistency(1, size, proof, leaf + b"\x00", root)

    def test_bytes_cannot_move_from_a_leaf_to_its_sibling(self) -> None:
        both = LEAVES[0] + LEAVES[1]
        assert not verify_inclusion(both[:31], 0, 2, (both[31:],), cached_root(0, 2))
        assert not verify_consistency(1, 2, (both[31:],), both[:31], cached_root(0, 2))

    def test_a_node_is_not_taken_for_a_leaf(self) -> None:
        assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


class TestRanges:
    @pytest.mark.slow(reason="every range of some trees")
    @pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 31, 45])
    def test_every_range_leads_to_the_root(self, size: int) -> None:
        for first in range(size + 1):
            for last in range(first, size + 1):
                proof = range_proof(TREE, first, last, size)
                assert root_of_range(iter(LEAVES[first:last]), proof) == cached_root(0, size)

    def test_the_sides_are_the_largest_aligned_subtrees(self) -> None:
        assert range_proof(TREE, 6, 9, 22) == RangeProof(
            first=6,
            last=9,
            size=22,
            left=(cached_root(0, 4), cached_root(4, 6)),
            right=tuple(
                cached_root(*each) for each in [(9, 10), (10, 12), (12, 16), (16, 20), (20, 22)]
            ),
        )

    def test_one_other_leaf_leads_elsewhere(self) -> None:
        proof = range_proof(TREE, 250, 270, SMALL)
        leaves = [*LEAVES[250:269], STRANGE]
        assert root_of_range(leaves, proof) != cached_root(0, SMALL)

    @pytest.mark.parametrize("number", [0, 19, 21])
    def test_another_number_of_leaves_is_refused(self, number: int) -> None:
        proof = range_proof(TREE, 250, 270, SMALL)
        with pytest.raises(ValueError, match="not those of"):
            root_of_range([STRANGE] * number, proof)

    @pytest.mark.parametrize("left", [(), (STRANGE,), (STRANGE,) * 3, (STRANGE, STRANGE[1:])])
    def test_other_than_the_hashes_beside_it_are_refused(self, left: Proof) -> None:
        with pytest.raises(ValueError, match="not the hashes beside"):
            root_of_range(LEAVES[6:9], RangeProof(6, 9, 16, left, (STRANGE,) * 3))

    @pytest.mark.parametrize(("first", "last"), [(0, 257), (0, 512), (300, 1900), (512, 1536)])
    def test_a_range_of_more_than_a_tile_leads_to_the_root(self, first: int, last: int) -> None:
        tree = shelf_of(WHOLE)
        proof = range_proof(tree, first, last, 2000)
        assert root_of_range(MANY[first:last], proof) == root_of(tree, 2000)

    @pytest.mark.parametrize(
        ("first", "last", "size"), [(-1, 2, 3), (2, 1, 3), (0, 4, 3), (4, 4, 3)]
    )
    def test_a_range_outside_the_tree_has_no_proof(self, first: int, last: int, size: int) -> None:
        with pytest.raises(ValueError, match="no range of a tree"):
            range_proof(TREE, first, last, size)
        with pytest.raises(ValueError, match="no range of a tree"):
            root_of_range([], RangeProof(first, last, size, (), ()))


MANY = [leaf_hash(n.to_bytes(3, "big")) for n in range(70_000)]
WHOLE = Edge.empty().grown(MANY)


class TestGrowth:
    @pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 65_535, 65_536, 65_537])
    def test_the_edge_alone_knows_the_root(self, size: int) -> None:
        edge = Edge.of(shelf_of(WHOLE), size)
        assert edge.size == size
        assert edge.root() == root_of(shelf_of(WHOLE), size)

    @pytest.mark.parametrize(
        ("size", "widths"),
        [
            (0, []),
            (1, [1]),
            (255, [255]),
            (256, [0, 1]),
            (257, [1, 1]),
            (65_535, [255, 255]),
            (65_536, [0, 0, 1]),
            (65_793, [1, 1, 1]),
        ],
    )
    def test_an_edge_has_one_form(self, size: int, widths: list[int]) -> None:
        edge = Edge.empty().grown(MANY[:size]).edge
        assert [len(partial) // HASH_BYTES for partial in edge.partials] == widths
        assert edge == Edge.of(shelf_of(WHOLE), size)

    @pytest.mark.slow(reason="trees of many thousand leaves")
    @given(st.lists(st.integers(0, 600) | st.integers(0, 10_000), max_size=6))
    @example([65_535, 1, 600, 3_800])  # past the first whole tile of tiles
    def test_in_pieces_grows_the_same_tree(self, widths: list[int]) -> None:
        edge, tiles, at = Edge.empty(), list[Tile](), 0
        for width in widths:
            growth = edge.grown(MANY[at : at + width])
            edge, at = growth.edge, min(at + width, len(MANY))
            tiles += growth.tiles

        at_once = Edge.empty().grown(MANY[:at])

        assert edge == at_once.edge
        assert sorted(tiles, key=place) == sorted(at_once.tiles, key=place)

    def test_the_tiles_that_become_whole_are_told_once(self) -> None:
        first = Edge.empty().grown(MANY[:300])
        second = first.edge.grown(MANY[300:600])
        assert [place(tile) for tile in first.tiles] == [(0, 0)]
        assert [place(tile) for tile in second.tiles] == [(0, 1)]

    def test_a_whole_tile_is_the_hashes_of_its_leaves(self) -> None:
        growth = Edge.empty().grown(MANY[:TILE_WIDTH])
        assert growth.tiles == (Tile(0, 0, b"".join(MANY[:TILE_WIDTH])),)

    def test_no_leaves_change_nothing(self) -> None:
        assert WHOLE.edge.grown([]) == Growth(WHOLE.edge, ())

    def test_a_leaf_that_is_no_hash_is_refused(self) -> None:
        with pytest.raises(ValueError, match="not a hash"):
            Edge.empty().grown([b"an entry"])


def place(tile: Tile) -> tuple[int, int]:
    return tile.level, tile.index


class TestDamagedTiles:
    def test_what_the_reader_misses_is_told(self) -> None:
        with pytest.raises(LookupError):
            root_of(Shelf({(0, 1): TREE.tile(0, 1)}), 300)

    @pytest.mark.parametrize(
        "read",
        [
            lambda tiles: root_of(tiles, 300),
            lambda tiles: inclusion_proof(tiles, 299, 300),
            lambda tiles: consistency_proof(tiles, 298, 300),
            lambda tiles: range_proof(tiles, 0, 298, 300),
        ],
    )
    def test_a_tile_that_is_cut_is_told(self, read: Callable[[Shelf], object]) -> None:
        cut = Shelf({**TREE.tiles, (0, 1): TREE.tile(0, 1)[: 40 * HASH_BYTES]})
        with pytest.raises(LookupError, match="tile 1 of level 0 is too short"):
            read(cut)
