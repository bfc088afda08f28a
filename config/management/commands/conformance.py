"""What the standards ask, and which test holds it."""

import ast
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.core.management import BaseCommand, CommandError, CommandParser

from config.env import ROOT

_STANDARDS: Final = ROOT / "docs" / "reference" / "standards.md"
_OUTCOMES: Final = ROOT / ".cache" / "conformance.json"
_ROW: Final = re.compile(r"^\| ([A-Z]\d+) \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)
_NOT_YET: Final = re.compile(r"not answered yet: ([^.]+)\.", re.DOTALL)


class Command(BaseCommand):
    help = (
        "Prints each line of docs/reference/standards.md with the tests that hold it and what they"
        " said when they last ran: for a checkout, where the tests are. Exit code 1 where a line"
        " has none. Example: manage.py conformance --part A"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--part", choices="ASZL", help="lines that begin so")

    def handle(self, *args: Any, part: str | None, **options: Any) -> None:
        tests = ROOT / "tests"
        if not tests.is_dir():
            raise CommandError("There are no tests here: run it in a checkout.")
        held, outcomes = _held(tests), _outcomes()
        text = _STANDARDS.read_text()
        later, missing = _later(text), 0
        for line, source, _, requirement in _ROW.findall(text):
            if part and not line.startswith(part):
                continue
            verdict = _verdict(held[line], outcomes) if line in held else None
            missing += verdict is None and line not in later
            told = verdict or ("not yet" if line in later else "NO TEST")
            self.stdout.write(f"{line:<4} {told:<8} {requirement} [{source}]")
            for test in held.get(line, []):
                self.stdout.write(f"              {test}")
        if missing:
            self.stderr.write(f"{missing} lines have no test.")
            sys.exit(1)


def _later(text: str) -> set[str]:
    """Of `A24 to A26` each."""
    found = _NOT_YET.search(text)
    lines: set[str] = set()
    for word in re.split(r",\s*", found[1]) if found else []:
        first, _, last = word.partition(" to ")
        letter = first[0]
        lines |= {f"{letter}{n}" for n in range(int(first[1:]), int((last or first)[1:]) + 1)}
    return lines


@cache
def _held(tests: Path) -> Mapping[str, list[str]]:
    held: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(tests.rglob("test_*.py")):
        text = path.read_text()
        if "mark.conforms" not in text:  # most have none, and reading them takes its time
            continue
        module = ast.parse(text)
        for name, lines in _marked(module.body, (), _of_module(module)):
            for line in lines:
                held[line].append(f"{path.relative_to(ROOT)}::{name}")
    return dict(held)


def _marked(
    body: Sequence[ast.stmt], scope: tuple[str, ...], inherited: list[str]
) -> Iterator[tuple[str, list[str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _marked(node.body, (*scope, node.name), [*inherited, *_lines(node)])
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield "::".join([*scope, node.name]), [*inherited, *_lines(node)]


def _lines(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    return [line for each in node.decorator_list for line in _arguments(each)]


def _of_module(module: ast.Module) -> list[str]:
    """`pytestmark = pytest.mark.conforms("A1")`"""
    return [
        line
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        for each in ast.walk(node.value)
        for line in _arguments(each)
    ]


def _arguments(node: ast.AST) -> list[str]:
    if not isinstance(node, ast.Call) or ast.unparse(node.func) != "pytest.mark.conforms":
        return []
    return [str(ast.literal_eval(argument)) for argument in node.args]


def _outcomes() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(_OUTCOMES.read_text())
    except OSError:
        return {}
    return found


def _verdict(tests: list[str], outcomes: Mapping[str, str]) -> str:
    """Of all the cases of its tests."""
    found = {
        outcome
        for test in tests
        for case, outcome in outcomes.items()
        if case.partition("[")[0] == test
    }
    if not found:
        return "not run"
    return "passed" if found == {"passed"} else "FAILED"
