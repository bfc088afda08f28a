"""What every database must show; a module of tests gives it its own fixture `trail`."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from audit.adapters.bundles import Bundle
from audit.domain.checkpoint import SigningKey
from audit.domain.findings import Kind
from audit.domain.log import Cursor
from audit.ports import Stored
from core.keys import KeyRing
from tests.plugin.services import ROOT
from tests.tampering import (
    CASES,
    SIZE,
    Case,
    Damage,
    Trail,
    at,
    column,
    deleted,
    entry,
    flipped,
    forged,
    long_before,
    replaced,
    resealed,
)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
STANDALONE = ROOT / "audit" / "standalone" / "audit_verify.py"


class TamperMatrix:
    """Uses fixtures: trail."""

    def test_an_untouched_trail_is_in_order(self, trail: Trail) -> None:
        report = trail.verify(*trail.checkpoints)
        assert (report.findings, report.exit_code) == ((), 0)
        assert (report.checked, report.size, report.root) == (
            SIZE,
            SIZE,
            trail.checkpoints[-1].root,
        )

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_tampering_is_named_with_its_kind_leaf_and_id(self, trail: Trail, case: Case) -> None:
        case.damage(trail)
        report = trail.verify()
        assert trail.found(report) == case.expected
        assert report.exit_code == 1
        assert report.verified is None

    def test_the_first_line_names_the_first_bad_leaf(self, trail: Trail) -> None:
        for leaf in (599, 300, 31):
            forged(leaf)(trail)
        column("recorded_at", LONG_AGO, 2)(trail)
        found = trail.verify().findings
        assert [each.leaf for each in found] == [31, 300, 599, 2]

    def test_when_a_row_was_written_is_no_evidence(self, trail: Trail) -> None:
        column("recorded_at", LONG_AGO, 11)(trail)
        report = trail.verify()
        assert (trail.found(report), report.exit_code) == (at(11, Kind.CLOCK), 0)

    def test_a_history_rewritten_and_signed_anew_agrees_with_itself(self, trail: Trail) -> None:
        resealed(310)(trail)
        assert trail.verify().exit_code == 0

    def test_but_not_with_checkpoints_from_outside(self, trail: Trail) -> None:
        kept = trail.checkpoints
        resealed(310)(trail)
        report = trail.verify(*kept[:2])
        assert (trail.found(report), report.exit_code) == (at(300, Kind.REWRITTEN), 1)

    def test_nor_does_a_trail_cut_short(self, trail: Trail) -> None:
        kept = trail.checkpoints[-1]
        beyond = type(kept)(kept.origin, SIZE + 1, kept.root)
        assert trail.found(trail.verify(beyond)) == {(Kind.REWRITTEN, SIZE, None)}

    def test_nobody_is_believed_but_the_key_that_is_known(self, trail: Trail) -> None:
        other = SigningKey.generate("dashtam.test/audit").verifier_key
        report = trail.verifier(vkeys=[other]).verify()
        expected = {(Kind.CHECKPOINT, leaf, None) for leaf in (299, 559, 599)}
        assert trail.found(report) == expected | at(0, Kind.FRONTIER)
        assert report.exit_code == 1

    def test_another_application_key_makes_no_right_macs(self, trail: Trail) -> None:
        report = trail.verifier(mac_keys=KeyRing("1", {"1": b"k" * 32})).verify()
        leaves = {(Kind.MAC, leaf, leaf) for leaf in range(SIZE)}
        assert trail.found(report) == leaves | {(Kind.MAC, None, SIZE)}

    def test_an_older_application_key_still_tells(self, trail: Trail) -> None:
        keys = trail.verifier().mac_keys
        both = KeyRing("new", {"new": b"k" * 32, **keys.keys})
        assert trail.verifier(mac_keys=both).verify().exit_code == 0

    @pytest.mark.slow(reason="begins with a tree of 65,526 leaves")
    @pytest.mark.parametrize(
        ("damage", "leaf"),
        [
            (lambda _: None, None),
            (lambda trail: trail.change_tile(0, 1, 0, flipped(100 * 32)), 100 * 256),
            (lambda trail: trail.remove_tiles(kind=0, level=1), 0),
        ],
        ids=["none", "changed", "gone"],
    )
    def test_a_tile_of_tiles_is_compared(
        self, trail: Trail, damage: Damage, leaf: int | None
    ) -> None:
        """Seen by the verification in which it becomes whole."""
        verified = long_before(trail, 65_526)
        trail.insert(*(entry() for _ in range(20)))
        trail.seal(100)
        damage(trail)
        report = trail.verify(since=verified)
        expected = set() if leaf is None else {(Kind.TILE, leaf, None)}
        assert trail.found(report) == expected
        assert report.checked == 21


class Incremental:
    """Uses fixtures: trail."""

    def test_only_what_is_new_is_read(self, trail: Trail) -> None:
        verified = trail.verify().verified
        trail.insert(*(entry() for _ in range(5)))
        trail.seal(100)
        counted = Counted(trail.evidence())
        report = trail.verifier(evidence=counted).verify(verified)
        assert (report.exit_code, report.checked, report.size) == (0, 6, SIZE + 6)
        assert (counted.rows_read, counted.tiles_read) == (6, 1)

    def test_what_is_new_is_verified(self, trail: Trail) -> None:
        verified = trail.verify().verified
        trail.seal(100)
        forged(SIZE)(trail)
        assert trail.found(trail.verify(since=verified)) == at(SIZE, Kind.ALTERED)

    def test_what_is_older_is_for_a_full_verification(self, trail: Trail) -> None:
        verified = trail.verify().verified
        forged(11)(trail)
        assert trail.verify(since=verified).exit_code == 0
        assert trail.verify().exit_code == 1

    def test_an_older_copy_of_the_database_is_known_by_its_size(self, trail: Trail) -> None:
        verified = trail.verify().verified
        assert verified
        later = type(verified)(verified.edge.grown([b"h" * 32]).edge, verified.cursor)
        assert (Kind.REWRITTEN, SIZE, None) in trail.found(trail.verify(since=later))

    def test_another_history_of_the_same_size_is_known_by_its_hashes(self, trail: Trail) -> None:
        verified = trail.verify().verified
        resealed(11)(trail)
        trail.seal(100)
        assert trail.verify(since=verified).exit_code == 1


class SpotChecks:
    """Uses fixtures: trail."""

    @pytest.mark.parametrize(("number", "checked"), [(1, 1), (50, 50), (SIZE + 1, SIZE)])
    def test_so_many_leaves_are_checked(self, trail: Trail, number: int, checked: int) -> None:
        report = trail.verifier().verify_some(number)
        assert (report.exit_code, report.checked, report.size) == (0, checked, SIZE)
        assert report.verified is None

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("entry of leaf 9", at(9, Kind.ALTERED)),
            ("column action", at(11, Kind.COLUMN)),
            ("the MAC", at(11, Kind.MAC)),
            ("row 31 is gone", at(31, Kind.DELETED)),
        ],
    )
    def test_a_sample_of_all_finds_what_is_wrong_with_a_row(
        self, trail: Trail, name: str, expected: set[Any]
    ) -> None:
        by_name(name).damage(trail)
        report = trail.verifier().verify_some(SIZE)
        assert (trail.found(report), report.exit_code) == (expected, 1)

    def test_leaves_behind_the_last_id_of_their_tile_have_none(self, trail: Trail) -> None:
        trail.change_tile(1, 0, 1, lambda raw: raw[:-32])
        report = trail.verifier().verify_some(SIZE)
        expected = {(Kind.ID_TILE, leaf, None) for leaf in (510, 511)}
        assert (trail.found(report), report.exit_code) == (expected, 1)

    def test_a_leaf_with_a_recomputed_hash_does_not_lead_to_the_root(self, trail: Trail) -> None:
        by_name("an entry with its hash").damage(trail)
        report = trail.verifier().verify_one(trail.ids[11])
        assert trail.found(report) == at(11, Kind.REWRITTEN)

    def test_a_wrong_hash_of_a_right_entry_is_told(self, trail: Trail) -> None:
        by_name("a hash").damage(trail)
        report = trail.verifier().verify_one(trail.ids[11])
        assert trail.found(report) == at(11, Kind.TILE)

    @pytest.mark.parametrize(
        ("leaf", "code", "expected"),
        [(0, 0, set()), (599, 0, set()), (SIZE, 2, {(Kind.UNSEALED, None, SIZE)})],
    )
    def test_one_event_is_checked(
        self, trail: Trail, leaf: int, code: int, expected: set[Any]
    ) -> None:
        report = trail.verifier().verify_one(trail.ids[leaf])
        assert (trail.found(report), report.exit_code) == (expected, code)

    def test_an_event_that_is_gone_is_known_by_its_leaf(self, trail: Trail) -> None:
        deleted([11])(trail)
        report = trail.verifier().verify_one(trail.ids[11])
        assert (trail.found(report), report.exit_code) == (at(11, Kind.DELETED), 1)

    def test_an_event_that_nobody_knows_is_unknown(self, trail: Trail) -> None:
        report = trail.verifier().verify_one(entry().id)
        assert [each.kind for each in report.findings] == [Kind.UNKNOWN]
        assert report.exit_code == 2

    def test_what_waits_and_was_changed_is_told(self, trail: Trail) -> None:
        column("mac", b"m" * 32, SIZE)(trail)
        assert trail.verifier().verify_one(trail.ids[SIZE]).exit_code == 1

    def test_without_an_authentic_checkpoint_nothing_can_be_proved(self, trail: Trail) -> None:
        by_name("the last checkpoint is a thief's").damage(trail)
        for report in (trail.verifier().verify_some(5), trail.verifier().verify_one(trail.ids[0])):
            assert [each.kind for each in report.findings] == [Kind.CHECKPOINT]
            assert report.exit_code == 1


OF_BUNDLES: dict[str, tuple[str, Callable[[bytes], bytes], int]] = {
    "an entry": ("entries.jsonl", replaced(b'"none"', b'"some"'), 290),
    "a later entry": (
        "entries.jsonl",
        lambda raw: b"\n".join([*raw.split(b"\n")[:15], b"{}", *raw.split(b"\n")[16:]]),
        305,
    ),
    "a space": ("entries.jsonl", replaced(b":", b": "), 290),
    "an entry is gone": (
        "entries.jsonl",
        lambda raw: b"\n".join([*raw.split(b"\n")[:7], *raw.split(b"\n")[8:]]),
        297,
    ),
    "two entries change places": (
        "entries.jsonl",
        lambda raw: b"\n".join([*raw.split(b"\n")[1::-1], *raw.split(b"\n")[2:]]),
        290,
    ),
}


class Bundles:
    """Uses fixtures: trail, tmp_path."""

    def test_the_untouched_bundle_is_in_order(self, trail: Trail, tmp_path: Path) -> None:
        assert checked(exported(trail, tmp_path))["exit"] == 0

    @pytest.mark.parametrize("name", OF_BUNDLES)
    def test_the_auditors_program_names_the_same_leaf_and_id(
        self, trail: Trail, tmp_path: Path, name: str
    ) -> None:
        file, change, leaf = OF_BUNDLES[name]
        bundle = exported(trail, tmp_path)
        (bundle / file).write_bytes(change((bundle / file).read_bytes()))
        said = checked(bundle)
        first = next(each for each in said["findings"] if each["leaf"] is not None)
        assert (said["exit"], first["leaf"], first["id"]) == (1, leaf, str(trail.ids[leaf]))


def exported(trail: Trail, folder: Path) -> Path:
    Bundle(
        evidence=trail.evidence(),
        checkpoint=trail.checkpoints[-1],
        note=trail.notes[-1],
        vkeys=trail.keeper.verifier_keys(),
        first=290,
        last=310,
    ).write(folder / "bundle")
    return folder / "bundle"


def checked(bundle: Path) -> dict[str, Any]:
    command = [sys.executable, "-I", "-S", str(STANDALONE), str(bundle), "--json"]
    done = subprocess.run(
        [*command, "--vkey", str(bundle / "vkey")], capture_output=True, text=True, check=False
    )
    return {"exit": done.returncode, **json.loads(done.stdout)}


def by_name(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


class Counted:
    """Tells how much was read."""

    def __init__(self, evidence: Any) -> None:
        self._evidence = evidence
        self.rows_read = self.tiles_read = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._evidence, name)

    def rows_behind(self, cursor: Cursor) -> Iterator[Stored]:
        for row in self._evidence.rows_behind(cursor):
            self.rows_read += 1
            yield row

    def leaf_tiles(self, first: int, last: int) -> Any:
        self.tiles_read += last - first + 1
        return self._evidence.leaf_tiles(first, last)
