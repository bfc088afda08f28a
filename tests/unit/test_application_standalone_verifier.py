"""The program that an auditor runs on a bundle, and nothing of Dashtam's beside it."""

import importlib.util
import io
import json
import random
import tarfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.domain.inclusion import InclusionProof
from tests.bundles import (
    ORIGIN,
    SIGNER,
    THIEF,
    Delivery,
    Edit,
    Files,
    Json,
    edited,
    encoded,
    id_of,
    insert,
    leaf_hash,
    log,
    note_of,
    path_to,
    put,
    record,
    root_of,
    swap,
    tarred,
    vkey_of,
    with_manifest,
    written,
)

STANDALONE = Path(__file__).resolve().parents[2] / "audit" / "standalone"
STRANGE = "ffffffff-ffff-7fff-bfff-fffffffffffe"


def loaded() -> Any:
    spec = importlib.util.spec_from_file_location("audit_verify", STANDALONE / "audit_verify.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


audit_verify = loaded()


Verify = Callable[..., tuple[int, Json]]


@pytest.fixture
def verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Exit code and report for files or for a path."""

    def run(what: Files | Path, *options: object) -> tuple[int, Json]:
        path = what if isinstance(what, Path) else written(what, tmp_path / "bundle")
        code = audit_verify.main([str(path), "--json", *map(str, options)])
        return code, json.loads(capsys.readouterr().out)

    return run


def first_of(report: Json) -> tuple[str, int | None, str | None]:
    finding = report["findings"][0]
    return finding["kind"], finding["leaf"], finding["id"]


def kinds(report: Json) -> set[str]:
    return {finding["kind"] for finding in report["findings"]}


RANGES = [
    *((size, 0, size) for size in (0, 1, 2, 3, 255, 256, 257, 1000)),
    *((257, 0, 1), (257, 256, 257), (257, 3, 200), (1000, 256, 512), (1000, 999, 1000)),
    *((1000, 511, 777), (10, 4, 4), (7, 0, 0), (7, 7, 7)),
]


class TestGoodBundle:
    @pytest.mark.parametrize(("size", "first", "last"), RANGES)
    def test_every_range_of_a_log_leads_to_its_root(
        self, verify: Verify, size: int, first: int, last: int
    ) -> None:
        code, report = verify(Delivery(log(size), first, last).files(), "--vkey", vkey_of(SIGNER))

        assert (code, report["ok"], report["findings"]) == (0, True, [])
        assert (report["first"], report["last"], report["size"]) == (first, last, size)
        assert report["entries"] == last - first

    def test_the_report_names_log_root_and_key(self, verify: Verify) -> None:
        _, report = verify(Delivery(log(5)).files(), "--vkey", vkey_of(SIGNER))

        root = b64encode(root_of([leaf_hash(entry) for entry in log(5)])).decode()
        key = "+".join(vkey_of(SIGNER).split("+")[:2])
        assert (report["origin"], report["root"], report["key"]) == (ORIGIN, root, key)

    @pytest.mark.parametrize("top", ["", "./", "bundle/", "./bundle/"])
    def test_a_tar_is_read_without_unpacking(
        self, verify: Verify, tmp_path: Path, top: str
    ) -> None:
        path = tarred(Delivery(log(20), 3, 11).files(), tmp_path / "bundle.tar", top)

        assert verify(path, "--vkey", vkey_of(SIGNER))[0] == 0
        assert list(tmp_path.iterdir()) == [path]

    def test_a_key_can_be_given_as_a_file(self, verify: Verify, tmp_path: Path) -> None:
        keys = tmp_path / "keys"
        keys.write_text(f"{vkey_of(THIEF)}\n{vkey_of(SIGNER)}\n")

        code, report = verify(Delivery(log(4)).files(), "--vkey", keys)

        assert (code, report["notes"]) == (0, [])

    def test_the_bundles_own_key_is_not_trusted_in_silence(self, verify: Verify) -> None:
        code, report = verify(Delivery(log(4)).files())

        assert code == 0
        assert "get the key another way" in report["notes"][0]

    def test_a_second_signature_of_an_unknown_key_is_passed_over(self, verify: Verify) -> None:
        files = Delivery(log(4)).files()
        files["checkpoint"] = note_of([leaf_hash(entry) for entry in log(4)], THIEF, SIGNER)

        assert verify(with_manifest(files), "--vkey", vkey_of(SIGNER))[0] == 0

    def test_a_person_reads_a_few_plain_lines(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bundle = written(Delivery(log(30), 3, 12).files(), tmp_path / "bundle")

        code = audit_verify.main([str(bundle)])

        lines = capsys.readouterr().out.splitlines()
        assert code == 0
        assert lines[0].startswith("Records: 9, leaves 3 to 12")
        assert lines[-1].startswith("OK.")


# Of leaves 10 to 30 of a log of 40, by the number of the line.
ALTERED = encoded(record(15, action="user.logout"))
FORGED = encoded(record(99, id=STRANGE, phase="SOLE", attempt=None))
DAMAGES: dict[str, tuple[Edit, str, int, str]] = {
    "a field": (put(5, ALTERED), "altered", 15, id_of(15)),
    "the first": (put(0, encoded(record(10, err="x"))), "altered", 10, id_of(10)),
    "the last": (put(19, encoded(record(29, err="x"))), "altered", 29, id_of(29)),
    "an id": (put(5, encoded(record(15, id=STRANGE))), "altered", 15, id_of(15)),
    "rubbish": (put(5, b"\xff\x00"), "altered", 15, id_of(15)),
    "an empty line": (put(5, b""), "altered", 15, id_of(15)),
    "a space": (put(5, log(40)[15] + b" "), "altered", 15, id_of(15)),
    "a line end of Windows": (put(5, log(40)[15] + b"\r"), "altered", 15, id_of(15)),
    "a line too long": (put(5, b"x" * 3_000_000), "altered", 15, id_of(15)),
    "another in its place": (put(5, log(40)[12]), "altered", 15, id_of(15)),
    "deleted": (lambda lines: lines.pop(5), "deleted", 15, id_of(15)),
    "the first deleted": (lambda lines: lines.pop(0), "deleted", 10, id_of(10)),
    "the last deleted": (lambda lines: lines.pop(), "deleted", 29, id_of(29)),
    "all deleted": (lambda lines: lines.clear(), "deleted", 10, id_of(10)),
    "inserted": (insert(5, FORGED), "inserted", 15, STRANGE),
    "inserted in front": (insert(0, FORGED), "inserted", 10, STRANGE),
    "appended": (lambda lines: lines.append(FORGED + b"\n"), "inserted", 30, STRANGE),
    "a copy later": (insert(9, log(40)[12]), "inserted", 19, id_of(12)),
    "a copy before": (insert(3, log(40)[22]), "inserted", 13, id_of(22)),
    "neighbours swapped": (swap(5, 6), "reordered", 15, id_of(15)),
    "far ones swapped": (swap(2, 17), "reordered", 12, id_of(12)),
}


class TestDamage:
    @pytest.mark.parametrize("name", DAMAGES)
    def test_the_first_bad_record_is_named(self, verify: Verify, name: str) -> None:
        edit, kind, leaf, entry_id = DAMAGES[name]
        files = Delivery(log(40), 10, 30).files()
        edited("entries.jsonl", edit)(files)

        code, report = verify(with_manifest(files), "--vkey", vkey_of(SIGNER))

        assert (code, first_of(report)) == (1, (kind, leaf, entry_id))
        assert "wrong_root" not in kinds(report), "the other leaves are proved to be right"

    @pytest.mark.parametrize("leaf", [0, 1, 100, 254, 255])
    @pytest.mark.parametrize("bit", [0, 7])
    def test_every_bit_counts(self, verify: Verify, leaf: int, bit: int) -> None:
        files = Delivery(log(256)).files()
        lines = files["entries.jsonl"].splitlines(keepends=True)
        at = sum(map(len, lines[:leaf])) + 40
        content = bytearray(files["entries.jsonl"])
        content[at] ^= 1 << bit
        files["entries.jsonl"] = bytes(content)

        code, report = verify(with_manifest(files))

        assert code == 1
        assert first_of(report)[1:] == (leaf, id_of(leaf))

    def test_several_damages_are_each_named(self, verify: Verify) -> None:
        files = Delivery(log(40), 10, 30).files()
        lines = files["entries.jsonl"].splitlines(keepends=True)
        lines[15] = encoded(record(25, err="x")) + b"\n"
        del lines[8]
        lines.insert(3, FORGED + b"\n")
        files["entries.jsonl"] = b"".join(lines)

        _, report = verify(with_manifest(files))

        found = [(each["kind"], each["leaf"]) for each in report["findings"]]
        assert [each for each in found if each[0] in {"altered", "deleted", "inserted"}] == [
            ("inserted", 13),
            ("deleted", 18),
            ("altered", 25),
        ]

    def test_a_record_behind_a_deleted_one_keeps_its_leaf(self, verify: Verify) -> None:
        entries = [*log(40)]
        entries[20] = encoded(record(20, phase="FAILED"))
        files = Delivery(tuple(entries), 10, 30).files()
        edited("entries.jsonl", lambda lines: lines.pop(2))(files)

        _, report = verify(with_manifest(files))

        assert ("bad_phase", 20) in {(each["kind"], each["leaf"]) for each in report["findings"]}

    def test_a_hundred_findings_are_shown_and_all_are_counted(self, verify: Verify) -> None:
        files = Delivery(log(257)).files() | {"entries.jsonl": b""}

        _, report = verify(with_manifest(files))

        assert len(report["findings"]) == 100
        assert report["found"] == 257

    def test_an_altered_line_of_the_leaves_is_told_from_an_altered_record(
        self, verify: Verify
    ) -> None:
        files = Delivery(log(40), 10, 30).files()
        edited("leaves", put(5, f"{id_of(15)} {'00' * 32}".encode()))(files)

        code, report = verify(with_manifest(files))

        assert (code, first_of(report)) == (1, ("leaf_mismatch", 15, id_of(15)))

    def test_another_id_beside_the_right_hash_is_found(self, verify: Verify) -> None:
        files = Delivery(log(40), 10, 30).files()
        edited("leaves", lambda lines: put(5, STRANGE.encode() + lines[5][36:-1])(lines))(files)

        code, report = verify(with_manifest(files))

        assert (code, first_of(report)) == (1, ("id_mismatch", 15, id_of(15)))

    def test_leaves_that_were_altered_alike_do_not_lead_to_the_root(self, verify: Verify) -> None:
        forged = Delivery((*log(15), ALTERED, *log(40)[16:]), 10, 30).files()
        files = Delivery(log(40), 10, 30).files()
        files |= {name: forged[name] for name in ("entries.jsonl", "leaves")}

        code, report = verify(with_manifest(files))

        assert (code, kinds(report)) == (1, {"wrong_root"})

    @pytest.mark.parametrize(
        "name", ["checkpoint", "entries.jsonl", "leaves", "range.proof", "vkey"]
    )
    def test_every_file_is_that_of_the_manifest(self, verify: Verify, name: str) -> None:
        files = Delivery(log(9), 2, 8).files()
        files[name] = files[name][:-9] + b"A" + files[name][-8:]

        code, report = verify(files)

        assert code == 1
        assert f"{name}: another file" in str(report["findings"])

    @pytest.mark.parametrize("name", ["checkpoint", "entries.jsonl", "leaves", "range.proof"])
    def test_a_missing_file_is_named(self, verify: Verify, name: str) -> None:
        files = Delivery(log(9), 2, 8).files()
        del files[name]

        code, report = verify(files)

        assert code == 1
        assert f"{name}: missing" in str(report["findings"])

    @pytest.mark.parametrize("name", ["origin", "size", "first", "last", "count"])
    def test_the_manifest_tells_what_the_other_files_tell(self, verify: Verify, name: str) -> None:
        files = Delivery(log(9), 2, 8).files()
        files["manifest.json"] = encoded(json.loads(files["manifest.json"]) | {name: 5})

        code, report = verify(files)

        assert (code, kinds(report)) == (1, {"manifest_mismatch"})

    def test_damage_is_told_to_a_person_in_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        files = Delivery(log(40), 10, 30).files()
        edited("entries.jsonl", put(5, ALTERED))(files)

        audit_verify.main([str(written(with_manifest(files), tmp_path / "bundle"))])

        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith(f"leaf 15, event {id_of(15)}: altered")
        assert lines[-1].startswith("TAMPERED WITH.")


# Records that were sealed as they are, and should never have been written.
ATTEMPT = record(6)["id"]
ODD: dict[str, tuple[bytes, str, int]] = {
    "an outcome with the id of an attempt": (encoded(record(6, phase="FAILED")), "bad_phase", 1),
    "a reserved id": (encoded(record(6, id=ATTEMPT[:-1] + "3")), "bad_phase", 1),
    "another's attempt": (encoded(record(7, attempt=id_of(3))), "bad_phase", 1),
    "no attempt": (encoded(record(7, attempt=None)), "bad_phase", 1),
    "an unknown phase": (encoded(record(6, phase="MAYBE")), "not_an_entry", 1),
    "a phase that is a list": (encoded(record(6, phase=[])), "not_an_entry", 1),
    "no time": (encoded(record(6, at="yesterday")), "not_an_entry", 1),
    "a month 13": (encoded(record(6, at="2024-13-01T12:00:00.000000Z")), "not_an_entry", 1),
    "milliseconds": (encoded(record(6, at="2024-01-01T12:00:00.000Z")), "not_an_entry", 1),
    "half a resource": (encoded(record(6, resource=["user"])), "not_an_entry", 1),
    "no id": (encoded(record(6, id=None)), "not_an_entry", 1),
    "an id in capitals": (encoded(record(6, id=STRANGE.upper())), "not_an_entry", 1),
    "a list": (b"[]", "not_an_entry", 1),
    "too long": (encoded(record(6, err="x" * 60_000)), "not_an_entry", 1),
    "a field too few": (encoded({"v": 1, "id": ATTEMPT}), "not_an_entry", 1),
    "spaces": (json.dumps(record(6), sort_keys=True).encode(), "not_canonical", 1),
    "another order": (json.dumps(record(6), separators=(",", ":")).encode(), "not_canonical", 1),
    "a fraction": (encoded(record(6, ctx={"n": 1.0})), "not_canonical", 1),
    "infinity": (encoded(record(6, ctx={"n": float("inf")})), "not_canonical", 1),
    "a key twice": (log(9)[6].replace(b'"err"', b'"err":null,"err"'), "not_canonical", 1),
    "not in form C": (encoded(record(6, ctx={"n": "e\u0301"})), "not_canonical", 1),
    "no JSON": (b"{", "not_json", 1),
    "no UTF-8": (b'{"id":"\xff"}', "not_json", 1),
    "deeply nested": (b"[" * 50_000, "not_json", 1),
    "version 2": (encoded(record(6, v=2)), "unknown_version", 2),
    "version true": (encoded(record(6, v=True)), "unknown_version", 2),
}


class TestRecords:
    @pytest.mark.parametrize("name", ODD)
    def test_an_odd_record_is_named(self, verify: Verify, name: str) -> None:
        entry, kind, exit_code = ODD[name]
        entries = [*log(9)]
        entries[7 if b'"SUCCEEDED"' in entry else 6] = entry

        code, report = verify(Delivery(tuple(entries)).files())

        finding = next(each for each in report["findings"] if each["kind"] == kind)
        assert code in {exit_code, 1}  # an attempt that cannot be read leaves an orphan
        assert finding["leaf"] in {6, 7}
        assert finding["id"]

    def test_a_version_that_is_not_known_is_incomplete(self, verify: Verify) -> None:
        entries = (*log(5), encoded(record(5, v=2)))

        code, report = verify(Delivery(entries).files())

        assert (code, first_of(report)) == (2, ("unknown_version", 5, id_of(5)))

    def test_a_lone_surrogate_stands_as_its_escape(self, verify: Verify) -> None:
        odd = encoded(record(5, err="?")).replace(b'"?"', b'"\\ud800"')

        assert verify(Delivery((*log(5), odd)).files())[0] == 0

    def test_fields_of_a_later_day_are_no_damage(self, verify: Verify) -> None:
        assert verify(Delivery((*log(5), encoded(record(5, src="x")))).files())[0] == 0

    def test_what_the_context_calls_an_id_is_not_that_of_the_record(self, verify: Verify) -> None:
        context: Json = {"a": {}, "err": None, "id": id_of(0), "phase": "SOLE", "z": '","id":"'}
        odd = encoded(record(3, ctx=context)), encoded(record(4, ctx={"ctx": context}))

        assert verify(Delivery((*log(3), *odd)).files())[0] == 0

    @pytest.mark.parametrize("at", [0, 1, 2, 36, 37, 38])
    def test_an_id_that_was_forgotten_is_found_again(
        self, verify: Verify, monkeypatch: pytest.MonkeyPatch, at: int
    ) -> None:
        monkeypatch.setattr(audit_verify, "MOST_REMEMBERED", 4)

        code, report = verify(Delivery((*log(39), log(39)[at])).files())

        assert (code, first_of(report)) == (1, ("duplicate_id", 39, id_of(at)))
        assert report["findings"][0]["detail"] == f"leaf {at} has this id"
        assert report["found"] == 1

    def test_one_id_in_two_records_is_found(self, verify: Verify) -> None:
        code, report = verify(Delivery((*log(6), log(6)[5])).files())

        assert (code, first_of(report)) == (1, ("duplicate_id", 6, id_of(5)))

    def test_two_outcomes_of_one_attempt_are_found(self, verify: Verify) -> None:
        second = encoded(record(1, phase="FAILED"))

        code, report = verify(Delivery((*log(6), second)).files())

        assert (code, first_of(report)) == (1, ("two_outcomes", 6, id_of(1)))

    def test_an_outcome_without_its_attempt_is_found(self, verify: Verify) -> None:
        code, report = verify(Delivery((*log(6), log(8)[7])).files())

        assert (code, first_of(report)) == (1, ("orphan_outcome", 6, id_of(7)))

    def test_the_attempt_of_the_first_outcome_may_lie_before_the_range(
        self, verify: Verify
    ) -> None:
        assert verify(Delivery(log(40), 10, 30).files())[0] == 0

    def test_an_attempt_that_began_long_after_the_range_lies_inside(self, verify: Verify) -> None:
        late = 3 * 400
        entries = (*log(39), encoded(record(late + 1)))

        code, report = verify(Delivery(entries, 10).files())

        assert (code, first_of(report)) == (1, ("orphan_outcome", 39, id_of(late + 1)))

    def test_an_attempt_without_an_outcome_is_late_after_five_minutes(self, verify: Verify) -> None:
        entries = (log(1)[0], encoded(record(3 * 301 + 2)))

        code, report = verify(Delivery(entries).files())

        assert (code, first_of(report)) == (2, ("open_attempt", 0, id_of(0)))

    def test_a_young_attempt_may_be_open(self, verify: Verify) -> None:
        assert verify(Delivery((log(1)[0], encoded(record(3 * 299 + 2)))).files())[0] == 0


class TestSignature:
    def signed_by(self, signer: Ed25519PrivateKey) -> Files:
        files = Delivery(log(9)).files()
        files["checkpoint"] = note_of([leaf_hash(entry) for entry in log(9)], signer)
        files["vkey"] = vkey_of(signer).encode() + b"\n"
        return with_manifest(files)

    def test_a_thiefs_own_key_does_not_open_the_auditors_lock(self, verify: Verify) -> None:
        code, report = verify(self.signed_by(THIEF), "--vkey", vkey_of(SIGNER))

        assert (code, kinds(report)) == (1, {"bad_signature"})

    @pytest.mark.parametrize("text", ["", "\n", "x", "+".join("abc"), vkey_of(SIGNER)[:-4]])
    def test_a_key_of_the_bundle_that_is_none_signs_nothing(
        self, verify: Verify, text: str
    ) -> None:
        files = self.signed_by(SIGNER) | {"vkey": text.encode()}

        code, report = verify(with_manifest(files))

        assert (code, kinds(report)) == (1, {"bad_signature"})

    @pytest.mark.parametrize("library", [True, False], ids=["cryptography", "python"])
    def test_a_flipped_bit_is_found(
        self, verify: Verify, monkeypatch: pytest.MonkeyPatch, library: bool
    ) -> None:
        if not library:
            monkeypatch.setattr(audit_verify, "Ed25519PublicKey", None)
        files = self.signed_by(SIGNER)
        files["checkpoint"] = files["checkpoint"].replace(b"\n9\n", b"\n8\n")

        code, report = verify(with_manifest(files))

        assert code == 1
        assert {"bad_signature", "wrong_root"} <= kinds(report)

    def test_a_name_beside_the_origin_is_not_enough(self, verify: Verify) -> None:
        files = self.signed_by(SIGNER)
        note = note_of([leaf_hash(entry) for entry in log(9)], origin="other.example")
        files["checkpoint"] = note.replace(b"other.example\n9", ORIGIN.encode() + b"\n9")

        code, report = verify(with_manifest(files), "--vkey", vkey_of(SIGNER, "other.example"))

        assert (code, kinds(report)) == (1, {"bad_signature"})

    @pytest.mark.parametrize(
        "note",
        [
            b"",
            b"\xff",
            b"a\nb\nc\n\n",
            b"a\n01\n" + b64encode(bytes(32)) + b"\n\n\xe2\x80\x94 a AAAAAAA=\n",
            note_of([])[:-1],
            note_of([]).replace(b"\n\n", b"\n"),
            note_of([]).replace(b"\n0\n", b"\n-1\n"),
            note_of([]).replace(b"=\n\n", b"\n\n"),
            note_of([]).replace(b"\n\n", b"\n\x1b[2J\n\n"),
            note_of([]) + b"\xe2\x80\x94 x AAAA\n",
            note_of([]) * 200,
        ],
    )
    def test_what_is_no_checkpoint_is_signed_by_nobody(self, verify: Verify, note: bytes) -> None:
        code, report = verify(with_manifest(Delivery(()).files() | {"checkpoint": note}))

        assert code == 1
        assert "bad_signature" in kinds(report)


class TestOlderCheckpoint:
    def note(self, tmp_path: Path, size: int, entries: tuple[bytes, ...] = log(40)) -> Path:
        path = tmp_path / f"older-{size}"
        path.write_bytes(note_of([leaf_hash(entry) for entry in entries[:size]]))
        return path

    @pytest.mark.parametrize("size", [0, 8, 10, 11, 16, 29, 30, 32, 40])
    def test_it_agrees_with_a_log_that_was_only_continued(
        self, verify: Verify, tmp_path: Path, size: int
    ) -> None:
        note = self.note(tmp_path, size)

        code, report = verify(Delivery(log(40), 10, 30).files(), "--checkpoint", note)

        assert code == 0
        assert f"of {size} records agrees" in str(report["notes"])

    @pytest.mark.parametrize("size", [1, 16, 17, 40])
    def test_a_history_that_was_rewritten_and_signed_again_is_found(
        self, verify: Verify, tmp_path: Path, size: int
    ) -> None:
        rewritten = Delivery((encoded(record(0, err="x")), *log(40)[1:])).files()

        assert verify(rewritten)[0] == 0
        code, report = verify(rewritten, "--checkpoint", self.note(tmp_path, size))
        assert (code, kinds(report)) == (1, {"rewritten"})

    def test_two_of_them_tell_where_the_rewriting_begins(
        self, verify: Verify, tmp_path: Path
    ) -> None:
        rewritten = (*log(40)[:20], encoded(record(20, err="x")), *log(40)[21:])
        notes = [self.note(tmp_path, size) for size in (16, 32)]

        _, report = verify(
            Delivery(rewritten).files(), "--checkpoint", notes[1], "--checkpoint", notes[0]
        )

        assert "leaves 16 to 31 are not those" in report["findings"][0]["detail"]

    @pytest.mark.parametrize("size", [3, 9, 31, 39])
    def test_what_lies_outside_the_range_is_not_covered(
        self, verify: Verify, tmp_path: Path, size: int
    ) -> None:
        note = self.note(tmp_path, size)

        code, report = verify(Delivery(log(40), 10, 30).files(), "--checkpoint", note)

        assert (code, kinds(report)) == (2, {"not_covered"})

    def test_one_of_a_longer_log_is_not_covered(self, verify: Verify, tmp_path: Path) -> None:
        note = self.note(tmp_path, 50, log(50))

        code, report = verify(Delivery(log(40)).files(), "--checkpoint", note)

        assert (code, kinds(report)) == (2, {"not_covered"})

    def test_its_signature_must_be_right(self, verify: Verify, tmp_path: Path) -> None:
        note = tmp_path / "older"
        note.write_bytes(note_of([leaf_hash(entry) for entry in log(8)], THIEF))

        code, report = verify(Delivery(log(40)).files(), "--checkpoint", note)

        assert (code, kinds(report)) == (1, {"bad_signature"})

    def test_an_altered_origin_is_no_mistake_of_the_auditor(
        self, verify: Verify, tmp_path: Path
    ) -> None:
        files = Delivery(log(40)).files()
        files["checkpoint"] = b"x" + files["checkpoint"]

        code, report = verify(with_manifest(files), "--checkpoint", self.note(tmp_path, 8))

        assert code == 1
        assert "bad_signature" in kinds(report)

    def test_that_of_an_altered_record_is_told_once(self, verify: Verify, tmp_path: Path) -> None:
        files = Delivery(log(40), 10, 30).files()
        edited("entries.jsonl", put(5, ALTERED))(files)

        _, report = verify(with_manifest(files), "--checkpoint", self.note(tmp_path, 20))

        assert kinds(report) == {"altered"}


PROOFS = {
    "empty": b"",
    "binary": b"\xff" * 100,
    "another version": b"dashtam.range-proof/v2\nfirst 0\nlast 9\nsize 9\n",
    "beyond the end": b"dashtam.range-proof/v1\nfirst 0\nlast 9\nsize 8\n",
    "negative": b"dashtam.range-proof/v1\nfirst -1\nlast 9\nsize 9\n",
    "huge": b"dashtam.range-proof/v1\nfirst 0\nlast %d\nsize %d\n" % (2**63 - 1, 2**63 - 1),
    "too huge": b"dashtam.range-proof/v1\nfirst 0\nlast 9\nsize 99999999999999999999\n",
    "no line end": b"dashtam.range-proof/v1\nfirst 0\nlast 9\nsize 9",
    "a hash too many": b"dashtam.range-proof/v1\nfirst 0\nlast 9\nsize 9\nleft AAAA\n",
    "a hash too few": b"dashtam.range-proof/v1\nfirst 1\nlast 9\nsize 9\n",
    "a short hash": b"dashtam.range-proof/v1\nfirst 0\nlast 8\nsize 9\nright AAAA\n",
}
MANIFESTS = {
    "empty": b"",
    "binary": b"\xff",
    "a list": b"[]",
    "no files": b'{"format":"dashtam.audit-bundle/v1"}',
    "deep": b"[" * 100_000,
    "a name outside": b'{"format":"dashtam.audit-bundle/v1","files":{"../../etc/passwd":"00"}}',
    "an absolute name": b'{"format":"dashtam.audit-bundle/v1","files":{"/etc/passwd":"00"}}',
    "too long": b" " * 2_000_000,
}


def member(name: str, kind: bytes = tarfile.REGTYPE, **facts: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info


MEMBERS = {
    "a path upwards": member("../evil"),
    "a path upwards within": member("a/../../evil"),
    "an absolute path": member("/etc/evil"),
    "a symbolic link": member("leaves2", tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a hard link": member("leaves2", tarfile.LNKTYPE, linkname="/etc/passwd"),
    "a device": member("zero", tarfile.CHRTYPE, devmajor=1, devminor=5),
    "a pipe": member("pipe", tarfile.FIFOTYPE),
    "a file twice": member("leaves"),
    "another size": member("x", pax_headers={"size": "9999999999"}),
    "another path": member("x", pax_headers={"path": "entries.jsonl"}),
    "a sparse file": member("x", tarfile.GNUTYPE_SPARSE),
}


class TestHostileInput:
    @pytest.mark.parametrize("name", PROOFS)
    def test_a_bad_range_proof_proves_nothing(self, verify: Verify, name: str) -> None:
        files = Delivery(log(9)).files() | {"range.proof": PROOFS[name]}

        code, report = verify(with_manifest(files))

        assert code == 1
        assert kinds(report) & {"bad_proof", "wrong_root"}

    @pytest.mark.parametrize("name", MANIFESTS)
    def test_a_bad_manifest_is_found(self, verify: Verify, name: str) -> None:
        files = Delivery(log(9)).files() | {"manifest.json": MANIFESTS[name]}

        code, report = verify(files)

        assert (code, kinds(report)) == (1, {"manifest_mismatch"})

    def test_a_bundle_of_another_version_is_incomplete(self, verify: Verify) -> None:
        files = Delivery(log(9)).files()
        files["manifest.json"] = files["manifest.json"].replace(b"bundle/v1", b"bundle/v2")

        code, report = verify(files)

        assert (code, kinds(report)) == (2, {"unknown_version"})

    @pytest.mark.parametrize("name", ["entries.jsonl", "leaves"])
    @pytest.mark.parametrize("content", [b"\n" * 30_000, b"\x00" * 3_000_000, b"\xff\n" * 9])
    @pytest.mark.slow(reason="some megabytes of nothing")
    def test_nonsense_is_read_to_its_end(self, verify: Verify, name: str, content: bytes) -> None:
        assert verify(with_manifest(Delivery(log(9)).files() | {name: content}))[0] == 1

    @pytest.mark.parametrize("name", MEMBERS)
    def test_a_tar_with_what_no_bundle_has_is_refused(
        self, verify: Verify, tmp_path: Path, name: str
    ) -> None:
        path = tarred(Delivery(log(9)).files(), tmp_path / "bundle.tar")
        with tarfile.open(path, "a") as tar:
            tar.addfile(MEMBERS[name], io.BytesIO())

        code, answer = verify(path)

        assert code == 3
        assert "tar" in answer["error"] or "twice" in answer["error"]

    @pytest.mark.parametrize("at", [1, 511, 513, 3000])
    def test_a_tar_that_is_cut_off_is_no_bundle(
        self, verify: Verify, tmp_path: Path, at: int
    ) -> None:
        path = tarred(Delivery(log(9)).files(), tmp_path / "bundle.tar")
        path.write_bytes(path.read_bytes()[:at])

        assert verify(path)[0] == 3

    @pytest.mark.parametrize(
        "size", [b"-0000001000\0", b"+0000001000\0", b"0_000001000\0", b"9" * 12]
    )
    def test_a_length_in_a_tar_is_octal_digits(
        self, verify: Verify, tmp_path: Path, size: bytes
    ) -> None:
        path = tarred(Delivery(log(9)).files(), tmp_path / "bundle.tar")
        content = bytearray(path.read_bytes())
        content[124:136] = size
        content[148:156] = b" " * 8
        content[148:156] = b"%06o\0 " % sum(content[:512])
        path.write_bytes(content)

        assert verify(path)[0] == 3

    def test_any_byte_of_a_tar_may_be_wrong(self, verify: Verify, tmp_path: Path) -> None:
        path = tarred(Delivery(log(3)).files(), tmp_path / "bundle.tar")
        good, chance = path.read_bytes(), random.Random(7)

        for _ in range(15):
            content = bytearray(good)
            content[chance.randrange(600)] ^= 1 << chance.randrange(8)
            path.write_bytes(content)
            assert verify(path)[0] in {0, 1, 3}  # 0: owner and time are nobody's business

    def test_a_compressed_tar_is_refused(self, verify: Verify, tmp_path: Path) -> None:
        path = tmp_path / "bundle.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            tar.addfile(member("manifest.json"))

        assert verify(path)[0] == 3

    def test_a_link_in_a_folder_is_not_followed(self, verify: Verify, tmp_path: Path) -> None:
        files = Delivery(log(9)).files()
        (tmp_path / "elsewhere").write_bytes(files.pop("leaves"))
        bundle = written(files, tmp_path / "bundle")
        (bundle / "leaves").symlink_to(tmp_path / "elsewhere")

        code, report = verify(bundle)

        assert code == 1
        assert "leaves: missing" in str(report["findings"])

    def test_nothing_a_stranger_wrote_moves_the_cursor(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        files = Delivery(log(9)).files()
        files["manifest.json"] = encoded(json.loads(files["manifest.json"]) | {"origin": "\x1b[2J"})

        audit_verify.main([str(written(files, tmp_path / "bundle"))])

        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "[2J" in out


class TestOptions:
    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["{tmp}/nothing"],
            ["{tmp}"],
            ["{tmp}/file"],
            ["/dev/null"],
            ["{tmp}", "--what"],
            ["{tmp}", "{tmp}"],
            ["{tmp}", "--vkey"],
            ["{tmp}", "--vkey", "nonsense"],
            ["{tmp}", "--vkey", "{tmp}"],
            ["{tmp}", "--vkey", "{tmp}/file"],
            ["{tmp}", "--vkey", "a\0b"],
            ["{tmp}", "--checkpoint", "{tmp}/nothing"],
            ["{tmp}", "--checkpoint", "{tmp}/file"],
            ["{tmp}", "--proof", "{tmp}/file"],
            ["--proof", "{tmp}/file"],
            ["--proof", "{tmp}/file", "--entry", "{tmp}/file"],
            ["a\0b"],
        ],
    )
    def test_wrong_ones_are_told_in_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
    ) -> None:
        (tmp_path / "file").write_bytes(b"")

        code = audit_verify.main([each.format(tmp=tmp_path) for each in arguments])

        told = capsys.readouterr()
        assert (code, told.out, told.err.count("\n")) == (3, "", 1)

    def test_a_checkpoint_of_another_log_is_a_mistake(self, verify: Verify, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.write_bytes(note_of([], origin="other.example"))
        keys = ("--vkey", vkey_of(SIGNER), "--vkey", vkey_of(SIGNER, "other.example"))

        code, answer = verify(Delivery(log(4)).files(), "--checkpoint", other, *keys)

        assert code == 3
        assert "another log" in answer["error"]


class TestProofOfOneRecord:
    def prove(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        index: int,
        size: int,
        **wrong: Any,
    ) -> tuple[int, Json]:
        leaves = [leaf_hash(entry) for entry in log(size)]
        path = "".join(b64encode(each).decode() + "\n" for each in path_to(index, leaves))
        head = f"c2sp.org/tlog-proof@v1\nextra AAAA\nindex {index}\n{path}\n"
        proof = wrong.get("proof", head.encode() + note_of(leaves))
        (tmp_path / "entry").write_bytes(wrong.get("entry", log(size)[index]))
        (tmp_path / "proof").write_bytes(proof.replace(*wrong.get("swap", (b"", b""))))
        where = [f"--{name}={tmp_path / name}" for name in ("proof", "entry")]
        code = audit_verify.main([*where, "--vkey", vkey_of(SIGNER), "--json"])
        return code, json.loads(capsys.readouterr().out)

    @pytest.mark.parametrize(
        ("index", "size"), [(0, 1), (0, 2), (1, 2), (2, 3), (6, 7), (4, 8), (255, 257), (256, 257)]
    )
    def test_it_is_checked_against_the_signed_root(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], index: int, size: int
    ) -> None:
        code, report = self.prove(tmp_path, capsys, index, size)

        assert (code, report["first"], report["size"]) == (0, index, size)

    def test_it_reads_what_the_application_writes(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        leaves = [leaf_hash(entry) for entry in log(7)]
        note = note_of(leaves).decode()
        written = InclusionProof(2, tuple(path_to(2, leaves)), note, b"extra").text()

        assert self.prove(tmp_path, capsys, 2, 7, proof=written.encode())[0] == 0

    def test_the_line_end_of_an_editor_does_not_matter(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.prove(tmp_path, capsys, 2, 7, entry=log(7)[2] + b"\n")[0] == 0

    def test_another_record_is_not_proved(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, report = self.prove(tmp_path, capsys, 2, 7, entry=log(7)[5])

        assert (code, first_of(report)) == (1, ("wrong_root", 2, id_of(5)))

    @pytest.mark.parametrize(
        ("old", "new", "kind"),
        [
            (b"index 2", b"index 3", "wrong_root"),
            (b"index 2", b"index 9", "wrong_root"),
            (b"index 2", b"index 02", "bad_proof"),
            (b"index 2\n", b"index 2\n" + b64encode(bytes(32)) + b"\n", "wrong_root"),
            (b"index 2\n", b"index 2\nAAAA\n", "bad_proof"),
            (b"index 2\n", b"", "bad_proof"),
            (b"proof@v1", b"proof@v2", "bad_proof"),
            (b"\n7\n", b"\n8\n", "bad_signature"),
            (b"\n\n", b"\n", "bad_proof"),
        ],
    )
    def test_another_proof_proves_nothing(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        old: bytes,
        new: bytes,
        kind: str,
    ) -> None:
        code, report = self.prove(tmp_path, capsys, 2, 7, swap=(old, new))

        assert code == 1
        assert kind in kinds(report)


VECTORS = [  # RFC 8032 §7.1
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
        "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1"
        "8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


class TestEd25519:
    @pytest.fixture(autouse=True, params=[True, False], ids=["cryptography", "python"])
    def way(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        if not request.param:
            monkeypatch.setattr(audit_verify, "Ed25519PublicKey", None)

    @pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
    def test_the_vectors_of_the_standard(self, public: str, message: str, signature: str) -> None:
        assert audit_verify.is_signature(*map(bytes.fromhex, (public, message, signature)))

    @pytest.mark.parametrize("at", [0, 31, 32, 62, 63])
    def test_a_flipped_bit_is_no_signature(self, at: int) -> None:
        public, message, signature = map(bytes.fromhex, VECTORS[1])
        flipped = bytearray(signature)
        flipped[at] ^= 1

        assert not audit_verify.is_signature(public, message, bytes(flipped))
        assert not audit_verify.is_signature(public, message + b"x", signature)

    @pytest.mark.parametrize("length", [0, 32, 63, 65])
    def test_another_length_is_no_signature(self, length: int) -> None:
        public, message, signature = map(bytes.fromhex, VECTORS[0])

        assert not audit_verify.is_signature(public, message, (signature * 2)[:length])

    def test_the_second_spelling_of_a_signature_is_refused(self) -> None:
        public, message, signature = map(bytes.fromhex, VECTORS[0])
        scalar = int.from_bytes(signature[32:], "little") + audit_verify.ORDER
        second = signature[:32] + scalar.to_bytes(32, "little")

        assert not audit_verify.is_signature(public, message, second)

    @pytest.mark.parametrize(
        "public",
        [
            audit_verify.P.to_bytes(32, "little"),
            (2**255 - 1).to_bytes(32, "little"),
            (2).to_bytes(32, "little"),
            (1 | 1 << 255).to_bytes(32, "little"),
            b"",
        ],
        ids=["y is p", "y is above p", "on no curve", "minus zero", "empty"],
    )
    def test_what_is_no_point_is_no_key(self, public: bytes) -> None:
        assert not audit_verify.is_signature(public, b"", bytes(64))


@settings(max_examples=25)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(), bit=st.integers(0, 511))
def test_python_alone_judges_as_the_library_does(seed: bytes, message: bytes, bit: int) -> None:
    signer = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = signer.public_key().public_bytes_raw(), signer.sign(message)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    point = audit_verify.read_point(public)

    assert audit_verify.is_signature_in_python(point, public, message, signature)
    assert not audit_verify.is_signature_in_python(point, public, message, bytes(flipped))
    assert not audit_verify.is_signature(public, message, bytes(flipped))


def read_as_json(raw: bytes) -> Any:
    try:
        return audit_verify.read_json(raw)
    except audit_verify.BadEntry as bad:
        return bad.kind


FLAT = st.dictionaries(
    st.sampled_from(["door", "a", "b", "id", "A", "a b", "ü", ""]),
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just({"id": id_of(0)}),
)
FIELDS = st.sampled_from(sorted(record(0))), st.none() | st.text(max_size=9) | st.integers()


@given(context=FLAT, field=st.tuples(*FIELDS), n=st.integers(0, 5), at=st.integers(0, 500))
def test_the_short_way_of_reading_says_what_json_says(
    context: Json, field: tuple[str, Any], n: int, at: int
) -> None:
    good = encoded(record(n, ctx=context))
    other = encoded(record(n, ctx=context) | dict([field]))
    doubled = good.replace(b'"ctx":{', b'"ctx":{"a":1,')
    cut, turned = good[:at] + good[at + 1 :], bytearray(good)
    turned[at % len(good)] ^= 1

    for raw in (good, other, doubled, cut, bytes(turned), good + b" ", good.swapcase()):
        assert audit_verify.read_plain(raw) in {None, read_as_json(raw)}


def test_the_short_way_is_the_usual_one() -> None:
    assert sum(audit_verify.read_plain(entry) is not None for entry in log(40)) == 30


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "told"), [(Terminal(), "4096 records hashed"), (io.StringIO(), "")]
)
def test_progress_is_told_where_somebody_looks(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, told: str
) -> None:
    now = iter([0.0, 0.5, 1.5, 1.6])
    monkeypatch.setattr(audit_verify.time, "monotonic", lambda: next(now))

    progress = audit_verify.Progress(stream)
    for count in (1, 4096):
        progress("hashed", count)

    assert stream.getvalue().strip() == told
