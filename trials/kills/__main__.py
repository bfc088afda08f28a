"""Kills processes of Dashtam at every boundary of the audit trail, and counts what is missing.

Exit code 0: nothing was lost; 1: the checker found something, as it must with --control;
2: wrong usage; 3: the trials themselves failed."""

import argparse
import os
import secrets
import sys
import traceback
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trials.places import NoPlaceError, Place, place

_DATABASES = {"postgresql": 1000, "sqlite": 300}
_CONTROL = 30
_FAILED = 3
_WIDTH = 110


def main() -> int:
    options = _options()
    console = Console(width=max(Console().width, _WIDTH))
    try:
        with place(options.database) as found:
            return _run(options, found, console)
    except NoPlaceError as missing:
        console.print(str(missing), markup=False)
    except Exception:  # noqa: BLE001  its exit code must not be that of a finding
        console.print(traceback.format_exc(), markup=False)
    return _FAILED


def _run(options: argparse.Namespace, found: Place, console: Console) -> int:
    _set_django_up(found)
    # Their models need Django.
    from trials.kills.controls import CONTROLS
    from trials.kills.report import Tally, as_json, tell
    from trials.kills.running import Plan

    control = CONTROLS[options.control] if options.control else None
    plan = Plan(found, options.trials, options.seconds, options.seed, control)
    plan.prepare()
    tally = Tally(options.database, options.seed)
    with _progress(console) as progress:
        task = progress.add_task(options.control or "kills", total=options.trials)
        plan.run(tally, lambda: progress.update(task, completed=len(tally.trials), refresh=True))
    tell(tally, console)
    if options.json:
        options.json.write_text(as_json(tally))
    return _verdict(tally.count("trouble"), len(tally.findings), options.control, console)


def _verdict(troubles: int, findings: int, control: str | None, console: Console) -> int:
    if troubles:
        console.print("The trials themselves failed.")
        return _FAILED
    if control and findings:
        console.print(f"The control {control} was caught, as it must be.")
    elif control:
        console.print(f"The control {control} was NOT caught: the checker is blind to it.")
    return 1 if findings else 0


def _set_django_up(found: Place) -> None:
    import django

    from trials.places import TEMPLATE

    os.environ["TRIALS_DATABASE_URL"] = found.url(TEMPLATE)
    os.environ["DJANGO_SETTINGS_MODULE"] = "trials.settings"
    django.setup()


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    # Without the thread that refreshes by itself: we fork.
    return Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, auto_refresh=False
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m trials.kills", description=__doc__)
    parser.add_argument("--database", choices=_DATABASES, required=True)
    parser.add_argument("--trials", type=int, help="1000, 300 on SQLite; 30 of a control")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="no trial after so many"
    )
    parser.add_argument("--seed", default=secrets.token_hex(4), help="boundaries and journeys")
    parser.add_argument("--control", choices=["after-commit", "seq-cursor"], help="must be caught")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the same for machines")
    options = parser.parse_args()
    if options.control == "seq-cursor" and options.database == "sqlite":
        parser.error("SQLite has one writer at a time: seq-cursor needs --database postgresql")
    if options.trials is None:
        options.trials = _CONTROL if options.control else _DATABASES[options.database]
    return options


if __name__ == "__main__":
    sys.exit(main())
