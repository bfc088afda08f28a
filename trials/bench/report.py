"""The table of it, for eyes and for machines."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from trials.bench.measures import Measure

_VERDICTS = {True: "[green]met[/]", False: "[red bold]MISSED[/]", None: ""}


def tell(measures: Sequence[Measure], console: Console) -> None:
    table = Table(title="The audit trail: measured, and the goals", show_lines=False)
    table.add_column("")
    table.add_column("what", ratio=1)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("goal", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("on this machine")
    for each in measures:
        goal = str(each.goal) if each.goal else "-"
        verdict = _VERDICTS[each.is_met]
        table.add_row(each.row, each.what, figure(each), goal, verdict, each.detail)
    console.print(table)
    verdicts = [each.is_met for each in measures if each.goal]
    met, missed = verdicts.count(True), verdicts.count(False)
    console.print(f"{met} of {len(verdicts)} goals met, {missed} missed.")


def line(measure: Measure) -> str:
    verdict = {True: "met", False: "MISSED", None: "for comparison"}[measure.is_met]
    return f"{measure.row}. {measure.what}: {figure(measure)} ({verdict})"


def figure(measure: Measure) -> str:
    return f"{measure.value:.2f}{measure.unit}"


def as_json(measures: Sequence[Measure]) -> str:
    rows = [asdict(each) | {"met": each.is_met} for each in measures]
    return json.dumps({"measures": rows}, indent=2, ensure_ascii=False) + "\n"
