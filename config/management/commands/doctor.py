"""What is well, and what somebody should do about the rest."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.core.checks import ERROR, CheckMessage, run_checks
from django.core.management import BaseCommand, CommandParser
from django.db import Error, connections
from rich.table import Table
from rich.text import Text

from config.findings import BROKEN, LOOK, WELL, Finding
from config.upkeep import keys, seal, worker
from core import container
from core.clock import SystemClock
from core.health import migrations_are_applied
from core.result import Failure
from core.settings import Environment
from core.terminal import console, printable

_COLOURS: Final = {WELL: "green", LOOK: "yellow", BROKEN: "red"}
_AREAS: Final = {"mail": "mail", "audit": "trail", "security": "security"}
"""By the first word of a check's id; all others are about the configuration."""
_TOLD_BEFORE: Final = {"audit.W007"}
"""By `seal`, with its age."""
_CLOCKS_APART: Final = timedelta(seconds=2)


class Command(BaseCommand):
    help = (
        "Looks at the configuration, the services, migrations, clocks, keys, proxies, mail, the"
        " worker and the trail, and says what to do where something is not well. Exit code 1 where"
        " something is broken, 2 where somebody should look. Example: manage.py doctor --json"
    )
    # They are what it tells, one by one.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one object a line, for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(_examine())
        if options["json"]:
            self.stdout.write("\n".join(json.dumps(asdict(finding)) for finding in findings))
        else:
            self._tell(findings)
        verdicts = {finding.verdict for finding in findings}
        if verdicts != {WELL}:
            sys.exit(1 if BROKEN in verdicts else 2)

    def _tell(self, findings: Sequence[Finding]) -> None:
        out = console(self.stdout)
        if not out.is_terminal:
            out.print(Text("\n").join(map(_line, findings)))
            return
        table = Table.grid(padding=(0, 2, 0, 0))
        for finding in findings:
            told = Text(printable(finding.text))
            told.append(f"\n{printable(finding.fix)}" if finding.fix else "", "dim")
            verdict = Text(finding.verdict, _COLOURS[finding.verdict])
            table.add_row(verdict, Text(finding.area, "bold", no_wrap=True), told)
        out.print(table, soft_wrap=False)


def _line(finding: Finding) -> Text:
    line = Text.assemble(
        (f"{finding.verdict:<7}", _COLOURS[finding.verdict]),
        (f"{finding.area:<14}" if finding.text else finding.area, "bold"),
        printable(finding.text),
    )
    if finding.fix:
        line.append(f"\n{' ' * 21}{printable(finding.fix)}", "dim")
    return line


def _examine() -> Iterator[Finding]:
    database = _answers(
        "database",
        container.get_database().ping,
        "Is it running, and is DATABASE_URL right?",
    )
    yield database
    yield _cache()
    yield _proxies()
    if database.verdict == BROKEN:
        yield from _checked(run_checks(), ("configuration", "security"))
        return
    migrations = _migrations()
    yield migrations
    yield _clocks()
    if migrations.verdict == WELL:
        yield from keys()
        yield seal()
        yield worker()
    messages = run_checks(databases=["default"], include_deployment_checks=_in_production())
    others = [message for message in messages if message.id not in _TOLD_BEFORE]
    yield from _checked(others, ("configuration", "security", "mail", "trail"))


def _answers(area: str, ask: Callable[[], object], fix: str) -> Finding:
    try:
        ask()
    except Error as error:
        return Finding(area, BROKEN, _first_line(error), fix)
    return Finding(area, WELL)


def _cache() -> Finding:
    pong = container.get_cache().ping()
    if isinstance(pong, Failure):
        fix = "Is it running, and is REDIS_URL right? Until then each process limits by itself."
        return Finding("cache", BROKEN, pong.error.message, fix)
    return Finding("cache", WELL)


def _proxies() -> Finding:
    proxies = container.get_settings().trusted_proxies
    if proxies or not _in_production():
        return Finding("proxies", WELL, ", ".join(map(str, proxies)))
    return Finding(
        "proxies",
        LOOK,
        "No proxy is trusted.",
        "Behind one, set TRUSTED_PROXIES: otherwise all clients share one limit and one address.",
    )


def _migrations() -> Finding:
    if migrations_are_applied():
        return Finding("migrations", WELL)
    return Finding("migrations", BROKEN, "Some are not applied.", "Run `manage.py migrate`.")


def _clocks() -> Finding:
    """Sessions and locks go by the clocks of the web processes: the database's tells whether this
    one is off."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        (there,) = cursor.fetchone()
    if not isinstance(there, datetime):  # SQLite has no clock of its own
        return Finding("clocks", WELL)
    apart = abs(there.astimezone(UTC) - SystemClock().now())
    if apart < _CLOCKS_APART:
        return Finding("clocks", WELL)
    return Finding(
        "clocks",
        LOOK,
        f"This machine and the database are {apart.total_seconds():.0f} s apart.",
        "Let both follow a time server (NTP).",
    )


def _checked(messages: list[CheckMessage], areas: tuple[str, ...]) -> Iterator[Finding]:
    told = [message for message in messages if not message.is_silenced()]
    for message in told:
        verdict = BROKEN if message.level >= ERROR else LOOK
        yield Finding(_area_of(message), verdict, message.msg, message.hint or "")
    for area in areas:
        if area not in {_area_of(message) for message in told}:
            yield Finding(area, WELL)


def _area_of(message: CheckMessage) -> str:
    return _AREAS.get((message.id or "").partition(".")[0], "configuration")


def _in_production() -> bool:
    return container.get_settings().environment is Environment.PRODUCTION


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
