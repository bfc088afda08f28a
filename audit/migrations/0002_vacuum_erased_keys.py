"""A key that was destroyed must not stay in a dead row until a twentieth of the table has changed."""

from django.db import migrations

_VACUUM = (
    "ALTER TABLE audit_subject SET"
    " (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0)"
)
_AS_BEFORE = (
    "ALTER TABLE audit_subject RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor)"
)


def _on_postgresql(statement):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_provable_trail")]
    operations = [migrations.RunPython(_on_postgresql(_VACUUM), _on_postgresql(_AS_BEFORE))]
