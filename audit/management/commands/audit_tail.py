"""The trail as it grows."""

import json
from argparse import ArgumentTypeError
from collections.abc import Iterable
from ipaddress import ip_address
from threading import Event
from typing import Any, Final
from uuid import UUID

from django.core.management import CommandError, CommandParser
from rich.text import Text

from audit import wiring
from audit.application.reading import Person, SeenEvent, ViewEvents
from audit.management.exits import AnsweringCommand
from audit.ports import Criteria
from core.actions import Phase
from core.result import Failure
from core.terminal import console, printable

_SECONDS: Final = 1
_COLOURS: Final = {"SUCCEEDED": "green", "FAILED": "red", "ABANDONED": "yellow"}


class Command(AnsweringCommand):
    help = (
        "Prints the last events, from the oldest; --follow goes on until Ctrl-C. That somebody"
        " looks is on record. Example: manage.py audit_tail --follow --phase FAILED"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", "--last", type=int, default=20, help="how many: 20")
        parser.add_argument("-f", "--follow", action="store_true", help="wait for what comes")
        parser.add_argument("--json", action="store_true", help="one JSON document a line")
        parser.add_argument("--subject", type=UUID, help="the user whom it is about")
        parser.add_argument("--actor", type=UUID, help="the user who did it")
        parser.add_argument("--action", help="e.g. user.login")
        parser.add_argument("--ip", type=_address, help="an address")
        parser.add_argument(
            "--phase", action="append", default=[], choices=[phase.name for phase in Phase]
        )

    def handle(self, *args: Any, last: int, follow: bool, **options: Any) -> None:
        criteria = Criteria(
            phases=frozenset(Phase[name] for name in options["phase"]),
            **{name: options[name] for name in ("subject", "actor", "action", "ip")},
        )
        follower = wiring.follower(criteria)
        self._record(criteria)
        tell = self._tell_json if options["json"] else self._tell
        begun = follower.begin(max(last, 0))
        tell(begun)
        if not begun and not follow:
            self.stderr.write("There is no such event.")
        pause = Event()
        try:
            while follow:
                tell(follower.more())
                pause.wait(_SECONDS)
        except KeyboardInterrupt:
            return

    def _record(self, criteria: Criteria) -> None:
        viewed = wiring.view_events().handle(ViewEvents(criteria=criteria, size=0))
        if isinstance(viewed, Failure):
            raise CommandError(viewed.error.message)

    def _tell(self, events: Iterable[SeenEvent]) -> None:
        out = console(self.stdout)
        for event in events:
            out.print(_line(event))

    def _tell_json(self, events: Iterable[SeenEvent]) -> None:
        for event in events:
            self.stdout.write(json.dumps(event.as_document()))
        self.stdout.flush()


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not an address") from None


def _line(event: SeenEvent) -> Text:
    """Text and not markup, and no control characters: no event can colour or hide a line."""
    source = event.source or {}
    parts = [
        (f"{event.at[:19].replace('T', ' ')} ", "dim"),
        (f"{event.phase:<9} ", _COLOURS.get(event.phase, "")),
        (f"{event.action:<24} ", "bold"),
        (f"of {_name(event.subject)} by {_name(event.actor)}", ""),
        (f" from {source['ip']}" if "ip" in source else "", ""),
        (f" ({event.context['reason']})" if "reason" in event.context else "", ""),
        (f" {event.id}", "dim"),
    ]
    return Text.assemble(*((printable(text), style) for text, style in parts))


def _name(person: Person | None) -> str:
    if person is None:
        return "nobody known"
    return str(person.user_id or f"~{person.ref}")
