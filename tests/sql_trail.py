"""The trail to tamper with in a database: on PostgreSQL and on SQLite."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections

from audit.adapters.keys import KeyFolder
from audit.domain.checkpoint import Checkpoint
from audit.domain.entry import Entry, mac_of, sole_id
from audit.repositories.evidence import DjangoEvidence
from audit.repositories.sealed import DjangoSealedLog
from audit.repositories.trail import COLUMNS, as_stored
from core import container
from core.keys import KeyRing
from tests.tampering import Change, Trail

_MARKS = ", ".join(["%s"] * 11)


@dataclass
class SqlTrail(Trail):
    alias: str

    @classmethod
    def sealed(cls, alias: str, keeper: KeyFolder) -> "SqlTrail":
        trail = cls(keeper, [], [], alias)
        trail.begin()
        return trail

    @property
    def mac_keys(self) -> KeyRing:
        return container.get_settings().audit_keys

    def log(self) -> DjangoSealedLog:
        return DjangoSealedLog(self.alias)

    def evidence(self) -> DjangoEvidence:
        return DjangoEvidence(self.alias)

    def insert(self, *made: Entry) -> None:
        """On PostgreSQL as if each were of a transaction long past."""
        columns, marks = COLUMNS, _MARKS
        if self.is_postgresql:
            self.execute("SET LOCAL session_replication_role = replica")
            columns, marks = f"{COLUMNS}, xid", f"{_MARKS}, %s::text::xid8"
        statement = f"INSERT INTO audit_event ({columns}) VALUES ({marks})"
        with self._connection.cursor() as cursor:
            cursor.executemany(statement, list(map(self._row, made)))
        if self.is_postgresql:
            self.execute("SET LOCAL session_replication_role = origin")

    def value(self, leaf: int, column: str) -> Any:
        found = self.execute(f"SELECT {column} FROM audit_event WHERE id = %s", self.ids[leaf])
        return found[0][0]

    def put(self, leaf: int, column: str, value: Any) -> None:
        self.put_of(self.ids[leaf], column, value)

    def put_of(self, entry_id: UUID, column: str, value: Any) -> None:
        self.execute(f"UPDATE audit_event SET {column} = %s WHERE id = %s", value, entry_id)

    def remove(self, *leaves: int) -> None:
        for leaf in leaves:
            self.execute("DELETE FROM audit_event WHERE id = %s", self.ids[leaf])

    def change_tile(self, kind: int, level: int, index: int, act: Change) -> None:
        where = f"kind = {kind} AND level = {level} AND idx = {index}"
        self._change("audit_tile", "data", where, lambda data: act(bytes(data)))

    def remove_tiles(self, *, kind: int | None = None, level: int = 0, index: int = 0) -> None:
        if kind is None:
            self.execute("DELETE FROM audit_tile")
            return
        self.execute(
            "DELETE FROM audit_tile WHERE kind = %s AND level = %s AND idx = %s", kind, level, index
        )

    def repeat_tiles(self, index: int, at: int) -> None:
        self.execute(
            f"INSERT INTO audit_tile SELECT kind, level, {at}, data FROM audit_tile"
            " WHERE level = 0 AND idx = %s",
            index,
        )

    def change_checkpoint(self, size: int, column: str, act: Callable[[Any], Any]) -> None:
        self._change("audit_checkpoint", column, f"size = {size}", act)

    def remove_checkpoints(self, *sizes: int) -> None:
        if not sizes:
            self.execute("DELETE FROM audit_checkpoint")
        for size in sizes:
            self.execute("DELETE FROM audit_checkpoint WHERE size = %s", size)

    def add_checkpoint(self, signed: Checkpoint, note: str) -> None:
        self.execute(
            "INSERT INTO audit_checkpoint (size, root, note, first_id, last_id)"
            " VALUES (%s, %s, %s, %s, %s)",
            *(signed.size, signed.root, note, sole_id(), sole_id()),
        )

    def change_edge(self, column: str, act: Callable[[Any], Any]) -> None:
        self._change("audit_frontier", column, "id = 1", act)

    def remove_edge(self) -> None:
        self.execute("DELETE FROM audit_frontier")

    def lose_the_file(self) -> None:
        (self.keeper.path / "checkpoint").unlink()

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        stored = [value if self.is_postgresql else as_stored(value) for value in values]
        with self._connection.cursor() as cursor:
            cursor.execute(statement, stored)
            return cursor.fetchall() if cursor.description else []

    @property
    def is_postgresql(self) -> bool:
        return bool(self._connection.vendor == "postgresql")

    def _change(self, table: str, column: str, where: str, act: Callable[[Any], Any]) -> None:
        ((value,),) = self.execute(f"SELECT {column} FROM {table} WHERE {where}")
        value = bytes(value) if isinstance(value, memoryview) else value
        self.execute(f"UPDATE {table} SET {column} = %s WHERE {where}", act(value))

    def _row(self, made: Entry) -> list[Any]:
        raw = made.encoded()
        row = [*made.projection, raw, mac_of(raw, self.mac_keys)]
        return [*row, "3"] if self.is_postgresql else [as_stored(value) for value in row]

    @property
    def _connection(self) -> Any:
        return connections[self.alias]


def emptied_on_postgresql() -> None:
    """Within a transaction that will be rolled back; the triggers of the trail are off then."""
    with connections["default"].cursor() as cursor:
        emptied = ("audit_event", "audit_tile", "audit_checkpoint", "audit_subject")
        for table in (*emptied, "audit_frontier"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for table in emptied:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute(
            "UPDATE audit_frontier SET size = 0, partials = '', partial_ids = '',"
            " cursor_epoch = 0, cursor_xid = 0, cursor_seq = 0"
        )
