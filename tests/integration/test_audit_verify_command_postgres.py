"""`manage.py audit_verify`: its options, its exit codes, and what it says."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import CommandError, call_command

from audit import wiring
from audit.adapters.verified import VerifiedFile
from audit.domain.checkpoint import SigningKey
from audit.management.commands.audit_verify import Command
from tests.sql_trail import SqlTrail
from tests.tampering import SIZE, deleted, entry, forged, resealed

pytestmark = pytest.mark.slow(reason="makes and seals six hundred entries")


class Answer(NamedTuple):
    code: object
    out: str
    err: str


@pytest.fixture
def trail(sealed_trail: SqlTrail, monkeypatch: pytest.MonkeyPatch) -> SqlTrail:
    monkeypatch.setattr(wiring, "key_folder", lambda: sealed_trail.keeper)
    return sealed_trail


def verify(*options: object) -> Answer:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("audit_verify", *map(str, options), stdout=out, stderr=err)
    except SystemExit as leaving:
        return Answer(leaving.code, out.getvalue(), err.getvalue())
    return Answer(0, out.getvalue(), err.getvalue())


class TestExitCodes:
    """Uses fixtures: trail."""

    @pytest.mark.parametrize(
        "options", [(), ("--full",), ("--since-last",), ("--sample", 20), ("--id", "")]
    )
    def test_0_is_in_order(self, trail: SqlTrail, options: tuple[object, ...]) -> None:
        told = verify(*(each or trail.ids[11] for each in options))
        assert told.code == 0
        assert told.out.startswith("In order. ")

    @pytest.mark.parametrize(
        "options", [(), ("--full",), ("--since-last",), ("--sample", SIZE), ("--id", "")]
    )
    def test_1_is_tampered_with(self, trail: SqlTrail, options: tuple[object, ...]) -> None:
        forged(11)(trail)
        told = verify(*(each or trail.ids[11] for each in options))
        assert told.code == 1
        assert told.out.startswith(f"leaf 11, event {trail.ids[11]}: altered: ")

    def test_2_is_not_sealed_yet(self, trail: SqlTrail) -> None:
        told = verify("--id", trail.ids[SIZE])
        assert told.code == 2
        assert told.out.startswith(f"not a leaf, event {trail.ids[SIZE]}: unsealed: ")

    def test_2_is_not_known(self, trail: SqlTrail) -> None:
        assert verify("--id", entry().id).code == 2

    def test_1_is_a_known_event_that_is_gone(self, trail: SqlTrail) -> None:
        deleted([11])(trail)
        assert verify("--id", trail.ids[11]).code == 1

    def test_1_is_another_history_than_a_kept_checkpoint_knows(
        self, trail: SqlTrail, tmp_path: Path
    ) -> None:
        kept = tmp_path / "kept"
        kept.write_text(trail.notes[0])
        assert verify("--checkpoint", kept).code == 0
        resealed(11)(trail)
        assert verify().code == 0
        assert verify("--checkpoint", kept).code == 1

    def test_1_is_another_history_than_the_file_outside_knows(self, trail: SqlTrail) -> None:
        note = trail.notes[0]
        resealed(11)(trail)
        trail.keeper.keep(note)
        told = verify()
        assert told.code == 1
        assert ": rewritten: " in told.out

    def test_3_is_a_trail_that_cannot_be_read(self, trail: SqlTrail) -> None:
        trail.execute("DROP TABLE audit_tile")
        told = verify()
        assert (told.code, told.out) == (3, "")
        assert told.err.startswith("Cannot read the trail: ")
        assert told.err.count("\n") == 1

    @pytest.mark.parametrize("option", ["--vkey", "--checkpoint"])
    def test_3_is_a_file_that_is_not_there(self, trail: SqlTrail, option: str) -> None:
        told = verify(option, "/nonexistent/file")
        assert told.code == 3
        assert told.err.startswith("Cannot begin: ")

    def test_3_is_a_checkpoint_that_nobody_signed(self, trail: SqlTrail, tmp_path: Path) -> None:
        kept, vkeys = tmp_path / "kept", tmp_path / "vkeys"
        kept.write_text(trail.notes[0])
        vkeys.write_text(SigningKey.generate("dashtam.test/audit").verifier_key.text())
        assert verify("--vkey", vkeys, "--checkpoint", kept).code == 3

    @pytest.mark.parametrize(
        "options",
        [
            ("--sample", "0"),
            ("--sample", "-1"),
            ("--sample", "many"),
            ("--sample",),
            ("--id", "7"),
            ("--full", "--since-last"),
            ("--sample", "5", "--since-last"),
            ("--what",),
            ("surplus",),
        ],
    )
    def test_3_is_wrong_usage_in_one_line(
        self, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
    ) -> None:
        with pytest.raises(SystemExit) as leaving:
            Command().run_from_argv(["manage.py", "audit_verify", *options])
        assert leaving.value.code == 3
        told = capsys.readouterr()
        assert (told.out, told.err.count("\n")) == ("", 1)
        assert told.err.startswith("Error: ")

    def test_and_to_a_program_an_error(self) -> None:
        with pytest.raises(CommandError, match="not allowed with"):
            call_command("audit_verify", "--full", "--since-last")

    @pytest.mark.parametrize("option", [("--sample", "5"), ("--id", "")])
    def test_3_is_a_checkpoint_beside_a_few_leaves(
        self, trail: SqlTrail, option: tuple[str, str], tmp_path: Path
    ) -> None:
        (tmp_path / "kept").write_text(trail.notes[0])
        name, value = option
        told = verify(name, value or trail.ids[0], "--checkpoint", tmp_path / "kept")
        assert (told.code, told.err.count("\n")) == (3, 1)


class TestWhatItSays:
    """Uses fixtures: trail."""

    @pytest.mark.parametrize(
        ("options", "checked"), [((), SIZE), (("--since-last",), SIZE), (("--sample", 7), 7)]
    )
    def test_machines_get_one_object(
        self, trail: SqlTrail, options: tuple[object, ...], checked: int
    ) -> None:
        told = json.loads(verify("--json", *options).out)
        root = trail.checkpoints[-1].root.hex()
        assert told == {"exit": 0, "checked": checked, "size": SIZE, "root": root, "findings": []}

    def test_machines_get_every_finding(self, trail: SqlTrail) -> None:
        forged(11)(trail)
        told = json.loads(verify("--json", "--id", trail.ids[11]).out)
        (found,) = told["findings"]
        assert (told["exit"], found["kind"], found["leaf"]) == (1, "altered", 11)
        assert found["id"] == str(trail.ids[11])

    def test_people_get_the_first_hundred(self, trail: SqlTrail) -> None:
        deleted(range(200))(trail)
        lines = verify().out.splitlines()
        assert lines[0].startswith("leaf 0, ")
        assert lines[100].startswith("… and 10")
        assert lines[-1].startswith("TAMPERED WITH: ")

    def test_nothing_moves_where_nobody_looks(self, trail: SqlTrail) -> None:
        assert verify("--full").err == ""

    def test_the_help_shows_the_exit_codes_and_examples(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as leaving:
            Command().run_from_argv(["manage.py", "audit_verify", "--help"])
        assert leaving.value.code == 0
        told = capsys.readouterr().out
        assert "\n  1  tampered with\n" in told
        assert "\n  manage.py audit_verify --since-last  " in told


class TestSinceLast:
    """Uses fixtures: trail."""

    def test_the_first_time_it_says_that_all_is_read(self, trail: SqlTrail) -> None:
        told = verify("--since-last")
        assert told.err.startswith("All is read: no verification has left ")
        assert f"Checked: {SIZE}," in told.out

    @pytest.mark.parametrize("first", ["--full", "--since-last"])
    def test_the_next_time_it_reads_what_is_new(self, trail: SqlTrail, first: str) -> None:
        verify(first)
        trail.seal(100)
        told = verify("--since-last")
        assert (told.code, told.err) == (0, "")
        assert f"Checked: 1, sealed: {SIZE + 1}," in told.out

    def test_and_then_nothing(self, trail: SqlTrail) -> None:
        verify()
        assert "Checked: 0," in verify("--since-last").out

    def test_where_something_was_found_the_next_begins_where_this_one_did(
        self, trail: SqlTrail
    ) -> None:
        forged(11)(trail)
        verify("--since-last")
        assert verified(trail).read() is None

    def test_a_few_leaves_are_not_all(self, trail: SqlTrail) -> None:
        verify("--sample", SIZE)
        assert verified(trail).read() is None

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda text: "",
            lambda text: "[]",
            lambda text: text[:-20],
            lambda text: text.replace('"size": 600', '"size": 601'),
            lambda text: text.replace('"root": "', '"root": "00'),
            lambda text: text.replace('"edge": "W', '"edge": "X'),
            lambda text: text.replace("/v1", "/v2"),
        ],
    )
    def test_a_spoilt_file_is_told_and_all_is_read(
        self, trail: SqlTrail, spoil: Callable[[str], str]
    ) -> None:
        verify()
        path = verified(trail).path
        before = path.read_text()
        path.write_text(spoil(before))
        assert path.read_text() != before
        told = verify("--since-last")
        assert told.err.startswith("All is read: ")
        assert f"Checked: {SIZE}," in told.out
        assert path.read_text() != spoil(before)

    def test_who_may_not_write_the_file_verifies_all_the_same(
        self, trail: SqlTrail, tmp_path: Path
    ) -> None:
        (tmp_path / "audit" / "verified").mkdir()
        told = verify()
        assert told.code == 0
        assert told.err.startswith("The next --since-last begins where this one did: ")

    def test_the_file_is_whole_or_not_there(self, trail: SqlTrail, tmp_path: Path) -> None:
        verify()
        assert sorted(path.name for path in (tmp_path / "audit").iterdir()) == [
            "checkpoint",
            "signing-key",
            "verified",
            "vkeys",
        ]


def verified(trail: SqlTrail) -> VerifiedFile:
    return VerifiedFile(trail.keeper.path)
