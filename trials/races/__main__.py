"""Twenty at once, in four processes on one PostgreSQL: what may happen once happens once, and what
has ended stays ended.

Exit code 0: every promise held; 1: one was broken, as it must be with --control; 2: wrong usage;
3: the trial itself failed."""

import argparse
import os
import secrets
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from trials.places import TEMPLATE, NoPlaceError, Place, shared_place

_FAILED = 3
_WIDTH = 110


def main() -> int:
    options = _options()
    console = Console(width=max(Console().width, _WIDTH))
    try:
        with shared_place() as (found, cache_url):
            _set_django_up(found, cache_url)
            return _run(options, console)
    except NoPlaceError as missing:
        console.print(str(missing), markup=False)
    except Exception:  # noqa: BLE001  its exit code must not be that of a finding
        console.print(traceback.format_exc(), markup=False)
    return _FAILED


def _run(options: argparse.Namespace, console: Console) -> int:
    # Their models need Django.
    from django.core.management import call_command

    from trials.races.controls import CONTROLS
    from trials.races.crew import crew
    from trials.races.orders import hold_before_records
    from trials.races.report import as_json, tell_all

    with crew(options.control) as ours:
        call_command("migrate", interactive=False, verbosity=0)  # while the others start
        hold_before_records()
        if options.control:
            CONTROLS[options.control].install()
        outcomes = _raced(options, ours, console)
    tell_all(outcomes, options.seed, console)
    if options.json:
        options.json.write_text(as_json(outcomes, options.seed))
    return _verdict(outcomes, options.control, console)


def _raced(options: argparse.Namespace, ours: Any, console: Console) -> list[Any]:
    from trials.races.report import tell
    from trials.races.running import Runner

    outcomes = []
    with _progress(console) as progress:
        for name in _chosen(options):
            task = progress.add_task(name, total=options.rounds)

            def advance(done: int, of: int, task: Any = task) -> None:
                progress.update(task, completed=done, total=of)

            runner = Runner(name, options.rounds, options.seed, ours, advance)
            outcomes.append(runner.run())
            progress.remove_task(task)
            tell(outcomes[-1], progress.console)
    return outcomes


def _chosen(options: argparse.Namespace) -> Sequence[str]:
    from trials.races.controls import CONTROLS
    from trials.races.running import RACES

    if unknown := set(options.only) - RACES.keys():
        raise NoPlaceError(f"No such race: {', '.join(unknown)}. There are {', '.join(RACES)}.")
    if options.only:
        return options.only  # type: ignore[no-any-return]
    return [*CONTROLS[options.control].races] if options.control else [*RACES]


def _verdict(outcomes: Sequence[Any], control: str | None, console: Console) -> int:
    missed = [each.name for each in outcomes if each.broken is None]
    if control and missed:
        console.print(f"The control {control} was NOT caught by {', '.join(missed)}.")
        return 0
    if control:
        console.print(f"The control {control} was caught, as it must be.")
    return 1 if len(missed) < len(outcomes) else 0


def _set_django_up(found: Place, cache_url: str) -> None:
    import django

    found.copy(TEMPLATE)
    os.environ["TRIALS_DATABASE_URL"], os.environ["TRIALS_REDIS_URL"] = (
        found.url(TEMPLATE),
        cache_url,
    )
    os.environ["DJANGO_SETTINGS_MODULE"] = "trials.settings"
    django.setup()

    from trials.races.crew import use_keys
    from trials.races.ground import KEYS

    use_keys(KEYS)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m trials.races", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="of each race; 50")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this race")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="of what is left to chance")
    parser.add_argument(
        "--control", choices=["blind-refresh", "look-first", "no-locks"], help="must be caught"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="the same for machines")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("a round is needed")
    return options


if __name__ == "__main__":
    sys.exit(main())
