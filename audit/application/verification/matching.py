"""Which row belongs to which leaf.

Rows come in the order of the commits, and so do the leaves: nearly always the next row is that of
the next leaf. Where it is not, rows are looked up by their id; the order alone is no evidence.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final
from uuid import UUID

from audit.domain.log import Cursor
from audit.ports import Evidence, Stored

_LOOKED_UP_AT_ONCE: Final = 2000


class Rows:
    """Of a trail behind a cursor, to be asked for once, leaf by leaf. Holds no more rows than two
    pieces of leaves; what was passed over is remembered by its id."""

    def __init__(self, evidence: Evidence, since: Cursor) -> None:
        self._evidence = evidence
        self._coming = evidence.rows_behind(since)
        self._ahead: dict[str, Stored] = {}
        self._passed: set[str] = set()
        self._odd: list[Stored] = []
        self.early: dict[str, int] = {}
        """Ids with their leaves that were looked up before their row came. It never comes where
        an earlier leaf has had it."""

    def of(self, ids: Sequence[str], first: int) -> list[Stored | None]:
        """Of the leaves from `first` on; None where no row has the id."""
        if not self._ahead and not self.early:
            rows = list(islice(self._coming, len(ids)))
            if [row.id for row in rows] == ids:
                return [*rows]
            self._keep(rows)
        return self._matched(ids, first)

    def rest(self) -> Iterator[Stored]:
        """What no leaf has asked for, when all of them have asked."""
        passed = [UUID(each) for each in self._passed]
        for at in range(0, len(passed), _LOOKED_UP_AT_ONCE):
            yield from self._evidence.rows(passed[at : at + _LOOKED_UP_AT_ONCE]).values()
        yield from self._odd
        yield from self._ahead.values()
        for row in self._coming:
            if self.early.pop(row.id, None) is None:
                yield row

    def _matched(self, ids: Sequence[str], first: int) -> list[Stored | None]:
        self._read_ahead(ids)
        found = [self._ahead.pop(entry_id, None) for entry_id in ids]
        in_order = [row.cursor for row in found if row]
        looked_up = self._look_up([each for each, row in zip(ids, found, strict=True) if not row])
        for offset, entry_id in enumerate(ids):
            if found[offset] is None and entry_id in looked_up:
                found[offset] = looked_up[entry_id]
                self._expect(entry_id, first + offset)
        self._fill(ids, found)
        self._pass_over(in_order[-1:] or [row.cursor for row in looked_up.values()])
        return found

    def _fill(self, ids: Sequence[str], found: list[Stored | None]) -> None:
        """Where no id is stored there is still the order; the root tells whether it is right."""
        for offset, entry_id in enumerate(ids):
            if not entry_id and self._ahead:
                found[offset] = self._ahead.pop(next(iter(self._ahead)))

    def _read_ahead(self, ids: Sequence[str]) -> None:
        wanted = set(ids)
        while not wanted <= self._ahead.keys() and len(self._ahead) < 2 * len(ids):
            rows = list(islice(self._coming, len(ids)))
            if not rows:
                return
            self._keep(rows)

    def _keep(self, rows: Sequence[Stored]) -> None:
        for row in rows:
            if self.early.pop(row.id, None) is not None:
                continue
            if row.id in self._ahead:  # whoever owns the table can drop its primary key
                self._odd.append(row)
            self._ahead[row.id] = row

    def _look_up(self, ids: Sequence[str]) -> dict[str, Stored]:
        found = self._evidence.rows([UUID(each) for each in ids if each])
        return {row.id: row for row in found.values()}

    def _expect(self, entry_id: str, leaf: int) -> None:
        if entry_id in self._passed:
            self._passed.discard(entry_id)
        else:
            self.early[entry_id] = leaf

    def _pass_over(self, reached: Sequence[Cursor]) -> None:
        """What came before the leaves that were reached has none of its own among those to come,
        or only by its id."""
        if not reached:
            return
        passed = [each for each, row in self._ahead.items() if row.cursor < min(reached)]
        for entry_id in passed:
            row = self._ahead.pop(entry_id)
            if _can_be_looked_up(entry_id):
                self._passed.add(entry_id)
            else:
                self._odd.append(row)


def _can_be_looked_up(entry_id: str) -> bool:
    """SQLite lets whoever switches its checks off put anything where an id belongs."""
    try:
        return str(UUID(entry_id)) == entry_id
    except ValueError:
        return False
