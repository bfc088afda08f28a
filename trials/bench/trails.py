"""Verification of a sealed trail on PostgreSQL, by what `trials.million` is made of."""

from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from audit.adapters.verified import VerifiedFile
from trials import million
from trials.bench.measures import Measure, at_least, interleaved, ratio, seconds

NEW: Final = 1000


def verification(folder: Path, rows: int, rounds: int) -> list[Measure]:
    """Full, with every column compared with its entry, against reading the same columns in the
    same order by the fastest cursor there is."""
    million.fill(rows)
    million.seal(folder)
    arms = {
        "read": partial(seconds, million.read),
        "verify": partial(seconds, partial(_all, folder)),
    }
    for arm in arms.values():
        arm()
    taken = interleaved(arms, rounds)
    return [
        Measure(
            "6",
            f"full verification against reading the rows, {rows:,} events",
            ratio(taken["read"], taken["verify"]),
            at_least(0.30),
            detail=f"{rows / median(taken['verify']):,.0f} and"
            f" {rows / median(taken['read']):,.0f} rows/s",
        )
    ]


def grow(folder: Path, rows: int) -> None:
    """Adds rows, and a verification of all that is there; then some that it does not know."""
    if rows:
        million.fill(rows)
        million.seal(folder)
    report = million.verifier(folder).verify()
    assert report.exit_code == 0
    assert report.verified
    VerifiedFile(folder).keep(report.verified)
    million.fill(NEW)
    million.seal(folder)


def verify_new(folder: Path) -> float:
    """Seconds. What it finds is not kept: the next time it is new again."""
    return seconds(partial(_new, folder))


def _new(folder: Path) -> None:
    report = million.verifier(folder).verify(VerifiedFile(folder).read())
    assert (report.checked, report.exit_code) == (NEW, 0)


def _all(folder: Path) -> None:
    assert million.verifier(folder).verify().exit_code == 0
