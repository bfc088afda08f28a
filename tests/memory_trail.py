"""The trail to tamper with in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from audit.domain.checkpoint import Checkpoint
from audit.domain.entry import Entry, sole_id
from audit.domain.log import Cursor
from tests.fakes.sealed_log import HASHES, IDS, CheckpointRow, InMemoryKeeper, InMemoryLog
from tests.tampering import Change, Trail


@dataclass
class MemoryTrail(Trail):
    store: InMemoryLog = field(default_factory=InMemoryLog)

    @classmethod
    def sealed(cls) -> "MemoryTrail":
        trail = cls(InMemoryKeeper(), [], [])
        trail.begin()
        return trail

    def copy(self) -> "MemoryTrail":
        keeper = replace(self.keeper, keys=[*self.keeper.keys], known=[*self.keeper.known])
        return MemoryTrail(keeper, [*self.ids], [*self.notes], self.store.copy())

    def log(self) -> InMemoryLog:
        return self.store

    def evidence(self) -> InMemoryLog:
        return self.store

    def insert(self, *made: Entry) -> None:
        for each in made:
            self.store.insert(each, self.mac_keys)

    def value(self, leaf: int, column: str) -> Any:
        return getattr(self.store.row(self.ids[leaf]), column)

    def put(self, leaf: int, column: str, value: Any) -> None:
        self.put_of(self.ids[leaf], column, value)

    def put_of(self, entry_id: UUID, column: str, value: Any) -> None:
        setattr(self.store.row(entry_id), column, value)

    def remove(self, *leaves: int) -> None:
        gone = {self.ids[leaf] for leaf in leaves}
        self.store.events = [row for row in self.store.events if row.id not in gone]

    def change_tile(self, kind: int, level: int, index: int, act: Change) -> None:
        self.store.tiles[kind, level, index] = act(self.store.tiles[kind, level, index])

    def remove_tiles(self, *, kind: int | None = None, level: int = 0, index: int = 0) -> None:
        if kind is None:
            self.store.tiles.clear()
        else:
            del self.store.tiles[kind, level, index]

    def repeat_tiles(self, index: int, at: int) -> None:
        for kind in (HASHES, IDS):
            self.store.tiles[kind, 0, at] = self.store.tiles[kind, 0, index]

    def change_checkpoint(self, size: int, column: str, act: Callable[[Any], Any]) -> None:
        row = next(row for row in self.store.checkpoint_rows if row.size == size)
        setattr(row, column, act(getattr(row, column)))

    def remove_checkpoints(self, *sizes: int) -> None:
        kept = [row for row in self.store.checkpoint_rows if sizes and row.size not in sizes]
        self.store.checkpoint_rows = kept

    def add_checkpoint(self, signed: Checkpoint, note: str) -> None:
        row = CheckpointRow(signed.size, signed.root, note, sole_id(), sole_id())
        self.store.checkpoint_rows.append(row)

    def change_edge(self, column: str, act: Callable[[Any], Any]) -> None:
        edge = self.store.edge
        assert edge is not None
        if column.startswith("cursor_"):
            name = column.removeprefix("cursor_")
            edge.cursor = Cursor(**edge.cursor._asdict() | {name: act(getattr(edge.cursor, name))})
        else:
            setattr(edge, column, act(getattr(edge, column)))

    def remove_edge(self) -> None:
        self.store.edge = None

    def lose_the_file(self) -> None:
        self.keeper.note = None
