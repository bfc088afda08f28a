"""Runs the unit tests on a changed module. Constants have long been used when a module has been
imported, so each run imports all of the project anew, in a fork of a process that has imported
everything else."""

import ast
import configparser
import contextlib
import importlib
import os
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

from trials.mutate.changes import Mutant

_SECONDS = 120  # of CPU time: a change may make a loop endless
_FIRST = 6  # files
_PASSED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
_UNCHANGED = Mutant("", 0, "", "", "")
_CALM = ["-x", "-p", "no:randomly", "-W", "ignore::pytest.PytestAssertRewriteWarning"]


def settings() -> dict[str, list[str]]:
    """The section of mutmut, which runs the same tests in the same way."""
    parser = configparser.ConfigParser()
    parser.read("setup.cfg")
    return {name: value.split("\n") for name, value in parser["mutmut"].items()}


class UnsoundError(Exception):
    """The unit tests fail without any change: every mutant would seem to be killed."""


class Runner:
    def __init__(self) -> None:
        self._arguments = [*_CALM, *filter(None, settings()["pytest_add_cli_args"])]
        self._files = unit_tests()
        _import_what_is_not_ours(self._arguments)

    def outcomes(self, mutants: Iterable[Mutant], jobs: int) -> Iterator[tuple[Mutant, bool]]:
        """Each with whether it survived, as they are done; among them, once, no change at all."""
        running: dict[int, Mutant] = {}
        for mutant in (_UNCHANGED, *mutants):
            if len(running) == jobs:
                yield from _next_of(running)
            running[self._start(mutant)] = mutant
        while running:
            yield from _next_of(running)

    def _start(self, mutant: Mutant) -> int:
        stages = self._stages(mutant.path)
        if child := os.fork():
            return child
        _be_quiet()
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        _change(mutant)
        os._exit(self._run(stages))

    def _stages(self, path: str) -> list[list[str]]:
        """The tests that are likely to fail go first; the others only where those pass."""
        own = tests_of(path)
        others = [file for file in self._files if file not in own]
        return [stage for stage in (own[:_FIRST], own[_FIRST:], others) if stage]

    def _run(self, stages: list[list[str]]) -> int:
        for stage in stages[:-1]:
            if child := os.fork():
                status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                if status:
                    return 1
            else:
                return self._pytest(stage)
        return self._pytest(stages[-1])

    def _pytest(self, files: Sequence[str]) -> int:
        # pytest looks into all files of a folder, unless they are ignored.
        others = [f"--ignore={file}" for file in self._files if file not in files]
        code = pytest.main([*self._arguments, *others, *files])
        return 0 if code in _PASSED else 1


@cache
def unit_tests() -> list[str]:
    """But those that are ignored: pytest runs them all the same where they are named."""
    options = settings()["pytest_add_cli_args"]
    ignored = [each.partition("=")[2] for each in options if each.startswith("--ignore")]
    found = sorted(map(str, Path("tests/unit").glob("test_*.py")))
    return [file for file in found if not any(fnmatch(file, one) for one in ignored)]


@cache
def tests_of(path: str) -> list[str]:
    """Those that import the module, or its package as one that looks at all values does; first
    those that import little else."""
    module = path.removesuffix(".py").replace("/", ".")
    package = module.rpartition(".")[0]
    own = [file for file in unit_tests() if {module, package} & _imports(file)]
    return sorted(own, key=lambda file: len(_imports(file)))


@cache
def _imports(file: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(Path(file).read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return found


def _next_of(running: dict[int, Mutant]) -> Iterator[tuple[Mutant, bool]]:
    child, status = os.wait()
    mutant = running.pop(child)
    if mutant is not _UNCHANGED:
        yield mutant, status == 0
    elif status:
        raise UnsoundError("The unit tests fail as they are: make test-unit tells where.")


def _be_quiet() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)


def _change(mutant: Mutant) -> None:
    path, real = str(Path(mutant.path).resolve()), SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str) -> Any:
        if mutant.source and self.path == path:
            return compile(mutant.source, path, "exec", dont_inherit=True)
        return real(self, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]


def _import_what_is_not_ours(arguments: Sequence[str]) -> None:
    reading, writing = os.pipe()
    if not os.fork():
        os.close(reading)
        _be_quiet()
        pytest.main([*arguments, "--collect-only", "tests/unit"])
        with open(writing, "w") as told:
            told.write("\n".join(name for name, module in sys.modules.items() if _is_apart(module)))
        os._exit(0)
    os.close(writing)
    with open(reading) as told:
        names = told.read().split("\n")
    os.wait()
    for name in names:
        # Some want Django's settings first, or are made by others.
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _is_apart(module: Any) -> bool:
    file = str(getattr(module, "__file__", None))
    return "site-packages" in file and "pytest" not in file
