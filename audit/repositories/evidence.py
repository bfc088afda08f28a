"""The trail as it stands in the database, to be verified."""

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connections, transaction

from audit.domain.entry import Projection
from audit.domain.log import Cursor
from audit.ports import Stored
from audit.repositories.attempts import OUTCOME
from audit.repositories.sealed import DjangoSealedLog
from core.ids import first_id_since

_COLUMNS: Final = (
    "id, phase, action, actor_ref, subject_ref, resource_type, resource_id, correlation, ip_bi,"
    " recorded_at, entry, mac"
)
_CURSOR: Final = {"postgresql": "epoch, xid::text::bigint, seq", "sqlite": "0, 0, seq"}
_BEHIND: Final = {
    "postgresql": "(epoch, xid, seq) > (%s, %s::text::xid8, %s)",
    "sqlite": "(0, 0, seq) > (%s, %s, %s)",
}
_ATTEMPT: Final = {
    "postgresql": "(left(o.id::text, 35) || translate(right(o.id::text, 1), '159d', '048c'))::uuid",
    "sqlite": "substr(o.id, 1, 31) || substr('0-4-8-c-', instr('1-5-9-d-', substr(o.id, 32)), 1)",
}
_PIECE: Final = 2000


@dataclass
class DjangoEvidence(DjangoSealedLog):
    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is written meanwhile belongs to the next verification."""
        with transaction.atomic(using=self.alias):
            if self._is_postgresql and len(self._connection.atomic_blocks) == 1:
                with self._connection.cursor() as database:
                    database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield

    def checkpoints(self, since: int) -> Iterator[tuple[int, bytes, str]]:
        for size, root, note in self._all(
            "SELECT size, root, note FROM audit_checkpoint WHERE size > %s ORDER BY size", [since]
        ):
            yield size, bytes(root), note

    def rows(self, ids: Sequence[UUID]) -> Mapping[UUID, Stored]:
        found: dict[UUID, Stored] = {}
        for at in range(0, len(ids), _PIECE):
            piece = [self._stored(entry_id) for entry_id in ids[at : at + _PIECE]]
            for row in self._rows(f"id IN ({', '.join(['%s'] * len(piece))})", piece):
                found[row.columns.id] = row
        return found

    def rows_behind(self, cursor: Cursor, known: Container[UUID]) -> Iterator[Stored]:
        vendor = self._connection.vendor
        ids = self._all(f"SELECT id FROM audit_event WHERE {_BEHIND[vendor]}", list(cursor))  # noqa: S608
        unknown = [entry_id for (raw,) in ids if (entry_id := _uuid(raw)) not in known]
        yield from self.rows([each for each in unknown if each]).values()

    def orphans(self, since: Cursor) -> Iterator[UUID]:
        vendor = self._connection.vendor
        for (raw,) in self._all(
            f"SELECT o.id FROM audit_event o WHERE o.phase IN (2, 3, 4) AND {_BEHIND[vendor]}"  # noqa: S608
            f" AND NOT EXISTS (SELECT 1 FROM audit_event a WHERE a.id = {_ATTEMPT[vendor]})",
            list(since),
        ):
            yield UUID(str(raw))

    def open_attempts(self, patience: timedelta) -> Iterator[UUID]:
        for (raw,) in self._all(
            "SELECT a.id FROM audit_event a WHERE a.phase = 1 AND a.id < %s AND NOT EXISTS"  # noqa: S608
            f" (SELECT 1 FROM audit_event o WHERE o.id = {OUTCOME[self._connection.vendor]})",
            [self._stored(first_id_since(patience))],
        ):
            yield UUID(str(raw))

    def _rows(self, condition: str, values: list[Any]) -> Iterator[Stored]:
        cursor = _CURSOR[self._connection.vendor]
        for row in self._all(
            f"SELECT {_COLUMNS}, {cursor} FROM audit_event WHERE {condition}",  # noqa: S608
            values,
        ):
            yield Stored(
                Projection(
                    UUID(str(row[0])),
                    row[1],
                    row[2],
                    _uuid(row[3]),
                    _uuid(row[4]),
                    row[5],
                    _uuid(row[6]),
                    UUID(str(row[7])),
                    _raw(row[8]) if row[8] is not None else None,
                ),
                Cursor(*row[12:]),
                _moment(row[9]),
                _raw(row[10]),
                _raw(row[11]),
            )

    def _all(self, statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
        with connections[self.alias].cursor() as database:
            database.execute(statement, values)
            rows: list[tuple[Any, ...]] = database.fetchall()
            return rows


def _uuid(value: UUID | str | None) -> UUID | None:
    return value if value is None or isinstance(value, UUID) else UUID(value)


def _moment(value: datetime | str) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # SQLite keeps no zone


def _raw(value: Any) -> bytes:
    """SQLite lets anybody put text where bytes belong."""
    return value.encode() if isinstance(value, str) else bytes(value)
