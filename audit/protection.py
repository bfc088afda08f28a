"""The triggers that refuse a change of a protected row without an event of its own.

They are taken off before every migration and put back after it: PostgreSQL alters no column that
a trigger names, and SQLite makes a table anew to alter it, without its triggers. What a migration
that failed has left off is found by the check `audit.E001` (audit/checks.py).
"""

from typing import Any, Final

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from core.protection import IN_UNIT, protected


def install_triggers(sender: object, using: str, **_: Any) -> None:
    connection = connections[using]
    make = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    with connection.cursor() as cursor:
        for table in _tables(connection):
            for trigger, definition in make(connection, table, protected[table]).items():
                cursor.execute(_drop(connection, trigger, table))
                for statement in definition:
                    cursor.execute(statement)


def remove_triggers(sender: object, using: str, **_: Any) -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        for table in _tables(connection):
            for trigger in names_of(table):
                cursor.execute(_drop(connection, trigger, table))


_MOMENTS: Final = ("insert", "update", "delete")


def _tables(connection: BaseDatabaseWrapper) -> list[str]:
    return sorted(protected.keys() & set(connection.introspection.table_names()))


def names_of(table: str) -> list[str]:
    return [f"{table}_protected_{moment}" for moment in _MOMENTS]


def _drop(connection: BaseDatabaseWrapper, trigger: str, table: str) -> str:
    place = f" ON {table}" if connection.vendor == "postgresql" else ""
    return f"DROP TRIGGER IF EXISTS {trigger}{place}"


def _on_postgresql(
    connection: BaseDatabaseWrapper, table: str, columns: tuple[str, ...]
) -> dict[str, list[str]]:
    """Deferred: the event is the last statement of the transaction."""
    changed = _any_changed(connection, columns, "IS DISTINCT FROM")
    conditions = {"update": f"WHEN ({changed})"}
    return {
        trigger: [
            f"CREATE CONSTRAINT TRIGGER {trigger} AFTER {moment} ON {table}"
            f" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {conditions.get(moment, '')}"
            " EXECUTE FUNCTION audit_require_event()",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}",
        ]
        for moment, trigger in zip(_MOMENTS, names_of(table), strict=True)
    }


def _on_sqlite(
    connection: BaseDatabaseWrapper, table: str, columns: tuple[str, ...]
) -> dict[str, list[str]]:
    # A row that takes the rowid of another would replace it without a DELETE.
    changed = f"OLD.rowid IS NOT NEW.rowid OR {_any_changed(connection, columns, 'IS NOT')}"
    conditions = {"update": f"({changed}) AND"}
    refusal = f"of {table} without an event of its own on the audit trail"
    return {
        trigger: [
            f"CREATE TRIGGER {trigger} BEFORE {moment} ON {table}"
            f" WHEN {conditions.get(moment, '')} NOT {IN_UNIT}()"
            f" BEGIN SELECT RAISE(ABORT, '{moment} {refusal}'); END"
        ]
        for moment, trigger in zip(_MOMENTS, names_of(table), strict=True)
    }


def _any_changed(connection: BaseDatabaseWrapper, columns: tuple[str, ...], differs: str) -> str:
    quoted = map(connection.ops.quote_name, columns)
    return " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in quoted)
