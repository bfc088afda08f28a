"""What came out, for people and for machines."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from trials.races.running import Outcome

_NAME = 30


def tell(outcome: Outcome, console: Console) -> None:
    line = Text(f"{outcome.name:{_NAME}} {outcome.rounds:4} rounds {outcome.seconds:6.1f} s  ")
    if outcome.broken is None:
        line.append("held", "green")
        line.append(f", {outcome.records:,} records")
    else:
        line.append("BROKEN", "bold red")
        line.append(f" {outcome.broken}")
    console.print(line, soft_wrap=True)


def tell_all(outcomes: Sequence[Outcome], seed: str, console: Console) -> None:
    broken = sum(each.broken is not None for each in outcomes)
    rounds, seconds = (sum(getattr(each, name) for each in outcomes) for name in _SUMS)
    told = f"{len(outcomes)} races, {rounds:,} rounds in {seconds:.1f} s: {broken} broken"
    console.print(f"{told}; seed {seed}", highlight=False)


_SUMS = ("rounds", "seconds")


def as_json(outcomes: Sequence[Outcome], seed: str) -> str:
    return json.dumps({"seed": seed, "races": list(map(asdict, outcomes))}, indent=2)
