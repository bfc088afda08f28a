"""Appending to the trail, on the connection of the unit of work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.domain.entry import Entry, mac_of
from audit.repositories import cluster
from core.actions import Phase
from core.keys import KeyRing

COLUMNS: Final = (
    "id, phase, action, actor_ref, subject_ref, resource_type, resource_id, correlation, ip_bi,"
    " entry, mac"
)
INSERT: Final = f"INSERT INTO audit_event ({COLUMNS}) VALUES ({', '.join(['%s'] * 11)})"  # noqa: S608
# A trigger of somebody else may swallow a row in silence.
_INSERT: Final = f"{INSERT} RETURNING 1"
# The triggers on protected tables look for this id when the transaction commits.
_INSERT_AND_MARK: Final = f"{INSERT} RETURNING set_config('dashtam.event', id::text, true)"


@dataclass(frozen=True)
class DjangoTrail:
    alias: str
    keys: KeyRing

    def append(self, entry: Entry) -> None:
        connection = connections[self.alias]
        cluster.refuse_another(connection)
        raw = entry.encoded()
        values = [*entry.projection, raw, mac_of(raw, self.keys)]
        if connection.vendor == "postgresql":
            marks = entry.phase is not Phase.ATTEMPTED
            recorded = run_prepared(connection, _INSERT_AND_MARK if marks else _INSERT, values)
        else:
            recorded = run_prepared(connection, _INSERT, list(map(as_stored, values)))
        if len(recorded) != 1:
            raise OperationalError("The database has swallowed a record.")


def as_stored(value: object) -> Any:
    """As Django's UUIDField stores it on SQLite."""
    return value.hex if isinstance(value, UUID) else value


def run_prepared(
    connection: BaseDatabaseWrapper, statement: str, values: Sequence[object]
) -> list[tuple[Any, ...]]:
    """By the driver's own cursor: Django's takes longer than SQLite, and puts the values into the
    text for PostgreSQL, which then plans it anew each time."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if connection.vendor == "sqlite":
            cursor = connection.connection.execute(statement.replace("%s", "?"), values)
        else:
            from psycopg import Cursor

            cursor = Cursor(connection.connection).execute(statement, values, prepare=True)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
        return rows
