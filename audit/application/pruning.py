"""Whole months leave the database: into archives that prove themselves, and out of the tables.

The hashes stay, so that every proof still holds and everything younger is verified as before. What
is gone is told by an event on the trail: rows that are missing without it are a finding.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from audit.application.verification.spotchecking import Pruned
from audit.domain.errors import PruneRefusedError
from audit.domain.events import TrailPruned
from audit.ports import Archives, Month, Months


class PrunedMonth(NamedTuple):
    name: str
    archive: Path | None
    """None where an earlier archive has all of its events, or there were none."""


@dataclass(frozen=True, kw_only=True)
class Pruner:
    """`pruned` is what is proved to have been pruned before: what a row alone says is nothing."""

    months: Months
    archives: Archives
    pruned: Callable[[], Sequence[Pruned]]
    record: Callable[[TrailPruned], None]
    legal_hold: bool

    def prune(self, before: str, folder: Path) -> Iterator[PrunedMonth]:
        """Months that ended before the month `before` (2026-01), oldest first. Raises
        `PruneRefusedError`."""
        if self.legal_hold:
            raise PruneRefusedError("AUDIT_LEGAL_HOLD is on: nothing is pruned.")
        earlier = self.pruned()
        self.months.finish([each.month for each in earlier])
        archived = max((each.last for each in earlier), default=0)
        for month in self.months.before(before):
            last = max(archived, self._end(month))
            archive = folder / month.name if archived < last else None
            self._prune(month, archived, last, archive)
            archived = last
            yield PrunedMonth(month.name, archive)

    def _end(self, month: Month) -> int:
        """Behind the last leaf of its events, each of which must be one."""
        ids = self.months.ids(month)
        leaves = self.months.leaves(ids)
        if missing := len(ids - leaves.keys()):
            raise PruneRefusedError(
                f"{missing} events of {month.name} are not sealed: run `manage.py audit_seal`."
            )
        return max(leaves.values(), default=-1) + 1

    def _prune(self, month: Month, first: int, last: int, archive: Path | None) -> None:
        manifest = self.archives.write(first, last, archive) if archive else None
        # Before the rows go: what is missing without this event would be a finding.
        self.record(
            TrailPruned(
                month=month.name, before=month.end, first=first, last=last, manifest=manifest
            )
        )
        self.months.drop(month)
