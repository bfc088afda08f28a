"""What came out, for people and for machines."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from trials.kills.books import Finding
from trials.load.measures import Lags, Sample, quantile

GOAL: Final = 3.0
"""Seconds."""
_KINDS: Final = ("lost", "orphan", "double", "open", "missed", "twice", "seal", "trouble")
_SHARES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
_SHOWN: Final = 10
_WORKERS: Final = 1


class Verified(NamedTuple):
    """All of it, when all had ended."""

    exit_code: int
    leaves: int
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """`verifications` are those beside the load: how many, of how many leaves in all, how long
    the longest took, and what they found."""

    seed: str
    writers: int
    seconds: float
    samples: Sequence[Sample]
    lags: Lags
    phases: Mapping[str, int]
    checkpoints: int
    verifications: Mapping[str, Any]
    verified: Verified
    findings: Sequence[Finding]

    def count(self, kind: str) -> int:
        return sum(finding.kind == kind for finding in self.findings)

    @property
    def is_good(self) -> bool:
        return all(self.goals.values())

    @property
    def goals(self) -> dict[str, bool]:
        return {
            f"99 of 100 rows sealed within {GOAL:.0f} s": self.lags.at(0.99) < GOAL,
            "nothing lost, and nothing else found": not self.findings,
            # One per process at most, however long it goes on.
            "no growth of open attempts": max(self.open, default=0) <= self.writers + _WORKERS,
            "found in order by every verification": self._is_in_order,
        }

    @property
    def open(self) -> list[int]:
        return [each.open for each in self.samples if each.open is not None]

    @property
    def _is_in_order(self) -> bool:
        beside = self.verifications
        return bool(beside and not beside["findings"] and self.verified.exit_code == 0)


def as_json(outcome: Outcome) -> str:
    document = {
        "seed": outcome.seed,
        "writers": outcome.writers,
        "seconds": round(outcome.seconds, 1),
        "rows": len(outcome.lags.seconds) + outcome.lags.unsealed,
        "lag": {name: _finite(outcome.lags.at(share)) for name, share in _SHARES.items()},
        "phases": outcome.phases,
        "checkpoints": outcome.checkpoints,
        "verifications": outcome.verifications,
        "verified": outcome.verified._asdict(),
        "counts": {kind: outcome.count(kind) for kind in _KINDS},
        "goals": outcome.goals,
        "findings": [finding._asdict() for finding in outcome.findings],
        "samples": [each._asdict() for each in outcome.samples],
    }
    return json.dumps(document, indent=2)


def _finite(seconds: float) -> float | None:
    """JSON has no word for ever."""
    return seconds if math.isfinite(seconds) else None


def tell(outcome: Outcome, console: Console) -> None:
    table = Table(title="Load on PostgreSQL", box=SIMPLE, padding=0, show_header=False)
    for what, figures in _figures(outcome):
        table.add_row(what, figures)
    console.print(table)
    _tell_findings(outcome, console)
    for goal, reached in outcome.goals.items():
        console.print(f"{'reached' if reached else 'MISSED '}  {goal}", highlight=False)


def _figures(outcome: Outcome) -> Iterator[tuple[str, str]]:
    rows = len(outcome.lags.seconds) + outcome.lags.unsealed
    yield "written", f"{rows:,} rows by {outcome.writers} writers in {outcome.seconds:.1f} s"
    first, last = _speeds(outcome.samples)
    yield "rows/s", f"{rows / outcome.seconds:,.0f}; first tenth {first:,.0f}, last {last:,.0f}"
    yield "records", ", ".join(f"{number:,} {phase}" for phase, number in outcome.phases.items())
    yield "seal lag of each row", _quantiles(outcome.lags.at)
    oldest = [each.oldest for each in outcome.samples]
    yield "oldest unsealed row", _quantiles(lambda share: quantile(oldest, share))
    yield "checkpoints", f"{outcome.checkpoints:,}"
    yield "open attempts", _range(outcome.open)
    beside, verified = outcome.verifications, outcome.verified
    if beside:
        told = "{times:,} of {leaves:,} leaves in all, the longest {longest:.2f} s"
        yield "verified meanwhile", told.format(**beside)
    yield (
        "verified at the end",
        f"{verified.leaves:,} leaves in {verified.seconds:.1f} s, exit code {verified.exit_code}",
    )
    yield "found", ", ".join(f"{outcome.count(kind)} {kind}" for kind in _KINDS)
    yield "seed", outcome.seed


def _quantiles(at: Any) -> str:
    return ", ".join(f"{name} {at(share):.3f} s" for name, share in _SHARES.items())


def _range(numbers: Sequence[int]) -> str:
    if not numbers:
        return "not counted"
    ends = f"first {numbers[0]}, last {numbers[-1]}"
    return f"{min(numbers)} to {max(numbers)} in {len(numbers)} samples; {ends}"


def _speeds(samples: Sequence[Sample]) -> tuple[float, float]:
    """Rows/s in the first and in the last tenth."""
    tenth = max(len(samples) // 10, 1)
    return _speed(samples[: tenth + 1]), _speed(samples[-tenth - 1 :])


def _speed(samples: Sequence[Sample]) -> float:
    if len(samples) < 2:
        return 0.0
    return (samples[-1].rows - samples[0].rows) / (samples[-1].at - samples[0].at)


def _tell_findings(outcome: Outcome, console: Console) -> None:
    lines = [f"{finding.kind}: {finding.what}" for finding in outcome.findings]
    lines += outcome.verifications.get("findings", [])
    for line in lines[:_SHOWN]:
        console.print(line, markup=False, highlight=False)
    if len(lines) > _SHOWN:
        console.print(f"… and {len(lines) - _SHOWN} more")
