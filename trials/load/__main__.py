"""Everything at once on one PostgreSQL: writers as fast as they can, the worker of an installation
and a verifier. How long is a row unsealed, and is anything missing?

Exit code 0: 99 of 100 rows were sealed within 3 s, and nothing was lost; 1: not so; 2: wrong usage;
3: the trial itself failed."""

import argparse
import os
import secrets
import sys
import traceback
from pathlib import Path

from rich.console import Console

from trials.places import TEMPLATE, NoPlaceError, Place, place

_FAILED = 3
_WIDTH = 110


def main() -> int:
    options = _options()
    console = Console(width=max(Console().width, _WIDTH))
    try:
        with place("postgresql") as found:
            return _run(options, found, console)
    except NoPlaceError as missing:
        console.print(str(missing), markup=False)
    except Exception:  # noqa: BLE001  its exit code must not be that of a finding
        console.print(traceback.format_exc(), markup=False)
    return _FAILED


def _run(options: argparse.Namespace, found: Place, console: Console) -> int:
    _set_django_up(found)
    # Their models need Django.
    from trials.load.report import as_json, tell
    from trials.load.running import Load

    load = Load(found, options.minutes * 60, options.writers, options.seed)
    load.prepare()
    outcome = load.run(console)
    tell(outcome, console)
    if options.json:
        options.json.write_text(as_json(outcome))
    if outcome.count("trouble"):
        console.print("The trial itself failed.")
        return _FAILED
    return 0 if outcome.is_good else 1


def _set_django_up(found: Place) -> None:
    import django

    os.environ["TRIALS_DATABASE_URL"] = found.url(TEMPLATE)
    os.environ["DJANGO_SETTINGS_MODULE"] = "trials.settings"
    django.setup()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m trials.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of writing; 10")
    parser.add_argument("--writers", type=int, default=8, help="processes; 8")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="of the journeys")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the same for machines")
    options = parser.parse_args()
    if options.minutes <= 0 or options.writers < 1:
        parser.error("some time and a writer are needed")
    return options


if __name__ == "__main__":
    sys.exit(main())
