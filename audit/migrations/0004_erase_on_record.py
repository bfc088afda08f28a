"""No key is destroyed without a record: not by the application's role either."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


def create(apps, schema_editor):
    text = (SQL / f"{schema_editor.connection.vendor}_erasing.sql").read_text()
    schema_editor.execute(text, params=None)


def drop(apps, schema_editor):
    place = " ON audit_subject" if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f"DROP TRIGGER audit_subject_needs_event{place}")


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_bind_names")]
    operations = [migrations.RunPython(create, drop)]
