"""Whole months leave the database: into archives that prove themselves, and out of the tables.

The hashes stay, so that every proof still holds and everything younger is verified as before. What
is gone is told by an event on the trail: rows that are missing without it are a finding.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from audit.domain.errors import PruneRefusedError
from audit.domain.events import TrailPruned
from audit.ports import Archives, Month, Months


@dataclass(frozen=True, kw_only=True)
class Pruner:
    months: Months
    archives: Archives
    record: Callable[[TrailPruned], None]
    legal_hold: bool

    def prune(self, before: str, folder: Path) -> Iterator[Month]:
        """Months that ended before the month `before` (2026-01), oldest first. Raises
        `PruneRefusedError`."""
        if self.legal_hold:
            raise PruneRefusedError("AUDIT_LEGAL_HOLD is on: nothing is pruned.")
        self.months.finish()
        for month in self.months.before(before):
            self._prune(month, folder / month.name)
            yield month

    def _prune(self, month: Month, folder: Path) -> None:
        if waiting := self.months.unsealed(month):
            raise PruneRefusedError(
                f"{waiting} events of {month.name} are not sealed: run `manage.py audit_seal`."
            )
        first = self.months.pruned_leaves()
        last = max(first, self.months.end_of(month))
        manifest = self.archives.write(first, last, folder) if first < last else None
        # Before the rows go: what is missing without this event would be a finding.
        self.record(
            TrailPruned(
                month=month.name, before=month.end, first=first, last=last, manifest=manifest
            )
        )
        self.months.drop(month)
