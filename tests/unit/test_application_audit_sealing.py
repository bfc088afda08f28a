"""What is sealed, and what is refused to be sealed on top of."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import create_autospec

import pytest

from audit.application.sealing import Publisher, Sealer, SealRefusedError
from audit.domain.checkpoint import Checkpoint, SigningKey, read_checkpoint, sign_checkpoint
from audit.domain.merkle import EMPTY_ROOT, leaf_hash
from core.ports import LoggerProtocol
from tests.fakes.sealed_log import InMemoryKeeper
from tests.memory_trail import MemoryTrail
from tests.tampering import MAC_KEYS, SIZE, entry, flipped, forged, put_hash, resealed, tile


def sealer(trail: MemoryTrail, **over: Any) -> Sealer:
    values: dict[str, Any] = {"log": trail.store, "keeper": trail.keeper, "mac_keys": MAC_KEYS}
    return Sealer(**values | over)


class TestSealing:
    """Uses fixtures: empty."""

    def test_where_nothing_waits_nothing_is_signed(self, empty: MemoryTrail) -> None:
        assert sealer(empty).seal() is None
        assert (empty.keeper.note, empty.store.checkpoint_rows) == (None, [])

    def test_what_waits_becomes_leaves_under_a_root_that_is_signed_and_kept_outside(
        self, empty: MemoryTrail
    ) -> None:
        made = [entry() for _ in range(3)]
        empty.insert(*made)
        checkpoint = sealer(empty).seal()
        assert checkpoint is not None
        assert checkpoint.size == 3
        assert checkpoint.root == empty.store.frontier().edge.root()
        assert empty.store.frontier().edge.partials[0] == b"".join(
            leaf_hash(each.encoded()) for each in made
        )
        note = empty.store.last_checkpoint()
        assert note == empty.keeper.note
        assert read_checkpoint(note or "", empty.keeper.verifier_keys()) == checkpoint

    def test_before_the_first_seal_the_empty_tree_is_kept_outside(self, empty: MemoryTrail) -> None:
        """Whoever dies in between: a file that is missing later was lost."""
        empty.insert(entry())
        kept: list[str] = []

        class Watched(InMemoryKeeper):
            def keep(self, note: str) -> None:
                kept.append(note)
                super().keep(note)

        keeper = Watched(empty.keeper.keys, empty.keeper.known)
        sealer(empty, keeper=keeper).seal()
        assert [Checkpoint.read(note.partition("\n\n")[0] + "\n").size for note in kept] == [0, 1]

    def test_a_batch_is_not_exceeded_and_all_go_in_several(self, empty: MemoryTrail) -> None:
        empty.insert(*(entry() for _ in range(5)))
        first = sealer(empty, batch=2).seal()
        last = sealer(empty, batch=2).seal_all()
        assert first is not None
        assert last is not None
        assert (first.size, last.size) == (2, 5)
        assert [row.size for row in empty.store.checkpoint_rows] == [2, 4, 5]

    def test_all_of_nothing_is_no_checkpoint(self, empty: MemoryTrail) -> None:
        assert sealer(empty).seal_all() is None

    def test_what_somebody_else_is_sealing_is_left_to_them(self, empty: MemoryTrail) -> None:
        empty.insert(entry())
        empty.store.by_others = True
        assert sealer(empty).seal() is None
        assert empty.store.checkpoint_rows == []

    def test_after_a_rotation_both_keys_sign_once_and_the_old_one_retires(
        self, empty: MemoryTrail
    ) -> None:
        empty.insert(entry())
        sealer(empty).seal()
        (old,) = empty.keeper.keys
        new = SigningKey.generate("dashtam.test/audit")
        empty.keeper.add(new)
        empty.insert(entry())
        sealer(empty).seal()
        both = empty.store.last_checkpoint() or ""
        for key in (old, new):
            assert read_checkpoint(both, [key.verifier_key]).size == 2
        assert empty.keeper.signing_keys() == (new,)


class TestRefusals:
    """Uses fixtures: trail."""

    @pytest.mark.parametrize(
        ("damage", "told"),
        [
            (lambda trail: trail.put(SIZE, "mac", b"m" * 32), "its MAC is wrong"),
            (lambda trail: trail.remove_checkpoints(600), "The tree has 600 leaves"),
            (lambda trail: trail.remove_checkpoints(), "the last checkpoint in the database 0"),
            (
                lambda trail: trail.change_edge("partials", flipped(-1)),
                "The tree is not the one of the last checkpoint",
            ),
            (
                lambda trail: trail.change_checkpoint(600, "note", lambda note: note + "x"),
                "The last checkpoint in the database is not authentic",
            ),
            (lambda trail: trail.lose_the_file(), "600 entries are sealed, but no checkpoint"),
            (
                lambda trail: trail.keeper.keep("nonsense"),
                "The checkpoint outside the database is not authentic",
            ),
        ],
        ids=[
            "a wrong MAC",
            "no last checkpoint",
            "no checkpoint",
            "another edge",
            "a note of nobody",
            "no file outside",
            "a file of nobody",
        ],
    )
    def test_nothing_is_signed_on_top_of_what_was_not_signed_before(
        self, trail: MemoryTrail, damage: Callable[[MemoryTrail], None], told: str
    ) -> None:
        damage(trail)
        before = [row.size for row in trail.store.checkpoint_rows]
        with pytest.raises(SealRefusedError, match=told):
            sealer(trail).seal()
        assert [row.size for row in trail.store.checkpoint_rows] == before

    def test_whoever_has_the_applications_key_is_not_found_before_the_seal(
        self, trail: MemoryTrail
    ) -> None:
        forged(SIZE)(trail)
        assert sealer(trail).seal() is not None

    def test_a_database_that_went_back_in_time_is_refused(self, trail: MemoryTrail) -> None:
        earlier = trail.copy()
        trail.seal(10)
        earlier.keeper.note = trail.keeper.note
        with pytest.raises(SealRefusedError, match="601 entries were sealed once, and 600 are"):
            sealer(earlier).seal()

    def test_a_history_rewritten_and_signed_anew_is_refused(self, trail: MemoryTrail) -> None:
        outside = trail.keeper.note
        resealed(310)(trail)
        trail.keeper.note = outside
        with pytest.raises(SealRefusedError, match="The first 600 entries are not those"):
            sealer(trail).seal()

    def test_a_hash_below_the_edge_is_not_looked_at(self, trail: MemoryTrail) -> None:
        """The whole tiles are for the verification: the sealer reads no more than the edge and
        the way to the last root."""
        put_hash(trail, 11, b"x" * 32)
        assert sealer(trail).seal() is not None

    def test_an_empty_tree_outside_agrees_with_every_tree(self, trail: MemoryTrail) -> None:
        trail.keeper.keep(_note_of_nothing(trail))
        assert sealer(trail).seal() is not None

    def test_what_leads_to_the_root_outside_must_be_there(self, trail: MemoryTrail) -> None:
        trail.keeper.keep(trail.notes[0])  # of 300: its root leads over the second tile
        tile(0, 1, lambda _: b"")(trail)
        with pytest.raises(SealRefusedError, match="The first 300 entries are not those"):
            sealer(trail).seal()

    def test_an_edge_that_is_gone_is_refused_and_not_taken_for_another_sealers(
        self, trail: MemoryTrail
    ) -> None:
        trail.remove_edge()
        with pytest.raises(SealRefusedError, match="The right edge of the tree is gone"):
            sealer(trail).seal()


def _note_of_nothing(trail: MemoryTrail) -> str:
    keys = trail.keeper.signing_keys()
    return sign_checkpoint(Checkpoint(keys[0].name, 0, EMPTY_ROOT), *keys).encoded()


@dataclass
class Records:
    due: set[str]
    added: list[tuple[str, int, str]] = field(default_factory=list)

    def is_due(self, sink: str, every: int) -> bool:
        assert every == 7
        return sink in self.due

    def add(self, sink: str, size: int, receipt: str) -> None:
        self.added.append((sink, size, receipt))


@dataclass
class Wall:
    name: str
    error: OSError | None = None
    published: list[str] = field(default_factory=list)

    def publish(self, note: str) -> str:
        if self.error:
            raise self.error
        self.published.append(note)
        return f"on {self.name}"


class TestPublisher:
    CHECKPOINT = Checkpoint("dashtam.test/audit", 9, b"r" * 32)

    def publish(self, records: Records, *walls: Wall) -> Any:
        logger = create_autospec(LoggerProtocol, instance=True)
        publisher = Publisher(anchors=walls, records=records, logger=logger, every=7)
        publisher.publish(self.CHECKPOINT, "the note")
        return logger

    def test_each_anchor_that_is_due_gets_it_and_its_receipt_is_kept(self) -> None:
        due, other, records = Wall("here"), Wall("there"), Records({"here"})
        self.publish(records, due, other)
        assert (due.published, other.published) == (["the note"], [])
        assert records.added == [("here", 9, "on here")]

    def test_one_that_fails_keeps_no_other_from_it_and_is_in_the_log(self) -> None:
        failing, other = Wall("here", OSError("no route")), Wall("there")
        records = Records({"here", "there"})
        logger = self.publish(records, failing, other)
        assert records.added == [("there", 9, "on there")]
        logger.error.assert_called_once_with(
            "checkpoint_not_anchored", anchor="here", error="no route"
        )
