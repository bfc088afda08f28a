"""The partitions of the trail on PostgreSQL, as the owner of its tables."""

import json
from dataclasses import dataclass
from typing import Any, Final

from django.db import connections

from audit.ports import Month
from audit.repositories.sealed import DjangoSealedLog
from core.actions import AuditAction

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
_UNSEALED: Final = """
    SELECT count(*) FROM {table} e, audit_frontier f
    WHERE (e.epoch, e.xid, e.seq) > (f.cursor_epoch, f.cursor_xid::text::xid8, f.cursor_seq)
"""


@dataclass(frozen=True)
class PartitionedMonths:
    """`owner` is the alias of the owner's connection."""

    owner: str

    def finish(self) -> None:
        recorded = {_table(event["month"]) for event in self._pruned()}
        for table, pending in self._run(_UNFINISHED):
            if table not in recorded:  # somebody else's work
                continue
            if pending:
                self._run(f"ALTER TABLE audit_event DETACH PARTITION {table} FINALIZE")
            self._run(f"DROP TABLE {table}")

    def before(self, name: str) -> list[Month]:
        return [
            Month(table.removeprefix(_PREFIX).replace("_", "-"), end)
            for table, end in self._run(_MONTHS, [_table(name)])
        ]

    def unsealed(self, month: Month) -> int:
        [(count,)] = self._run(_UNSEALED.format(table=_table(month.name)))
        return int(count)

    def pruned_leaves(self) -> int:
        return max((int(event["last"]) for event in self._pruned()), default=0)

    def end_of(self, month: Month) -> int:
        found = self._run(
            f"SELECT id FROM {_table(month.name)} ORDER BY epoch DESC, xid DESC, seq DESC LIMIT 1"  # noqa: S608
        )
        leaf = DjangoSealedLog(self.owner).leaf_of(found[0][0]) if found else None
        return 0 if leaf is None else leaf + 1

    def drop(self, month: Month) -> None:
        """Writers of other months do not wait."""
        table = _table(month.name)
        self._run(f"ALTER TABLE audit_event DETACH PARTITION {table} CONCURRENTLY")
        self._run(f"DROP TABLE {table}")

    def _pruned(self) -> list[dict[str, Any]]:
        found = self._run(
            "SELECT entry FROM audit_event WHERE action = %s", [AuditAction.AUDIT_PRUNED]
        )
        return [json.loads(bytes(entry))["ctx"] for (entry,) in found]

    def _run(self, statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        with connections[self.owner].cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return rows


def _table(name: str) -> str:
    return _PREFIX + name.replace("-", "_")
