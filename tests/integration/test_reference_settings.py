"""The committed OpenAPI document is the one that the code gives."""

from pathlib import Path

from django.core.management import call_command

COMMITTED = Path(__file__).resolve().parents[2] / "docs/reference/openapi.yaml"


def test_the_committed_document_is_current(tmp_path: Path) -> None:
    current = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(current))
    assert current.read_text() == COMMITTED.read_text(), "`make schema` writes it anew"
