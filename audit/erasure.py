"""Keys that are destroyed, in the database."""

from dataclasses import dataclass
from typing import Any

from django.db import connections

from core.database import Database


@dataclass(frozen=True)
class DjangoErasableSubjects:
    database: Database

    def knows(self, name: str) -> bool:
        return bool(self._run("SELECT 1 FROM audit_subject WHERE name = %s", [name]))

    def before(self, name: str) -> list[str]:
        kind = name.partition(":")[0]
        found = self._run(
            "SELECT name FROM audit_subject WHERE name LIKE %s AND name < %s ORDER BY name",
            [f"{kind}:%", name],
        )
        return [row[0] for row in found]

    def erase(self, name: str) -> bool:
        self.database.write()
        return bool(
            self._run(
                "UPDATE audit_subject SET name = NULL, key_wrapped = NULL,"
                " erased_at = CURRENT_TIMESTAMP WHERE name = %s RETURNING ref",
                [name],
            )
        )

    def _run(self, statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
        with connections[self.database.alias].cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
