"""Proofs that an event is on the trail, and that today's trail continues yesterday's."""

import pytest

from audit.application.proving import Consistency, Prover
from audit.domain.checkpoint import Checkpoint
from audit.domain.inclusion import InclusionProof
from audit.domain.merkle import leaf_hash, verify_consistency, verify_inclusion
from core.errors import ErrorCode, ValidationError
from core.ids import uuid7
from tests.assertions import assert_failure, assert_success
from tests.memory_trail import MemoryTrail
from tests.tampering import CHECKPOINTS, SIZE, Damage, name_another, tile

DAMAGES: list[Damage] = [
    lambda trail: trail.remove_tiles(kind=0, index=1),
    tile(0, 1, lambda _: b""),
    tile(0, 1, lambda raw: raw[:-33]),
    tile(1, 1, lambda raw: raw[:-1]),
]


@pytest.fixture
def prover(trail: MemoryTrail) -> Prover:
    return Prover(trail.store)


@pytest.fixture
def nothing() -> Prover:
    return Prover(MemoryTrail(None, [], []).store)


class TestLatest:
    """Uses fixtures: trail, prover, nothing."""

    def test_it_is_what_was_signed_last(self, trail: MemoryTrail, prover: Prover) -> None:
        checkpoint, note = assert_success(prover.latest())
        assert (checkpoint, note) == (trail.checkpoints[-1], trail.notes[-1])

    def test_before_the_first_seal_there_is_none(self, nothing: Prover) -> None:
        assert_failure(nothing.latest(), ErrorCode.NOTHING_SEALED)

    def test_what_is_no_note_is_not_as_sealed(self, trail: MemoryTrail, prover: Prover) -> None:
        trail.change_checkpoint(600, "note", lambda _: "nonsense")
        assert_failure(prover.latest(), ErrorCode.NOT_AS_SEALED)


class TestInclusion:
    """Uses fixtures: trail, prover, nothing."""

    @pytest.mark.parametrize("leaf", [0, 299, 599])
    def test_the_proof_leads_from_the_entry_to_the_root(
        self, trail: MemoryTrail, prover: Prover, leaf: int
    ) -> None:
        raw = trail.entry(leaf)
        proof = assert_success(prover.prove(trail.ids[leaf], raw))
        read = InclusionProof.read(proof.text)
        assert (proof.leaf, read.index, read.note) == (leaf, leaf, trail.notes[-1])
        root = trail.checkpoints[-1].root
        assert verify_inclusion(leaf_hash(raw), leaf, SIZE, read.hashes, root)

    def test_of_another_entry_there_is_none(self, trail: MemoryTrail, prover: Prover) -> None:
        refused = prover.prove(trail.ids[11], trail.entry(11) + b" ")
        assert_failure(refused, ErrorCode.NOT_AS_SEALED)

    def test_what_waits_has_none_yet(self, trail: MemoryTrail, prover: Prover) -> None:
        refused = prover.prove(trail.ids[SIZE], trail.entry(SIZE))
        assert_failure(refused, ErrorCode.NOT_SEALED_YET)

    def test_what_is_sealed_behind_the_checkpoint_has_none_yet(
        self, trail: MemoryTrail, prover: Prover
    ) -> None:
        trail.remove_checkpoints(600)
        refused = prover.prove(trail.ids[599], trail.entry(599))
        assert_failure(refused, ErrorCode.NOT_SEALED_YET)

    def test_what_is_not_there_has_none(self, prover: Prover) -> None:
        assert_failure(prover.prove(uuid7(), b"{}"), ErrorCode.NOT_SEALED_YET)

    def test_a_leaf_that_its_tile_does_not_name_is_not_as_sealed(
        self, trail: MemoryTrail, prover: Prover
    ) -> None:
        name_another(11, uuid7())(trail)
        refused = prover.prove(trail.ids[11], trail.entry(11))
        assert_failure(refused, ErrorCode.NOT_AS_SEALED)

    @pytest.mark.parametrize("damage", DAMAGES, ids=["missing", "empty", "cut", "ids cut"])
    def test_over_a_damaged_tree_nothing_is_proved(
        self, trail: MemoryTrail, prover: Prover, damage: Damage
    ) -> None:
        damage(trail)
        refused = prover.prove(trail.ids[300], trail.entry(300))
        assert_failure(refused, ErrorCode.NOT_AS_SEALED)

    def test_without_a_checkpoint_nothing_is_proved(self, nothing: Prover) -> None:
        assert_failure(nothing.prove(uuid7(), b"{}"), ErrorCode.NOTHING_SEALED)


class TestConsistency:
    """Uses fixtures: trail, prover, nothing."""

    def test_the_trail_of_today_continues_that_of_yesterday(
        self, trail: MemoryTrail, prover: Prover
    ) -> None:
        old, _, new = trail.checkpoints
        found = assert_success(prover.consistency(old.size))
        assert (found.old, found.new) == (CHECKPOINTS[0], SIZE)
        assert verify_consistency(old.size, new.size, found.hashes, old.root, new.root)

    def test_between_any_two_sizes(self, prover: Prover) -> None:
        assert assert_success(prover.consistency(2, 4)).new == 4

    @pytest.mark.parametrize(("old", "new"), [(0, SIZE), (SIZE, SIZE), (0, 0)])
    def test_from_nothing_and_to_the_same_there_is_nothing_to_prove(
        self, prover: Prover, old: int, new: int
    ) -> None:
        assert assert_success(prover.consistency(old, new)) == Consistency(old, new, ())

    @pytest.mark.parametrize(
        ("old", "new", "field"),
        [(0, SIZE + 1, "to"), (-1, 5, "from"), (6, 5, "from"), (SIZE + 1, None, "from")],
    )
    def test_a_size_that_there_is_not_is_told(
        self, prover: Prover, old: int, new: int | None, field: str
    ) -> None:
        error = assert_failure(prover.consistency(old, new), ErrorCode.VALIDATION_FAILED)
        assert isinstance(error, ValidationError)
        assert error.field == field

    @pytest.mark.parametrize("damage", DAMAGES[:3], ids=["missing", "empty", "cut"])
    def test_over_a_damaged_tree_nothing_is_proved(
        self, trail: MemoryTrail, prover: Prover, damage: Damage
    ) -> None:
        damage(trail)
        assert_failure(prover.consistency(300), ErrorCode.NOT_AS_SEALED)

    def test_without_a_checkpoint_nothing_is_proved(self, nothing: Prover) -> None:
        assert_failure(nothing.consistency(0), ErrorCode.NOTHING_SEALED)


def test_a_checkpoint_says_whose_it_is(trail: MemoryTrail, prover: Prover) -> None:
    checkpoint, _ = assert_success(prover.latest())
    assert checkpoint == Checkpoint("dashtam.test/audit", SIZE, trail.checkpoints[-1].root)
