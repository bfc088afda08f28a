"""Does a unit test fail when an operator, a constant or a default of the domain, the application or
the pure core is another one?

Exit code 0: for each but those that tests/equivalent_mutants.txt lists; 1: some of domain or core
survived, or a listed one is no more; 2: wrong usage; 3: the trial itself failed."""

import argparse
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from rich.console import Console

from trials.mutate.bodies import MutmutError, Targets, of_bodies
from trials.mutate.changes import Mutant, mutants_of, whole_statements
from trials.mutate.running import Runner, UnsoundError, tests_of

_APPS = ("users", "sessions_app", "audit")
_CORE = ("actions", "clock", "errors", "events", "ids", "ports", "result", "validation")
_EQUIVALENTS = Path("tests/equivalent_mutants.txt")
_ALL = ["tests/unit"]
_FAILED = 3
_EVERY = 20  # seconds between two lines of progress


def main() -> int:
    options = _options()
    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        targets = _changed_since(options.since) if options.since else _chosen(options.paths)
    except (subprocess.CalledProcessError, OSError):  # no such commit, no repository, no git
        console.print(f"Nothing is tried: there is no {options.since} to compare with.")
        return 0
    if not targets:
        console.print("Nothing is tried: no module of domain, application or pure core.")
        return 0 if options.since else 2
    try:
        return _try(targets, options, console)
    except (MutmutError, UnsoundError) as problem:
        console.print(str(problem))
        return _FAILED


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("trials.mutate", description=__doc__)
    parser.add_argument("paths", nargs="*", help="files or folders; all when there are none")
    parser.add_argument("--since", metavar="BASE", help="the lines changed since this commit")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=("bodies", "constants"))
    return parser.parse_args()


def _pure() -> list[str]:
    layers = (Path(app, layer) for app in _APPS for layer in ("domain", "application"))
    found = [str(file) for layer in layers for file in layer.rglob("*.py")]
    return sorted([*found, *(f"core/{name}.py" for name in _CORE)])


def _chosen(paths: Sequence[str]) -> Targets:
    wanted = tuple(str(Path(path)) for path in paths)
    return {file: None for file in _pure() if not wanted or file.startswith(wanted)}


def _changed_since(base: str) -> Targets:
    command = ["git", "diff", "--unified=0", "--no-color", "--dst-prefix=b/", base, "--", *_pure()]
    diff = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return {
        path: whole_statements(Path(path).read_text(), lines)
        for path, lines in changed_lines(diff.stdout).items()
        if lines
    }


def changed_lines(diff: str) -> dict[str, list[int]]:
    lines: dict[str, list[int]] = {}
    for file in re.split(r"^\+\+\+ b/", diff, flags=re.MULTILINE)[1:]:
        hunks = re.findall(r"^@@ .*?\+(\d+)(?:,(\d+))? @@", file, flags=re.MULTILINE)
        spans = (range(int(first), int(first) + int(count or 1)) for first, count in hunks)
        lines[file.split("\n", 1)[0]] = [line for span in spans for line in span]
    return lines


def _try(targets: Targets, options: argparse.Namespace, console: Console) -> int:
    began, tried = time.monotonic(), Counter[str]()
    known = listed(_EQUIVALENTS.read_text()) if _EQUIVALENTS.exists() else {}
    survivors: list[Mutant] = []
    if options.only != "constants":
        tried["bodies"], survivors = _of_bodies(targets, options)
    if options.only != "bodies":
        mutants = [mutant for path in targets for mutant in _constants(path, targets[path])]
        tried["constants"] = len(mutants)
        survivors += _survivors(mutants, known, options.jobs, console)
    counts = " and ".join(f"{count:,} of {what}" for what, count in tried.items())
    console.print(f"{counts} tried in {time.monotonic() - began:.0f} s")
    whole = not options.since and not options.only
    return _tell(survivors, known, targets if whole else {}, console)


def _of_bodies(targets: Targets, options: argparse.Namespace) -> tuple[int, list[Mutant]]:
    """Of some modules first by their own tests; what those let live, by all of them."""
    own = sorted({file for path in targets for file in tests_of(path)})
    if not own or not (options.paths or options.since):
        return of_bodies(targets, _ALL, options.jobs)
    try:
        total, left = of_bodies(targets, own, options.jobs)
    except MutmutError:  # it stops where they run nothing of them
        return of_bodies(targets, _ALL, options.jobs)
    if left:
        again = {path: targets[path] for path in {mutant.path for mutant in left}}
        _, left = of_bodies(again, _ALL, options.jobs, [mutant.key for mutant in left])
    return total, left


def _constants(path: str, lines: list[int] | None) -> Iterable[Mutant]:
    mutants = mutants_of(path, Path(path).read_text())
    return [mutant for mutant in mutants if lines is None or mutant.line in lines]


def _survivors(
    mutants: Sequence[Mutant], known: Collection[str], jobs: int, console: Console
) -> Iterable[Mutant]:
    told = time.monotonic()
    survivors = 0
    outcomes = Runner().outcomes(mutants, jobs) if mutants else ()
    for done, (mutant, survived) in enumerate(outcomes, 1):
        survivors += survived
        if time.monotonic() - told > _EVERY:
            console.print(f"  {done:,} of {len(mutants):,} constants, {survivors} survived")
            told = time.monotonic()
        if survived:
            if str(mutant) not in known:
                console.print(f"  survives: {mutant}")
            yield mutant


def listed(text: str) -> dict[str, str]:
    """The reason of each equivalent mutant: a line that names it, an indented one that says why."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith(" ") and name:
            found[name] = f"{found[name]} {line.strip()}".strip()
        elif line and not line.startswith("#"):
            name = line
            found[name] = ""
    return found


def _tell(
    survivors: Sequence[Mutant], known: dict[str, str], targets: Targets, console: Console
) -> int:
    names = {str(mutant) for mutant in survivors}
    left = [mutant for mutant in survivors if str(mutant) not in known]
    for mutant in sorted(left, key=lambda each: (each.path, each.line)):
        console.print(f"{mutant.path}:{mutant.line}: {mutant.scope} survives this change")
        console.print(f"    - {mutant.before}\n    + {mutant.after}")
    if left:
        again = " ".join(sorted({mutant.path for mutant in left}))
        console.print(f'make mutate ARGS="{again}" tries them again.')
    gone = [name for name in known if name.split(":")[0] in targets and name not in names]
    for name in gone:
        console.print(f"{_EQUIVALENTS} lists what a test kills, or what is no more:\n    {name}")
    unexplained = [name for name, reason in known.items() if not reason]
    for name in unexplained:
        console.print(f"{_EQUIVALENTS} does not say why nothing can kill:\n    {name}")
    urgent = [mutant for mutant in left if "/application/" not in mutant.path]
    console.print(
        f"{len(survivors)} survived, {len(survivors) - len(left)} of them listed as equivalent. "
        f"Left: {len(urgent)} of domain and core, {len(left) - len(urgent)} of application."
    )
    return 1 if urgent or gone or unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
