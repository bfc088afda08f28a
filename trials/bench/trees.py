"""The tree and the proofs, in memory: no database, no Django."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

from pymerkle import InmemoryTree  # type: ignore[import-untyped]

from audit.domain.checkpoint import Checkpoint, sign_checkpoint
from audit.domain.inclusion import InclusionProof, check
from audit.domain.merkle import TILE_WIDTH, Edge, inclusion_proof, leaf_hash, verify_inclusion
from trials.bench.measures import TIMES, Measure, at_least, at_most, interleaved, ratio, seconds
from trials.standalone import KEY, compare, entries, floor, write_bundle

_BATCH: Final = 1000
_PROOFS: Final = 500
_NEAR: Final = 100 * TILE_WIDTH
_SAMPLE: Final = 20_000
"""Records that pymerkle can take in a few tenths of a second."""


def building(count: int, rounds: int) -> list[Measure]:
    """`floor` hashes the records and the nodes above them, and nothing else. Ours goes on from the
    right edge each 1,000 leaves, and keeps the tiles; pymerkle takes one record after another."""
    records = list(entries(min(count, _SAMPLE)))
    arms: dict[str, Callable[[], float]] = {
        "floor": partial(seconds, partial(floor, records)),
        "ours": partial(seconds, partial(build, records)),
        "pymerkle": partial(seconds, partial(_build_theirs, records)),
    }
    taken = interleaved(arms, rounds)
    rates = {name: f"{len(records) / median(each):,.0f}" for name, each in taken.items()}
    return [
        Measure(
            "4",
            "building the tree against the SHA-256 floor",
            ratio(taken["ours"], taken["floor"]),
            at_most(1.25, TIMES),
            TIMES,
            f"{rates['ours']} and {rates['floor']} records/s",
        ),
        Measure(
            "4",
            "pymerkle against the same floor",
            ratio(taken["pymerkle"], taken["floor"]),
            None,
            TIMES,
            f"{rates['pymerkle']} records/s",
        ),
    ]


def build(records: list[bytes]) -> Edge:
    edge = Edge.empty()
    for at in range(0, len(records), _BATCH):
        edge = edge.grown(list(map(leaf_hash, records[at : at + _BATCH]))).edge
    return edge


def _build_theirs(records: list[bytes]) -> None:
    tree = InmemoryTree(algorithm="sha256")
    for record in records:
        tree.append_entry(record)
    tree.get_state()


def offline(count: int) -> list[Measure]:
    """What `trials.standalone` tells: medians of five turns."""
    records = list(entries(count))
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(Path(folder), records)
        taken = compare(Path(folder), records)
    return [
        Measure(
            "7",
            f"offline verification against the hash floor, {what}",
            taken["floor"] / taken[way],
            goal,
            detail=f"{count / taken[way]:,.0f} and {count / taken['floor']:,.0f} records/s",
        )
        for way, what, goal in (
            ("proof", "that the records lead to the signed root", at_least(0.80)),
            # The floor hashes; this reads every record too.
            ("all", "with the id, phase and time of each", None),
        )
    ]


@dataclass
class Tiles:
    edge: Edge = field(default_factory=Edge.empty)
    whole: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def tile(self, level: int, index: int) -> bytes:
        found = self.whole.get((level, index))
        return self.edge.partials[level] if found is None else found

    def grow(self, leaves: list[bytes]) -> None:
        growth = self.edge.grown(leaves)
        self.edge = growth.edge
        self.whole |= {(tile.level, tile.index): tile.data for tile in growth.tiles}


def proofs(size: int, rounds: int) -> list[Measure]:
    """With the tiles in memory; of leaves anywhere in the tree, and of some in a few tiles, whose
    nodes stay at hand."""
    random = Random(size)  # noqa: S311  trials can be repeated
    records = [number.to_bytes(8, "big") for number in range(size)]
    tiles = Tiles()
    for at in range(0, size, 10_000):
        tiles.grow(list(map(leaf_hash, records[at : at + 10_000])))
    root = tiles.edge.root()
    note = sign_checkpoint(Checkpoint(KEY.name, size, root), KEY).encoded()
    chosen = [random.randrange(size) for _ in range(_PROOFS)]
    made = {at: inclusion_proof(tiles, at, size) for at in chosen}
    texts = {at: InclusionProof(at, made[at], note).text() for at in chosen}
    leaves = {at: leaf_hash(records[at]) for at in chosen}
    keys = [KEY.verifier_key]
    near = size - size % TILE_WIDTH - _NEAR
    ways: dict[str, tuple[float, Callable[[int], object]]] = {
        "making an inclusion proof, of any leaf": (
            38,
            lambda at: inclusion_proof(tiles, at, size),
        ),
        "making one, of a leaf near the others": (
            38,
            lambda at: inclusion_proof(tiles, near + at % _NEAR, size),
        ),
        "checking it": (
            16,
            lambda at: verify_inclusion(leaves[at], at, size, made[at], root),
        ),
        "checking a record offline, with the signature": (
            124,
            lambda at: check(texts[at], records[at], keys),
        ),
    }
    arms = {what: partial(_each, chosen, way) for what, (_, way) in ways.items()}
    taken = interleaved(arms, rounds)
    return [
        Measure(
            "9",
            f"{what}, of a tree of {size:,}",
            median(taken[what]),
            at_most(2 * prototype, " µs"),
            " µs",
            "depends on the machine",
        )
        for what, (prototype, _) in ways.items()
    ]


def _each(chosen: list[int], way: Callable[[int], object]) -> float:
    """Microseconds of one."""

    def all_of_them() -> None:
        for at in chosen:
            assert way(at) is not False

    return seconds(all_of_them) / len(chosen) * 1e6
