"""The trail as it stands in the database, to be verified."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from audit.domain.findings import BEFORE_ALL
from audit.domain.log import ID_BYTES, Cursor, Frontier
from audit.domain.merkle import TILE_WIDTH, Edge
from audit.ports import Stored, StoredCheckpoint
from audit.repositories.attempts import OUTCOME
from audit.repositories.sealed import _HASHES, _IDS, DjangoSealedLog
from core.actions import AuditAction
from core.ids import first_id_since

_PIECE: Final = 2000
_numbers: Final = count()
_ROWS_AT_ONCE: Final = 4096


def _hyphenated(column: str) -> str:
    """On SQLite ids have none."""
    parts = ((1, 8), (9, 4), (13, 4), (17, 4))
    cut = " || '-' || ".join(f"substr({column}, {at}, {width})" for at, width in parts)
    return _of_type("text", column, f"{cut} || '-' || substr({column}, 21)")


def _of_type(name: str, column: str, read: str) -> str:
    """What SQLite has stored in another type looks the same, and no search finds it any more."""
    return f"CASE typeof({column}) WHEN '{name}' THEN {read} WHEN 'null' THEN NULL ELSE '?' END"


# As `Stored` has them. What SQLite has as a moment would be parsed, and be refused if it is none.
_ROWS: Final = {
    "postgresql": """
        SELECT coalesce(e.id::text, ''), e.phase, e.action, e.actor_ref::text, e.subject_ref::text,
            e.resource_type, e.resource_id::text, e.correlation::text, encode(e.ip_bi, 'hex'),
            CASE WHEN e.recorded_at BETWEEN '0002-01-01Z' AND '9999-01-01Z' THEN e.recorded_at END,
            coalesce(e.entry, ''), coalesce(e.mac, ''), coalesce(e.epoch, -32768),
            least(coalesce(e.xid, '0')::text::numeric, 9223372036854775807)::bigint,
            coalesce(e.seq, -9223372036854775808) FROM audit_event e
    """,
    "sqlite": f"""
        SELECT {_hyphenated("e.id")}, e.phase, e.action, {_hyphenated("e.actor_ref")},
            {_hyphenated("e.subject_ref")}, e.resource_type, {_hyphenated("e.resource_id")},
            {_hyphenated("e.correlation")},
            {_of_type("blob", "e.ip_bi", "lower(hex(e.ip_bi))")}, e.recorded_at || '',
            CAST(e.entry AS blob), CAST(e.mac AS blob), 0, 0, e.seq FROM audit_event e
    """,  # noqa: S608
}
_BEHIND: Final = {
    "postgresql": "(epoch, xid, seq) > (%s, %s::text::xid8, %s)",
    "sqlite": "%s <= 0 AND %s = 0 AND seq > %s",
}
# Qualified: ORDER BY would take the output column of that name, and sort the whole table.
_ORDER: Final = {"postgresql": "e.epoch, e.xid, e.seq", "sqlite": "e.seq"}
_ATTEMPT: Final = {
    "postgresql": "(left(o.id::text, 35) || translate(right(o.id::text, 1), '159d', '048c'))::uuid",
    "sqlite": "substr(o.id, 1, 31) || substr('0-4-8-c-', instr('1-5-9-d-', substr(o.id, 32)), 1)",
}
_NAMES: Final = {"postgresql": "position(%s IN data) > 0", "sqlite": "instr(data, %s) > 0"}
_MOMENT: Final = Stored._fields.index("recorded_at")
_NO_MOMENT: Final = datetime.min.replace(tzinfo=UTC)


@dataclass
class DjangoEvidence(DjangoSealedLog):
    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is written meanwhile belongs to the next verification."""
        with transaction.atomic(using=self.alias):
            if self._is_postgresql and len(self._connection.atomic_blocks) == 1:
                with self._connection.cursor() as database:
                    database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            with self._any_text():
                yield

    @contextmanager
    def _any_text(self) -> Iterator[None]:
        """SQLite takes any bytes for text; what is no UTF-8 must not stop the reading."""
        if self._is_postgresql:
            yield
            return
        connection = self._connection.connection
        usual = connection.text_factory
        connection.text_factory = _escaped
        try:
            yield
        finally:
            connection.text_factory = usual

    def frontier(self) -> Frontier:
        if self._one("SELECT 1 FROM audit_frontier WHERE id = 1") is None:
            return Frontier(Edge.empty(), b"", Cursor(0, 0, 0))
        return super().frontier()

    def checkpoints(self, since: int) -> Iterator[StoredCheckpoint]:
        texts = "first_id::text, last_id::text"
        if not self._is_postgresql:
            texts = f"{_hyphenated('first_id')}, {_hyphenated('last_id')}"
        for size, root, note, first_id, last_id in self._stream(
            f"SELECT size, root, note, {texts} FROM audit_checkpoint c"  # noqa: S608
            " WHERE size > %s ORDER BY c.size",
            [since],
        ):
            yield StoredCheckpoint(size, bytes(root), note, first_id, last_id)

    def whole_tile(self, level: int, index: int) -> bytes:
        return self._read(_HASHES, level, index)

    def leaf_tiles(self, first: int, last: int) -> Mapping[int, tuple[bytes, bytes]]:
        found: dict[int, tuple[bytes, bytes]] = {}
        for kind, index, data in self._all(
            "SELECT kind, idx, data FROM audit_tile WHERE level = 0 AND idx BETWEEN %s AND %s"
            " AND kind IN (0, 1)",
            [first, last],
        ):
            hashes, ids = found.get(index, (b"", b""))
            found[index] = (hashes, bytes(data)) if kind == _IDS else (bytes(data), ids)
        return found

    def last_tiles(self) -> Iterator[tuple[bool, int, int]]:
        for kind, level, index in self._all(
            "SELECT kind, level, max(idx) FROM audit_tile GROUP BY kind, level", []
        ):
            yield kind == _IDS, level, index

    def leaves_naming(self, ids: Collection[UUID]) -> Mapping[UUID, list[int]]:
        found: dict[UUID, list[int]] = {}
        for entry_id in ids:
            for index, raw in self._tiles_naming(entry_id):
                places = [
                    at for at in range(0, len(raw), ID_BYTES) if raw.startswith(entry_id.bytes, at)
                ]
                leaves = [index * TILE_WIDTH + at // ID_BYTES for at in places]
                found.setdefault(entry_id, []).extend(leaves)
        return found

    def subjects(self) -> Iterator[tuple[UUID, str | None, bytes | None]]:
        for ref, name, wrapped in self._stream(
            "SELECT ref, name, key_wrapped FROM audit_subject ORDER BY ref", []
        ):
            yield UUID(str(ref)), name, bytes(wrapped) if wrapped is not None else None

    def erased_refs(self) -> Set[UUID] | None:
        refs: set[UUID] = set()
        for action, entry in self._all(
            "SELECT action, entry FROM audit_event WHERE action IN (%s, %s)",
            [AuditAction.AUDIT_SUBJECT_ERASED.value, AuditAction.AUDIT_PRUNED.value],
        ):
            if action == AuditAction.AUDIT_PRUNED:
                return None
            refs |= _erased_by(entry)
        return refs

    def _tiles_naming(self, entry_id: UUID) -> Iterator[tuple[int, bytes]]:
        where = _NAMES[self._connection.vendor]
        statement = f"SELECT idx, data FROM audit_tile WHERE kind = 1 AND level = 0 AND {where}"  # noqa: S608
        for index, data in self._all(statement, [entry_id.bytes]):
            yield index, bytes(data)
        frontier = self.frontier()
        yield frontier.size // TILE_WIDTH, frontier.ids

    def rows(self, ids: Sequence[UUID]) -> Mapping[UUID, Stored]:
        found: dict[UUID, Stored] = {}
        for at in range(0, len(ids), _PIECE):
            piece = [self._stored(entry_id) for entry_id in ids[at : at + _PIECE]]
            marks = ", ".join(["%s"] * len(piece))
            for row in self._all(f"{self._select} WHERE id IN ({marks})", piece):
                stored = _stored_row(row)
                found[UUID(stored.id)] = stored
        return found

    def rows_of(self, action: str) -> Sequence[Stored]:
        found = self._all(f"{self._select} WHERE action = %s", [action])
        return [_stored_row(row) for row in found]

    def rows_behind(self, cursor: Cursor) -> Iterator[Stored]:
        behind, values = self._behind(cursor)
        statement = f"{self._select} WHERE {behind} ORDER BY {_ORDER[self._connection.vendor]}"
        return map(_stored_row, self._stream(statement, values))

    def _behind(self, cursor: Cursor) -> tuple[str, list[Any]]:
        """Without any condition for all: whatever stands in the columns of the order."""
        if cursor == BEFORE_ALL:
            return "1 = 1", []
        return _BEHIND[self._connection.vendor], list(cursor)

    def orphans(self, since: Cursor) -> Iterator[UUID]:
        behind, values = self._behind(since)
        attempt = _ATTEMPT[self._connection.vendor]
        for (raw,) in self._all(
            f"SELECT o.id FROM audit_event o WHERE o.phase IN (2, 3, 4) AND {behind}"  # noqa: S608
            f" AND NOT EXISTS (SELECT 1 FROM audit_event a WHERE a.id = {attempt})",
            values,
        ):
            yield UUID(str(raw))

    def open_attempts(self, since: UUID, patience: timedelta) -> Iterator[UUID]:
        for (raw,) in self._all(
            "SELECT a.id FROM audit_event a WHERE a.phase = 1 AND a.id >= %s AND a.id < %s"  # noqa: S608
            " AND NOT EXISTS"
            f" (SELECT 1 FROM audit_event o WHERE o.id = {OUTCOME[self._connection.vendor]})",
            [self._stored(since), self._stored(first_id_since(patience))],
        ):
            yield UUID(str(raw))

    @property
    def _select(self) -> str:
        return _ROWS[self._connection.vendor]

    def _stream(self, statement: str, values: list[Any]) -> Iterator[tuple[Any, ...]]:
        """A few at a time, in binary where the driver can: text would double the bytes."""
        if not self._is_postgresql:
            with self._connection.cursor() as database:
                database.execute(statement, values)
                while rows := database.fetchmany(_ROWS_AT_ONCE):
                    yield from rows
            return
        from psycopg import ServerCursor

        name = f"audit_{next(_numbers)}"
        with (
            self._connection.wrap_database_errors,
            ServerCursor(self._connection.connection, name) as database,
        ):
            database.itersize = _ROWS_AT_ONCE
            yield from database.execute(statement, values, binary=True)

    def _all(self, statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as database:
            database.execute(statement, values)
            rows: list[tuple[Any, ...]] = database.fetchall()
            return rows


def _stored_row(row: Sequence[Any]) -> Stored:
    if type(row[_MOMENT]) is datetime and row[_MOMENT].tzinfo:
        return Stored._make(row)
    return Stored._make(row)._replace(recorded_at=_moment(row[_MOMENT]))


def _escaped(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return _NO_MOMENT
    return moment.replace(tzinfo=UTC)  # SQLite keeps no zone


def _erased_by(entry: Any) -> Set[UUID]:
    """Of an entry that says something else, nothing: it is found as what it is."""
    try:
        document = json.loads(entry if isinstance(entry, str) else bytes(entry))
        named = document["ctx"].get("refs") or [document["subject"]]
        return {UUID(ref) for ref in named if ref}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return frozenset()
