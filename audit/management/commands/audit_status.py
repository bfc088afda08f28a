"""The trail at a glance."""

import json
import sys
from dataclasses import asdict
from typing import Any, Final

from django.core.checks import CheckMessage, Tags, run_checks
from django.core.management import CommandError, CommandParser
from rich.table import Table
from rich.text import Text

from audit import wiring
from audit.application.status import TrailStatus
from audit.management.exits import AnsweringCommand
from core.checks import UPKEEP
from core.terminal import console

_ATTENTION: Final = 2


class Command(AnsweringCommand):
    help = (
        "Tells how much is sealed, what waits, and what somebody should look at. Exit code 0: all"
        " is well, 2: read the lines at the end, 3: it cannot tell. Example:"
        " manage.py audit_status --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            status = wiring.status()
        except (OSError, ValueError) as error:
            raise CommandError(f"The checkpoint outside cannot be read: {error}") from None
        warnings = [*status.warnings, *map(_sentence, _checks())]
        self._tell_json(status, warnings) if options["json"] else self._tell(status, warnings)
        if warnings:
            sys.exit(_ATTENTION)

    def _tell(self, status: TrailStatus, warnings: list[str]) -> None:
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in _rows(status):
            table.add_row(Text(name, "bold"), Text(value))
        out = console(self.stdout)
        out.print(table)
        for warning in warnings:
            out.print(Text(f"! {warning}", "yellow"))

    def _tell_json(self, status: TrailStatus, warnings: list[str]) -> None:
        self.stdout.write(json.dumps({**asdict(status), "warnings": warnings}, default=str))


def _checks() -> list[CheckMessage]:
    found = run_checks(tags=[Tags.database, Tags.security, UPKEEP], databases=["default"])
    ours = [each for each in found if str(each.id).startswith("audit.")]
    return [each for each in ours if not each.is_silenced()]


def _sentence(message: CheckMessage) -> str:
    return f"{message.msg} {message.hint or ''} ({message.id})"


def _rows(status: TrailStatus) -> list[tuple[str, str]]:
    return [
        ("Sealed", f"{status.size:,} events; the last checkpoint is {_ago(status.sealed_ago)}"),
        ("Waiting", f"{status.waiting:,} for their seal, the oldest {status.waits:.0f} s"),
        ("Open attempts", f"{status.open_attempts:,}"),
        ("Outside", f"{status.outside:,} events" if status.outside is not None else "nothing"),
        ("Public keys", ", ".join(status.keys) or "none"),
        *(("Anchor", f"{name}: {size:,} events") for name, size in status.anchors.items()),
    ]


def _ago(seconds: float | None) -> str:
    return "not there yet" if seconds is None else f"{seconds:.0f} s old"
