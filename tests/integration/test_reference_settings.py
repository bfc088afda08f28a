"""The reference pages that are committed are those that the code gives."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from core.errors import ErrorCode
from tests import faulting

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = DOCS / "reference"
HINT = "`make schema` writes it anew"


def test_the_committed_schema_is_current(tmp_path: Path) -> None:
    current = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(current))
    assert current.read_text() == (DOCS / "openapi.yaml").read_text(), HINT


@pytest.mark.parametrize(
    ("command", "page"), [("audit_events", "events.md"), ("error_codes", "errors.md")]
)
def test_the_committed_catalogues_are_current(command: str, page: str) -> None:
    current = StringIO()
    call_command(command, stdout=current)
    assert current.getvalue() == (REFERENCE / page).read_text(), HINT


def test_each_error_code_has_a_row() -> None:
    rows = (REFERENCE / "errors.md").read_text()
    assert [code for code in ErrorCode if f"\n| `{code}` | " not in rows] == []


def test_the_committed_table_of_faults_is_current() -> None:
    assert faulting.page() == (REFERENCE / "faults.md").read_text(), HINT
