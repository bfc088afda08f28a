"""The tables of the trail with their triggers, from `audit/sql/`: the same statements that an
auditor reads."""

import sqlite3
from pathlib import Path

import django.db.models
from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"
_TABLES = ("event", "tile", "frontier", "checkpoint", "anchor", "subject", "cluster")
_INDEXES = ("subject", "actor", "resource", "action")


def create(apps, schema_editor):
    _set_aside(schema_editor)
    vendor = schema_editor.connection.vendor
    text = (SQL / f"{vendor}.sql").read_text()
    for statement in [text] if vendor == "postgresql" else _statements(text):
        schema_editor.execute(statement, params=None)


def _statements(text):
    """One by one: SQLite's driver would commit the migration before it runs a script."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _set_aside(schema_editor):
    """Before it could be proved, the trail was one table under this name. It is kept, to read."""
    tables = schema_editor.connection.introspection.table_names()
    if "audit_event" not in tables:
        return
    schema_editor.execute("ALTER TABLE audit_event RENAME TO audit_event_before_sealing")
    for index in _INDEXES:
        schema_editor.execute(f"DROP INDEX audit_event_{index}")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE audit_event_before_sealing RENAME CONSTRAINT"
            " audit_event_pkey TO audit_event_before_sealing_pkey"
        )
        schema_editor.execute("DROP FUNCTION audit_require_event() CASCADE")
        schema_editor.execute(
            "ALTER FUNCTION audit_refuse_change() RENAME TO audit_refuse_change_before_sealing"
        )
        return
    for moment in ("replace", "update", "delete"):
        schema_editor.execute(f"DROP TRIGGER audit_event_no_{moment}")
    for moment in ("insert", "update", "delete"):
        schema_editor.execute(
            f"CREATE TRIGGER audit_before_sealing_no_{moment} BEFORE {moment}"
            " ON audit_event_before_sealing"
            " BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        )


def drop(apps, schema_editor):
    for table in _TABLES:
        schema_editor.execute(f"DROP TABLE IF EXISTS audit_{table}")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "DROP FUNCTION audit_refuse_change(), audit_accept(), audit_only_erase(),"
            " audit_require_event(), audit_make_partition(timestamptz), audit_id_at(timestamptz)"
            " CASCADE"
        )
        schema_editor.execute("DROP SEQUENCE audit_event_seq")


_UUID = {"editable": False, "primary_key": True, "serialize": False}


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunPython(create, drop),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[("id", django.db.models.UUIDField(**_UUID))],
            options={"db_table": "audit_event", "verbose_name": "event", "managed": False},
        ),
        migrations.CreateModel(
            name="AuditSubject",
            fields=[("ref", django.db.models.UUIDField(**_UUID))],
            options={"db_table": "audit_subject", "managed": False},
        ),
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                (
                    "size",
                    django.db.models.BigIntegerField(primary_key=True, serialize=False),
                )
            ],
            options={"db_table": "audit_checkpoint", "managed": False},
        ),
    ]
