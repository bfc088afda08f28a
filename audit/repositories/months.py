"""The partitions of the trail on PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connections

from audit.ports import Month
from audit.repositories.sealed import DjangoSealedLog

_PREFIX: Final = "audit_event_"
# Ids may be a day old when they are recorded: the month before this one is left alone, too.
_MONTHS: Final = r"""
    SELECT c.relname, substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''(.*)''\)')::uuid
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'audit_event'::regclass AND NOT i.inhdetachpending
        AND c.relname < %s
        AND right(c.relname, 7) < to_char(now() AT TIME ZONE 'UTC' - interval '1 month', 'YYYY_MM')
    ORDER BY c.relname
"""
_UNFINISHED: Final = """
    SELECT c.relname, coalesce(i.inhdetachpending, false) FROM pg_class c
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
        AND c.relname ~ '^audit_event_[0-9]{4}_[0-9]{2}$'
        AND (i.inhrelid IS NULL OR i.inhdetachpending)
    ORDER BY c.relname
"""
_AHEAD: Final = """
    SELECT count(*) FILTER (WHERE audit_make_partition(
        clock_timestamp() + ahead * interval '1 month')) FROM generate_series(0, 3) ahead
"""


def make_partitions(alias: str = "default") -> int:
    """Three months ahead; how many were missing."""
    if connections[alias].vendor != "postgresql":
        return 0
    with connections[alias].cursor() as database:
        database.execute("SET lock_timeout = '2s'")
        try:
            database.execute(_AHEAD)
            made: int = database.fetchone()[0]
        finally:
            database.execute("RESET lock_timeout")
    return made


@dataclass(frozen=True)
class PartitionedMonths:
    """As the owner of the tables: `owner` is the alias of that connection."""

    owner: str

    def finish(self, recorded: Sequence[str]) -> None:
        for table, pending in self._run(_UNFINISHED):
            if _name(table) not in recorded:  # somebody else's work
                continue
            if pending:
                self._run(f"ALTER TABLE audit_event DETACH PARTITION {table} FINALIZE")
            self._run(f"DROP TABLE {table}")

    def before(self, name: str) -> list[Month]:
        return [Month(_name(table), end) for table, end in self._run(_MONTHS, [_table(name)])]

    def ids(self, month: Month) -> set[UUID]:
        return {entry_id for (entry_id,) in self._run(f"SELECT id FROM {_table(month.name)}")}  # noqa: S608

    def leaves(self, ids: set[UUID]) -> dict[UUID, int]:
        """By what the tiles name, and not by what the rows say of their order."""
        leaves = DjangoSealedLog(self.owner).leaves()
        return {entry_id: leaf for leaf, entry_id in leaves if entry_id in ids}

    def drop(self, month: Month) -> None:
        """Writers of other months do not wait."""
        table = _table(month.name)
        self._run(f"ALTER TABLE audit_event DETACH PARTITION {table} CONCURRENTLY")
        self._run(f"DROP TABLE {table}")

    def _run(self, statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        with connections[self.owner].cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return rows


def _table(name: str) -> str:
    return _PREFIX + name.replace("-", "_")


def _name(table: str) -> str:
    return table.removeprefix(_PREFIX).replace("_", "-")
