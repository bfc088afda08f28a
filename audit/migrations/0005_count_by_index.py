"""On a large trail the index takes a while to be made, and nothing is recorded meanwhile."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


def create(apps, schema_editor):
    text = (SQL / f"{schema_editor.connection.vendor}_counting.sql").read_text()
    _run(schema_editor, text)


def drop(apps, schema_editor):
    _run(
        schema_editor,
        "DROP INDEX audit_event_action;"
        "CREATE INDEX audit_event_action ON audit_event (action, id);",
    )


def _run(schema_editor, text):
    """One by one: SQLite's driver runs one statement at a time."""
    for statement in text.split(";"):
        if statement.strip():
            schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_erase_on_record")]
    operations = [migrations.RunPython(create, drop)]
