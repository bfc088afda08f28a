"""The triggers that refuse a change of a protected row without an event of its own.

They are put in place after every migration: SQLite makes a table anew to alter it, and a trigger
would be lost without a word.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from core.protection import IN_UNIT, protected


def install_triggers(sender: object, using: str, **_: Any) -> None:
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    make = {"postgresql": _on_postgresql, "sqlite": _on_sqlite}[connection.vendor]
    with connection.cursor() as cursor:
        for table in tables & protected.keys():
            for statement in make(connection, table, protected[table]):
                cursor.execute(statement)


def _on_postgresql(
    connection: BaseDatabaseWrapper, table: str, columns: tuple[str, ...]
) -> list[str]:
    """Deferred: the event is the last statement of the transaction."""
    changed = _any_changed(connection, columns, "IS DISTINCT FROM")
    moments = {"row": "INSERT OR DELETE", "change": "UPDATE"}
    conditions = {"row": "", "change": f"WHEN ({changed})"}
    statements = []
    for name, moment in moments.items():
        trigger = f"{table}_protected_{name}"
        statements += [
            f"DROP TRIGGER IF EXISTS {trigger} ON {table}",
            f"CREATE CONSTRAINT TRIGGER {trigger} AFTER {moment} ON {table}"
            f" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {conditions[name]}"
            " EXECUTE FUNCTION audit_require_event()",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}",
        ]
    return statements


def _on_sqlite(connection: BaseDatabaseWrapper, table: str, columns: tuple[str, ...]) -> list[str]:
    changed = _any_changed(connection, columns, "IS NOT")
    # A row that takes the rowid of another would replace it without a DELETE.
    changed = f"OLD.rowid IS NOT NEW.rowid OR {changed}"
    conditions = {"INSERT": "", "DELETE": "", "UPDATE": f"({changed}) AND"}
    statements = []
    for moment, condition in conditions.items():
        trigger = f"{table}_protected_{moment.lower()}"
        refusal = f"{moment} of {table} without an event of its own on the audit trail"
        statements += [
            f"DROP TRIGGER IF EXISTS {trigger}",
            f"CREATE TRIGGER {trigger} BEFORE {moment} ON {table} WHEN {condition} NOT {IN_UNIT}()"
            f" BEGIN SELECT RAISE(ABORT, '{refusal}'); END",
        ]
    return statements


def _any_changed(connection: BaseDatabaseWrapper, columns: tuple[str, ...], differs: str) -> str:
    quoted = map(connection.ops.quote_name, columns)
    return " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in quoted)
