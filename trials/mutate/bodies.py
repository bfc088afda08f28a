"""The bodies of functions, by mutmut: it makes all mutants of a module at once and chooses one by
a switch, so nothing is imported anew. `python -m trials.mutate.bodies` is where it runs."""

import ast
import fnmatch
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence, Set
from pathlib import Path

from trials.mutate.changes import Mutant
from trials.mutate.running import settings

Targets = dict[str, list[int] | None]
"""Files, and which of their lines: None for all."""

_COPY = Path("mutants")
_LOG = Path(".cache/mutmut.log")
_SURVIVED = {0, 5, 33, 34, 35, None}  # 33: no test runs it; None: it was not tried


class MutmutError(Exception):
    """mutmut stopped before it was through."""


def of_bodies(
    targets: Targets, tests: list[str], jobs: int, keys: Sequence[str] = ()
) -> tuple[int, list[Mutant]]:
    """How many there were, and which survived. With `keys`, those mutants alone."""
    wanted = {path: lines for path, lines in targets.items() if _is_for_mutmut(path)}
    if not wanted:
        return 0, []
    shutil.rmtree(_COPY, ignore_errors=True)
    _LOG.parent.mkdir(exist_ok=True)
    order = json.dumps({"targets": wanted, "tests": tests, "jobs": jobs, "keys": keys})
    command = [sys.executable, "-m", "trials.mutate.bodies", order]
    with _LOG.open("w") as log:
        seen = None if sys.stdout.isatty() else log
        done = subprocess.run(command, stdout=seen, check=False)  # noqa: S603  our own module
    if done.returncode:
        raise MutmutError(f"mutmut ended with {done.returncode}; {_LOG} may tell more.")
    return _results(wanted, set(keys))


def _is_for_mutmut(path: str) -> bool:
    return any(fnmatch.fnmatch(path, pattern) for pattern in settings()["only_mutate"])


def _results(targets: Targets, keys: Set[str]) -> tuple[int, list[Mutant]]:
    total, survivors = 0, []
    for path in targets:
        meta = _COPY / f"{path}.meta"
        found = json.loads(meta.read_text())["exit_code_by_key"] if meta.exists() else {}
        codes = {key: code for key, code in found.items() if not keys or key in keys}
        total += len(codes)
        survivors += [_mutant(path, name) for name, code in codes.items() if code in _SURVIVED]
    return total, survivors


def _mutant(path: str, name: str) -> Mutant:
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.utils.format_utils import orig_function_and_class_names_from_key

    function, of_class = orig_function_and_class_names_from_key(name)
    scope = f"{of_class}.{function}" if of_class else function
    changed = get_diff_for_mutant(name, path=path).split("\n")[2:]
    before, after = (
        [line[1:].strip() for line in changed if line.startswith(sign)] for sign in "-+"
    )
    line = _line_of(Path(path).read_text(), scope, before[0] if before else "")
    return Mutant(path, line, scope, " ".join(before), " ".join(after), key=name)


def _line_of(source: str, scope: str, text: str) -> int:
    """Of the text, in the function or the method; else where that begins."""
    body: list[ast.stmt] = ast.parse(source).body
    begin = end = 1
    for name in scope.split("."):
        found = next(each for each in body if getattr(each, "name", "") == name)
        body, begin, end = getattr(found, "body", []), found.lineno, found.end_lineno or 0
    lines = source.split("\n")
    return next((n for n in range(begin, end + 1) if lines[n - 1].strip() == text), begin)


def _main(targets: Targets, tests: list[str], jobs: int, keys: list[str]) -> None:
    import mutmut.__main__ as mutmut
    from mutmut.configuration import config
    from mutmut.state import state

    config().only_mutate = list(targets)
    config().pytest_add_cli_args_test_selection = tests
    if any(lines is not None for lines in targets.values()):
        # For mutmut these are the lines that are covered; it changes no others.
        state()._covered_lines = {  # noqa: SLF001
            str((_COPY / path).absolute()): set(lines or ()) for path, lines in targets.items()
        }
    mutmut._run(keys, jobs)  # noqa: SLF001  its command would read our arguments


if __name__ == "__main__":
    _main(**json.loads(sys.argv[1]))
