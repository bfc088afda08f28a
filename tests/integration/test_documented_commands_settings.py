"""Every `manage.py …` that the documents print is a command, with options that it takes."""

import re
import shlex
from argparse import ArgumentParser, _SubParsersAction
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from django.core.management import get_commands, load_command_class

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE: Final = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
SPAN: Final = re.compile(r"`([^`]+)`")
CALL: Final = re.compile(r"manage\.py ([a-z_]+(?: [^\n]*)?)")
# Where the shell goes on: a comment, a redirection, a pipe, the next command.
BEHIND: Final = re.compile(r"\s(?:#|[0-9]?>|\||;|&&).*")


def calls(page: str) -> list[str]:
    """A fence has a command a line; a span may go over the end of one."""
    fences = [line for body in FENCE.findall(page) for line in body.splitlines()]
    spans = [" ".join(span.split()) for span in SPAN.findall(FENCE.sub("", page))]
    found = [match[1] for text in [*fences, *spans] for match in CALL.finditer(text)]
    return [BEHIND.sub("", call).strip() for call in found]


@cache
def parsers(command: str) -> dict[str, ArgumentParser]:
    """Of a command, and by name of each of its verbs."""
    app = get_commands()[command]
    assert isinstance(app, str)
    parser = load_command_class(app, command).create_parser("manage.py", command)
    verbs = [each for each in parser._actions if isinstance(each, _SubParsersAction)]
    return {"": parser} | {name: verb for each in verbs for name, verb in each.choices.items()}


def fault(call: str) -> str | None:
    command, *words = shlex.split(call)
    if command not in get_commands():
        return "no command"
    known = parsers(command)
    verb = words[0] if words and words[0] in known else ""
    if len(known) > 1 and not verb and words:
        return "no verb"
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    unknown = options - known[verb]._option_string_actions.keys()
    return f"no option {', '.join(sorted(unknown))}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_the_documents_is_there(page: Path) -> None:
    faults = {call: fault(call) for call in calls(page.read_text())}
    assert {call: found for call, found in faults.items() if found} == {}


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("```\n$ manage.py seal_all > file\n```", {"seal_all": "no command"}),
        ("`manage.py\naudit_verify --everything`", {"audit_verify --everything": "no option"}),
        ("   ```\n   manage.py users remove ada\n   ```", {"users remove ada": "no verb"}),
        ("`manage.py users lock --hours=4`", {"users lock --hours=4": "None"}),
        ("`manage.py users`, manage.py nothing", {"users": "None"}),
    ],
)
def test_what_is_not_there_is_found(page: str, found: dict[str, str]) -> None:
    faults = {call: str(fault(call)) for call in calls(page)}
    assert faults.keys() == found.keys()
    assert all(faults[call].startswith(told) for call, told in found.items())
