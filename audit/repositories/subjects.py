"""Pseudonyms and their keys, in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections

from audit.domain.subject import Subject
from audit.repositories import cluster
from audit.repositories.trail import run_prepared
from core import unit_of_work
from core.database import Database
from core.keys import KeyRing


@dataclass(frozen=True)
class DjangoSubjects:
    """Read anew for each event: a key that was destroyed must not live on in a cache."""

    alias: str
    keys: KeyRing

    def named(self, *names: str) -> Mapping[str, Subject]:
        found = self._read(names)
        if missing := [name for name in names if name not in found]:
            for name in missing:
                self._make(name)
            found |= self._read(missing)
        return found

    def _read(self, names: Sequence[str]) -> dict[str, Subject]:
        connection = connections[self.alias]
        select = "SELECT name, ref, key_wrapped FROM audit_subject WHERE name"
        if connection.vendor == "postgresql":
            rows = run_prepared(connection, f"{select} = ANY(%s)", [list(names)])
        else:
            marks = ", ".join(["%s"] * len(names))
            found = run_prepared(connection, f"{select} IN ({marks})", names)
            rows = [(name, UUID(ref), wrapped) for name, ref, wrapped in found]
        return {
            name: Subject.unwrapped(ref, name, bytes(wrapped), self.keys)
            for name, ref, wrapped in rows
        }

    def _make(self, name: str) -> None:
        """Whoever is second finds the first one's."""
        connection = connections[self.alias]
        cluster.refuse_another(connection)
        subject = Subject.new()
        with connection.cursor() as cursor:
            cursor.execute(
                # Not ON CONFLICT alone: SQLite's trigger refuses a second row before it.
                "INSERT INTO audit_subject (ref, name, key_wrapped) SELECT %s, %s, %s"
                " WHERE NOT EXISTS (SELECT 1 FROM audit_subject WHERE name = %s)"
                " ON CONFLICT (name) DO NOTHING",
                [
                    subject.ref if connection.vendor == "postgresql" else subject.ref.hex,
                    name,
                    subject.wrapped(name, self.keys),
                    name,
                ],
            )


@dataclass(frozen=True)
class DjangoErasableSubjects:
    database: Database

    def knows(self, name: str) -> bool:
        return bool(self._run("SELECT 1 FROM audit_subject WHERE name = %s", [name]))

    def before(self, name: str) -> list[tuple[str, UUID]]:
        kind = name.partition(":")[0]
        found = self._run(
            "SELECT name, ref FROM audit_subject WHERE name LIKE %s AND name < %s ORDER BY name",
            [f"{kind}:%", name],
        )
        return [(found_name, UUID(str(ref))) for found_name, ref in found]

    def erase(self, name: str) -> bool:
        self.database.write()
        if self._is_sqlite:
            # Else the key would stay where it was until something is written over it.
            self._run("PRAGMA secure_delete = ON", [])
            unit_of_work.current().after_commit(self._empty_the_log)
        return bool(
            self._run(
                "UPDATE audit_subject SET name = NULL, key_wrapped = NULL,"
                " erased_at = CURRENT_TIMESTAMP WHERE name = %s RETURNING ref",
                [name],
            )
        )

    def _empty_the_log(self) -> None:
        """Where the old row still stands. PostgreSQL vacuums the table by itself, at once."""
        self._run("PRAGMA wal_checkpoint(TRUNCATE)", [])

    @property
    def _is_sqlite(self) -> bool:
        return bool(connections[self.database.alias].vendor == "sqlite")

    def _run(self, statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
        with connections[self.database.alias].cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
