"""The sealed log in the database."""

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.domain.checkpoint import Checkpoint
from audit.domain.log import Advance, Cursor, Frontier, Row, packed, unpacked
from audit.domain.merkle import TILE_WIDTH, Edge

_HASHES: Final = 0
_IDS: Final = 1
_FRONTIER: Final = (
    "SELECT size, partials, partial_ids, cursor_epoch, cursor_xid, cursor_seq"
    " FROM audit_frontier WHERE id = 1"
)
_CURSOR: Final = {"postgresql": "epoch, xid::text::bigint, seq", "sqlite": "0, 0, seq"}
# `xid` is qualified: ORDER BY would take the output column of that name, and sort the whole table.
# Rows below the oldest running transaction are committed or gone; so are those of older epochs.
_UNSEALED: Final = {
    "postgresql": """
        SELECT e.epoch, e.xid::text::bigint, e.seq, e.id, e.entry, e.mac FROM audit_event e
        WHERE (e.epoch, e.xid, e.seq) > (%s, %s::text::xid8, %s)
            AND (e.xid < pg_snapshot_xmin(pg_current_snapshot())
                OR e.epoch < (SELECT max(epoch) FROM audit_cluster))
        ORDER BY e.epoch, e.xid, e.seq LIMIT %s
    """,
    "sqlite": """
        SELECT 0, 0, seq, id, entry, mac FROM audit_event
        WHERE (0, 0, seq) > (%s, %s, %s) ORDER BY seq LIMIT %s
    """,
}

_NEWEST: Final = {
    "postgresql": """
        SELECT e.epoch, e.xid::text::bigint, e.seq FROM audit_event e
        WHERE e.xid < pg_snapshot_xmin(pg_current_snapshot())
            OR e.epoch < (SELECT max(epoch) FROM audit_cluster)
        ORDER BY e.epoch DESC, e.xid DESC, e.seq DESC LIMIT 1
    """,
    "sqlite": "SELECT 0, 0, seq FROM audit_event ORDER BY seq DESC LIMIT 1",
}


@dataclass
class DjangoSealedLog:
    """`tile` keeps whole tiles, which do not change; the partial ones are the frontier's."""

    alias: str
    _edge: Edge | None = None
    _tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @contextmanager
    def held(self) -> Iterator[Frontier | None]:
        with transaction.atomic(using=self.alias, durable=True):
            for_update = " FOR UPDATE SKIP LOCKED" if self._is_postgresql else ""
            row = self._one(_FRONTIER + for_update)
            if row is None:
                self.frontier()
                yield None
                return
            frontier = _frontier(row)
            self._edge = frontier.edge
            yield frontier

    def frontier(self) -> Frontier:
        row = self._one(_FRONTIER)
        if row is None:
            raise LookupError("the row of audit_frontier is missing")
        frontier = _frontier(row)
        self._edge = frontier.edge
        return frontier

    def last_checkpoint(self) -> str | None:
        row = self._one("SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
        return row[0] if row else None

    def unsealed(self, cursor: Cursor, limit: int) -> list[Row]:
        with self._connection.cursor() as database:
            database.execute(_UNSEALED[self._connection.vendor], [*cursor, limit])
            return [
                Row(Cursor(epoch, xid, seq), _uuid(entry_id), _raw(entry), _raw(mac))
                for epoch, xid, seq, entry_id, entry, mac in database.fetchall()
            ]

    def newest(self) -> Cursor:
        row = self._one(_NEWEST[self._connection.vendor])
        return Cursor(*row) if row else Cursor(0, 0, 0)

    def advance(self, advance: Advance, checkpoint: Checkpoint, note: str, rows: list[Row]) -> None:
        tiles = [(_HASHES, tile.level, tile.index, tile.data) for tile in advance.growth.tiles]
        tiles += [(_IDS, 0, tile.tile, tile.ids) for tile in advance.id_tiles]
        frontier = advance.frontier
        with self._connection.cursor() as database:
            database.executemany(
                "INSERT INTO audit_tile (kind, level, idx, data) VALUES (%s, %s, %s, %s)", tiles
            )
            database.execute(
                "UPDATE audit_frontier SET size = %s, partials = %s, partial_ids = %s,"
                " cursor_epoch = %s, cursor_xid = %s, cursor_seq = %s WHERE id = 1",
                [frontier.size, packed(frontier.edge.partials), frontier.ids, *frontier.cursor],
            )
            database.execute(
                "INSERT INTO audit_checkpoint (size, root, note, first_id, last_id)"
                " VALUES (%s, %s, %s, %s, %s)",
                [
                    checkpoint.size,
                    checkpoint.root,
                    note,
                    self._stored(rows[0].id),
                    self._stored(rows[-1].id),
                ],
            )
        self._edge = frontier.edge

    def tile(self, level: int, index: int) -> bytes:
        """Raises `LookupError` where a tile that should be there is not."""
        edge = self._edge or self.frontier().edge
        whole = edge.size // TILE_WIDTH ** (level + 1)
        if index >= whole:
            return edge.partials[level] if level < len(edge.partials) else b""
        if (level, index) not in self._tiles:
            self._tiles[level, index] = self._read(_HASHES, level, index)
        return self._tiles[level, index]

    def leaf_of(self, entry_id: UUID) -> int | None:
        """By bisection: the leaves stand in the order of the commits. Where rows were pruned,
        their tiles come first. Raises `LookupError` where the tile does not name it."""
        frontier = self.frontier()
        cursor = self._first_cursor([entry_id])
        if cursor is None or cursor > frontier.cursor:
            return None
        tile = bisect_right(_tiles(frontier.size), cursor, key=self._beginning_of) - 1
        ids = self.ids(tile) if tile >= 0 else []
        if entry_id not in ids:
            raise LookupError(f"no leaf names {entry_id}")
        return tile * TILE_WIDTH + ids.index(entry_id)

    def _beginning_of(self, tile: int) -> Cursor:
        return self._first_cursor(self.ids(tile)) or Cursor(0, 0, 0)

    def _first_cursor(self, ids: list[UUID]) -> Cursor | None:
        if not ids:  # somebody has emptied the tile
            return None
        row = self._one(
            f"SELECT {_CURSOR[self._connection.vendor]} FROM audit_event"  # noqa: S608
            f" WHERE id IN ({', '.join(['%s'] * len(ids))}) ORDER BY 1, 2, 3 LIMIT 1",
            [self._stored(each) for each in ids],
        )
        return Cursor(*row) if row else None

    def ids(self, index: int) -> list[UUID]:
        """Of the leaves of a tile of level 0."""
        frontier = self.frontier()
        raw = self._read(_IDS, 0, index) if index < frontier.size // TILE_WIDTH else frontier.ids
        return [UUID(bytes=raw[at : at + 16]) for at in range(0, len(raw), 16)]

    def leaves(self) -> Iterator[tuple[int, UUID]]:
        """All of them, each with the id that its tile names."""
        for tile in _tiles(self.frontier().size):
            yield from enumerate(self.ids(tile), tile * TILE_WIDTH)

    def _read(self, kind: int, level: int, index: int) -> bytes:
        row = self._one(
            "SELECT data FROM audit_tile WHERE kind = %s AND level = %s AND idx = %s",
            [kind, level, index],
        )
        if row is None:
            raise LookupError(f"tile {index} of level {level} is not there")
        return bytes(row[0])

    def _one(self, statement: str, values: list[Any] | None = None) -> tuple[Any, ...] | None:
        with self._connection.cursor() as database:
            database.execute(statement, values)
            row: tuple[Any, ...] | None = database.fetchone()
            return row

    def _stored(self, entry_id: UUID) -> Any:
        return entry_id if self._is_postgresql else entry_id.hex

    @property
    def _is_postgresql(self) -> bool:
        return bool(self._connection.vendor == "postgresql")

    @property
    def _connection(self) -> BaseDatabaseWrapper:
        return connections[self.alias]


@dataclass(frozen=True)
class DjangoAnchorRecords:
    alias: str

    def is_due(self, sink: str, every: int) -> bool:
        with connections[self.alias].cursor() as database:
            database.execute(
                "SELECT count(*) FROM audit_checkpoint WHERE size >"
                " coalesce((SELECT max(checkpoint_size) FROM audit_anchor WHERE sink = %s), 0)",
                [sink],
            )
            made: int = database.fetchone()[0]
            return made >= every or (made > 0 and self._is_first(sink))

    def _is_first(self, sink: str) -> bool:
        with connections[self.alias].cursor() as database:
            database.execute("SELECT 1 FROM audit_anchor WHERE sink = %s LIMIT 1", [sink])
            return database.fetchone() is None

    def size(self, sink: str) -> int:
        """Of the last checkpoint that it has."""
        with connections[self.alias].cursor() as database:
            database.execute(
                "SELECT coalesce(max(checkpoint_size), 0) FROM audit_anchor WHERE sink = %s", [sink]
            )
            size: int = database.fetchone()[0]
            return size

    def add(self, sink: str, size: int, receipt: str) -> None:
        with connections[self.alias].cursor() as database:
            database.execute(
                "INSERT INTO audit_anchor (checkpoint_size, sink, receipt) VALUES (%s, %s, %s)",
                [size, sink, receipt],
            )


def _tiles(size: int) -> range:
    """Those of level 0, the unfinished one among them."""
    return range(-(-size // TILE_WIDTH))


def _frontier(row: tuple[Any, ...]) -> Frontier:
    size, partials, ids, *cursor = row
    return Frontier(Edge(size, unpacked(bytes(partials))), bytes(ids), Cursor(*cursor))


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _raw(value: Any) -> bytes:
    """SQLite lets anybody put text where bytes belong."""
    return value.encode() if isinstance(value, str) else bytes(value)
