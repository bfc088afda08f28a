"""The reference pages that are committed are those that the code gives."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command

from tests import faulting

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = DOCS / "reference"
HINT = "`make schema` writes it anew"


def test_the_committed_schema_is_current(tmp_path: Path) -> None:
    current = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(current))
    assert current.read_text() == (DOCS / "openapi.yaml").read_text(), HINT


def test_the_committed_catalogue_of_events_is_current() -> None:
    current = StringIO()
    call_command("audit_events", stdout=current)
    assert current.getvalue() == (REFERENCE / "events.md").read_text(), HINT


def test_the_committed_table_of_faults_is_current() -> None:
    assert faulting.page() == (REFERENCE / "faults.md").read_text(), HINT
