"""Why: for whoever answers the telephone."""

import json
import sys
from typing import Any, Final
from uuid import UUID

from django.core.management import CommandError, CommandParser
from rich.table import Table
from rich.text import Text

from audit import wiring
from audit.application.explaining import Explanation, Step
from audit.application.reading import ViewEvents
from audit.management.exits import AnsweringCommand
from audit.ports import Criteria
from core.result import Failure
from core.terminal import console, printable
from users.queries import user_id_of

_NOT_THERE: Final = 1


class Command(AnsweringCommand):
    help = (
        "Tells in plain words why a session ended, or what was refused, locked and ended of an"
        " account, newest first. That somebody asked is on record. Exit code 0: told, 1: nothing on"
        " the trail, 3: no answer. Examples: manage.py explain --user ada@example.com; manage.py"
        " explain --session 01a20e92-98bb-7f6a-8c00-6c1d6d7037ea --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        wanted = parser.add_mutually_exclusive_group(required=True)
        wanted.add_argument("--session", type=UUID, metavar="ID")
        wanted.add_argument("--user", metavar="ADDRESS", help="or an id")
        parser.add_argument("--json", action="store_true", help="one object, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        found = _explanation(options["session"], options["user"])
        if found is None:
            self.stderr.write("There is nothing of it on the trail: is the address or id right?")
            sys.exit(_NOT_THERE)
        if options["json"]:
            self.stdout.write(json.dumps(_as_document(found), ensure_ascii=False))
        else:
            _tell(self.stdout, found)


def _explanation(session: UUID | None, person: str | None) -> Explanation | None:
    user = user_id_of(person) if person else None
    if session is None and user is None:
        return None
    asked = ViewEvents(criteria=Criteria(subject=user, resource_id=session), size=0)
    if isinstance(viewed := wiring.view_events().handle(asked), Failure):
        raise CommandError(viewed.error.message)
    explainer = wiring.explainer()
    return explainer.session(session) if session else explainer.account(user) if user else None


def _as_document(found: Explanation) -> dict[str, object]:
    steps = [
        {
            "event": str(step.event.id),
            "at": step.event.at,
            "text": step.text,
            "by": step.doer.value,
            "stated_reason": step.stated_reason,
        }
        for step in found.steps
    ]
    return {"summary": found.summary, "steps": steps, "is_whole": found.is_whole}


def _tell(stream: Any, found: Explanation) -> None:
    """On a terminal folded to its width; else a line a step."""
    out = console(stream)
    table = Table.grid("", "", padding=(0, 2, 0, 0))
    for step in found.steps:
        table.add_row(Text(_moment(step), "cyan"), _sentence(step))
    lines = (Text.assemble(_moment(step), "  ", _sentence(step)) for step in found.steps)
    out.print(Text(printable(found.summary), "bold"), soft_wrap=not out.is_terminal)
    for each in [table] if out.is_terminal else lines:
        out.print(each, soft_wrap=not out.is_terminal)
    if not found.is_whole:
        out.print(Text("There is more: manage.py audit_tail.", "dim"))


def _moment(step: Step) -> str:
    return step.event.at[:16].replace("T", " ")


def _sentence(step: Step) -> Text:
    sentence = Text.assemble(printable(step.text), (f" By {step.doer}.", "dim"))
    if step.stated_reason:
        sentence.append(f' "{printable(step.stated_reason)}"', "italic")
    return sentence
