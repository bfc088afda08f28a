"""Whole months leave the database, each on record before it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from audit.application.pruning import PrunedMonth, Pruner
from audit.application.verification.spotchecking import Pruned
from audit.domain.errors import ArchiveError, PruneRefusedError
from audit.domain.events import TrailPruned
from audit.ports import Month

FOLDER = Path("archives")
JANUARY, FEBRUARY, MARCH = (
    Month(name, UUID(int=end)) for name, end in (("2026-01", 3), ("2026-02", 5), ("2026-03", 9))
)


@dataclass
class Tables:
    """Months with their events, each with its leaf where it is sealed; and what was done."""

    events: dict[str, dict[UUID, int | None]]
    done: list[object] = field(default_factory=list)

    def finish(self, recorded: Sequence[str]) -> None:
        self.done.append(("finish", tuple(recorded)))

    def before(self, name: str) -> Sequence[Month]:
        known = (JANUARY, FEBRUARY, MARCH)
        return [month for month in known if month.name < name and month.name in self.events]

    def ids(self, month: Month) -> set[UUID]:
        return set(self.events[month.name])

    def leaves(self, ids: set[UUID]) -> Mapping[UUID, int]:
        known = {each: leaf for month in self.events.values() for each, leaf in month.items()}
        return {each: leaf for each in ids if (leaf := known[each]) is not None}

    def drop(self, month: Month) -> None:
        self.done.append(("drop", month.name))


@dataclass
class Archives:
    done: list[object]
    broken: bool = False

    def write(self, first: int, last: int, folder: Path) -> str:
        if self.broken:
            raise ArchiveError("it proves nothing")
        self.done.append(("archive", first, last, folder))
        return f"manifest of {folder.name}"


@pytest.fixture
def tables() -> Tables:
    return Tables(
        {
            "2026-01": {UUID(int=1): 0, UUID(int=2): 1},
            "2026-02": {UUID(int=3): 2, UUID(int=4): 3},
            "2026-03": {UUID(int=5): 4},
        }
    )


def pruner(tables: Tables, *earlier: Pruned, hold: bool = False, broken: bool = False) -> Pruner:
    return Pruner(
        months=tables,
        archives=Archives(tables.done, broken),
        pruned=lambda: earlier,
        record=tables.done.append,
        legal_hold=hold,
    )


class TestPruner:
    """Uses fixtures: tables."""

    def test_months_before_go_oldest_first_each_archived_recorded_and_dropped(
        self, tables: Tables
    ) -> None:
        pruned = list(pruner(tables).prune("2026-03", FOLDER))
        assert pruned == [
            PrunedMonth("2026-01", FOLDER / "2026-01"),
            PrunedMonth("2026-02", FOLDER / "2026-02"),
        ]
        of_january, of_february = (
            TrailPruned(
                month=month.name,
                before=month.end,
                first=first,
                last=last,
                manifest=f"manifest of {month.name}",
            )
            for month, first, last in ((JANUARY, 0, 2), (FEBRUARY, 2, 4))
        )
        assert [without_moment(each) for each in tables.done] == [
            ("finish", ()),
            ("archive", 0, 2, FOLDER / "2026-01"),
            without_moment(of_january),
            ("drop", "2026-01"),
            ("archive", 2, 4, FOLDER / "2026-02"),
            without_moment(of_february),
            ("drop", "2026-02"),
        ]

    def test_what_an_earlier_archive_has_is_not_archived_again(self, tables: Tables) -> None:
        earlier = Pruned("x", 2, "2025-12")
        pruned = list(pruner(tables, earlier).prune("2026-02", FOLDER))
        assert pruned == [PrunedMonth("2026-01", None)]
        assert tables.done[0] == ("finish", ("2025-12",))
        recorded = tables.done[1]
        assert isinstance(recorded, TrailPruned)
        assert (recorded.first, recorded.last, recorded.manifest) == (2, 2, None)

    def test_a_month_without_events_needs_no_archive(self, tables: Tables) -> None:
        tables.events["2026-01"] = {}
        assert list(pruner(tables).prune("2026-02", FOLDER)) == [PrunedMonth("2026-01", None)]

    def test_a_month_with_something_unsealed_stays(self, tables: Tables) -> None:
        tables.events["2026-02"][UUID(int=4)] = None
        pruning = pruner(tables).prune("2026-04", FOLDER)
        assert next(pruning).name == "2026-01"
        with pytest.raises(PruneRefusedError, match="1 events of 2026-02 are not sealed"):
            next(pruning)
        assert ("drop", "2026-02") not in tables.done

    def test_an_archive_that_proves_nothing_lets_nothing_go(self, tables: Tables) -> None:
        with pytest.raises(ArchiveError):
            list(pruner(tables, broken=True).prune("2026-02", FOLDER))
        assert tables.done == [("finish", ())]

    def test_under_a_legal_hold_nothing_happens_at_all(self, tables: Tables) -> None:
        with pytest.raises(PruneRefusedError, match="AUDIT_LEGAL_HOLD is on"):
            list(pruner(tables, hold=True).prune("2026-04", FOLDER))
        assert tables.done == []


def without_moment(what: object) -> object:
    if not isinstance(what, TrailPruned):
        return what
    return (what.month, what.before, what.first, what.last, what.manifest)
