"""Each line of the standards names the test that holds it, or is said not to be answered yet."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from config.management.commands import conformance

ROWS = "| Q1 | X | 1 | Y |\n| Q2 | X | 1 | Y |\n"
TESTS = Path(__file__).resolve().parents[1]


def printed(part: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("conformance", part=part, stdout=out, stderr=err)
    except SystemExit as exit_:
        return int(str(exit_.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("part", ["A", "S", "Z"])
def test_every_line_of_this_part_has_its_test(part: str) -> None:
    code, out, err = printed(part)
    assert [line for line in out.splitlines() if "NO TEST" in line] == []
    assert (code, err) == (0, "")


def test_every_mark_is_for_a_line_that_there_is() -> None:
    lines = {row[0] for row in conformance._ROW.findall(conformance._STANDARDS.read_text())}
    assert conformance._held(TESTS).keys() <= lines


def test_a_line_that_no_test_holds_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    standards = tmp_path / "standards.md"
    standards.write_text("These are not answered yet: Q2.\n" + ROWS)
    monkeypatch.setattr(conformance, "_STANDARDS", standards)
    code, out, err = printed("Q")
    assert (code, err.strip()) == (1, "1 lines have no test.")
    assert "Q1   NO TEST" in out
    assert "Q2   not yet" in out


@pytest.mark.parametrize(
    ("outcome", "verdict"), [("passed", "passed"), ("failed", "FAILED"), (None, "not run")]
)
def test_a_line_tells_what_its_test_said_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outcome: str | None, verdict: str
) -> None:
    held = conformance._held(TESTS)["Z9"]
    outcomes = tmp_path / "conformance.json"
    outcomes.write_text(json.dumps(dict.fromkeys(held, outcome) if outcome else {}))
    monkeypatch.setattr(conformance, "_OUTCOMES", outcomes)
    assert printed("Z9")[1].startswith(f"Z9   {verdict}")
