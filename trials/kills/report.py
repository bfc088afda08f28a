"""What came out, for people and for machines."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from trials.kills.books import Finding
from trials.kills.boundaries import ALL
from trials.kills.lanes import Outcome, Trial

_PER_TRIAL: Final = ("lost", "orphan", "double", "open")
_OF_SEALS: Final = ("missed", "twice", "seal")
_SHOWN: Final = 10


@dataclass
class Tally:
    """Over all batches."""

    database: str
    seed: str
    trials: list[Trial] = field(default_factory=list)
    killed: set[int] = field(default_factory=set)
    abandoned: Counter[int | None] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    phases: Counter[str] = field(default_factory=Counter)
    facts: int = 0
    checkpoints: int = 0
    batches: int = 0
    behind: int = 0
    seconds: float = 0.0

    def add(self, trials: Iterable[Trial], outcome: Outcome) -> None:
        self.trials += [trial for trial in trials if trial.number in outcome.ran]
        self.killed |= set(outcome.killed)
        self.abandoned.update(outcome.abandoned)
        self.findings += outcome.findings
        self.phases.update(outcome.phases)
        self.facts += outcome.facts
        self.checkpoints += outcome.checkpoints
        self.batches += 1
        self.behind += outcome.behind

    def count(self, kind: str) -> int:
        return sum(finding.kind == kind for finding in self.findings)

    def totals(self) -> dict[str, Any]:
        return {
            "database": self.database,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "trials": len(self.trials),
            "killed": len(self.killed),
            "records": sum(self.phases.values()),
            "phases": dict(self.phases),
            "facts": self.facts,
            "checkpoints": self.checkpoints,
            "batches": self.batches,
            "files_behind": self.behind,
            **{kind: self.count(kind) for kind in (*_PER_TRIAL, *_OF_SEALS, "trouble")},
        }

    def rows(self) -> list[dict[str, Any]]:
        there = {trial.boundary for trial in self.trials}
        known = [boundary for boundary in ALL if boundary in there]
        return [*map(self._row, map(str, known)), *self._unnamed()]

    def _row(self, name: str) -> dict[str, Any]:
        numbers = {trial.number for trial in self.trials if str(trial.boundary) == name}
        return {
            "boundary": name,
            "trials": len(numbers),
            "killed": len(numbers & self.killed),
            "abandoned": sum(self.abandoned[number] for number in numbers),
            **self._kinds(lambda finding: finding.trial in numbers),
        }

    def _unnamed(self) -> list[dict[str, Any]]:
        kinds = self._kinds(lambda finding: finding.trial is None)
        if not any(kinds.values()):
            return []
        return [{"boundary": "(not known)", "trials": 0, "killed": 0, "abandoned": 0, **kinds}]

    def _kinds(self, belongs: Any) -> dict[str, int]:
        mine = [finding for finding in self.findings if belongs(finding)]
        return {kind: sum(each.kind == kind for each in mine) for kind in _PER_TRIAL}


def as_json(tally: Tally) -> str:
    findings = [finding._asdict() for finding in tally.findings]
    document = {"totals": tally.totals(), "boundaries": tally.rows(), "findings": findings}
    return json.dumps(document, indent=2)


def tell(tally: Tally, console: Console) -> None:
    rows = tally.rows()
    table = Table(title=f"Kills on {tally.database}", box=SIMPLE, padding=0)
    for column in rows[0] if rows else ():
        table.add_column(column, justify="left" if column == "boundary" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)
    _tell_findings(tally, console)
    _tell_totals(tally.totals(), console)


def _tell_findings(tally: Tally, console: Console) -> None:
    for kind in (*_PER_TRIAL, *_OF_SEALS, "trouble"):
        found = [finding for finding in tally.findings if finding.kind == kind]
        for finding in found[:_SHOWN]:
            trial = f" (trial {finding.trial})" if finding.trial is not None else ""
            console.print(f"{kind}{trial}: {finding.what}", markup=False, highlight=False)
        if len(found) > _SHOWN:
            console.print(f"{kind}: … and {len(found) - _SHOWN} more")


def _tell_totals(totals: dict[str, Any], console: Console) -> None:
    lines = (
        "{trials} trials, {killed} killed where they were to be, in {seconds} s; seed {seed}",
        "{records} records ({phases}), {facts} changes",
        "{lost} lost, {orphan} orphan, {double} double, {open} open",
        "{checkpoints} checkpoints: {missed} missed, {twice} sealed twice, {seal} other findings",
        "the file outside was behind in {files_behind} of {batches} batches when all were dead",
    )
    phases = ", ".join(f"{count} {phase}" for phase, count in totals["phases"].items())
    for line in lines:
        console.print(line.format(**totals | {"phases": phases}), highlight=False, soft_wrap=True)
