"""Appending to the trail, on the connection of the unit of work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.domain.entry import Entry
from audit.repositories import cluster
from core.actions import Phase
from core.keys import KeyRing

COLUMNS: Final = (
    "id, phase, action, actor_ref, subject_ref, resource_type, resource_id, correlation, ip_bi,"
    " entry, mac"
)
INSERT: Final = f"INSERT INTO audit_event ({COLUMNS}) VALUES ({', '.join(['%s'] * 11)})"  # noqa: S608
# The triggers on protected tables look for this id when the transaction commits.
_INSERT_AND_MARK: Final = (
    f"WITH event AS ({INSERT} RETURNING id)"  # noqa: S608
    " SELECT set_config('dashtam.event', id::text, true) FROM event"
)


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
            run_prepared(connection, _INSERT_AND_MARK if marks else INSERT, values)
            return
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [as_stored(value) for value in values])


def mac_of(entry: bytes, keys: KeyRing) -> bytes:
    """Until an entry is sealed, this alone tells whether somebody with the database changed it."""
    return keys.mac(keys.current, b"audit.entry", entry)


def as_stored(value: object) -> Any:
    """As Django's UUIDField stores it on SQLite."""
    return value.hex if isinstance(value, UUID) else value


def run_prepared(
    connection: BaseDatabaseWrapper, statement: str, values: Sequence[object]
) -> list[tuple[Any, ...]]:
    """psycopg's own cursor: Django's puts the values into the text, which PostgreSQL then plans
    anew each time."""
    from psycopg import Cursor

    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(statement, values, prepare=True)
        return cursor.fetchall() if cursor.description else []
