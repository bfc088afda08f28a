"""Measures what the audit trail costs, beside what it cannot be cheaper than and beside
django-auditlog and django-easy-audit, and says which goals are met.

What is compared takes turns, and ratios are told: the machine may be busy. PostgreSQL is one of our
own, in memory where there is room; TEST_DATABASE_URL names another. The exit code is 0 also where a
goal is missed: this is a report."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console

from trials.bench import report, trees
from trials.bench.measures import TIMES, Measure, at_most, ratio
from trials.bench.running import Room, prepare, room, wait_for_commits
from trials.places import NoPlaceError, Place, place

_LARGER: Final = 10
_WIDTH: Final = 150
_FAILED: Final = 3


@dataclass(frozen=True)
class Plan:
    """`rows` are those of the trail that is verified, `seconds` how long writers write each time,
    `changes` those of one transaction, `leaves` those of the tree of which there are proofs."""

    rows: int
    rounds: int
    seconds: float
    changes: int
    leaves: int

    def measures(self) -> Iterator[Measure]:
        with place("postgresql") as postgres:
            prepare(postgres)
            wait_for_commits(postgres)
            with room(postgres, "writers") as there:
                yield from there.do("writers.measures", there.folder, self.seconds, self.rounds)
            with room(postgres, "changes") as there:
                yield from there.do("changes.measures", self.changes, self.rounds)
            yield from self._on_sqlite()
            yield from self._of_trails(postgres)
        yield from trees.building(self.rows, self.rounds)
        yield from trees.offline(self.rows)
        yield from trees.proofs(self.leaves, self.rounds)

    def _on_sqlite(self) -> Iterator[Measure]:
        with place("sqlite") as sqlite:
            prepare(sqlite)
            with room(sqlite, "changes") as there:
                yield from there.do("changes.measures", self.changes, self.rounds)

    def _of_trails(self, postgres: Place) -> Iterator[Measure]:
        with room(postgres, "small") as small, room(postgres, "large") as large:
            yield from small.do("trails.verification", small.folder, self.rows, self.rounds)
            small.do("trails.grow", small.folder, 0)
            large.do("trails.grow", large.folder, self.rows * _LARGER)
            yield self._what_is_new(small, large)

    def _what_is_new(self, small: Room, large: Room) -> Measure:
        for each in (small, large):
            each.do("trails.verify_new", each.folder)
        taken = [
            (
                small.do("trails.verify_new", small.folder),
                large.do("trails.verify_new", large.folder),
            )
            for _ in range(self.rounds)
        ]
        few, many = map(list, zip(*taken, strict=True))
        return Measure(
            "8",
            f"verifying 1,000 new on {self.rows * _LARGER:,} against on {self.rows:,}",
            ratio(many, few),
            at_most(1.5, TIMES),
            TIMES,
            f"{median(many) * 1000:.1f} and {median(few) * 1000:.1f} ms",
        )


def main() -> int:
    options = _options()
    console = Console(width=max(Console().width, _WIDTH))
    plan = _plan(options)
    found: list[Measure] = []
    try:
        for measure in plan.measures():
            found.append(measure)
            if sys.stderr.isatty():
                sys.stderr.write(report.line(measure) + "\n")
    except NoPlaceError as missing:
        console.print(str(missing), markup=False)
        return _FAILED
    found.sort(key=lambda measure: measure.row)
    report.tell(found, console)
    if options.json:
        options.json.write_text(report.as_json(found))
    return 0


def _plan(options: argparse.Namespace) -> Plan:
    if options.quick:
        return Plan(options.rows or 10_000, options.rounds or 3, 0.5, 100, 100_000)
    return Plan(options.rows or 100_000, options.rounds or 7, 2.0, 400, 1_000_000)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m trials.bench", description=__doc__)
    parser.add_argument("--rows", type=int, help="of the trail that is verified: 100,000")
    parser.add_argument("--rounds", type=int, help="of each comparison: 7")
    parser.add_argument("--quick", action="store_true", help="a minute of it: small, and rough")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the same for machines")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
