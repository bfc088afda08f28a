"""Something to look at, in an installation that is empty."""

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.core.management import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from audit import upkeep
from audit.application.sealing import SealRefusedError
from audit.domain.errors import NoSigningKeyError
from audit.domain.subject import named_day, named_month_of_addresses, named_user
from audit.queries.events import DjangoSubjectDirectory
from config.demo.events import DemoSeeded
from config.demo.lives import MONTH, Life
from config.demo.stories import life_of
from config.demo.writing import (
    Pseudonyms,
    days_of_before_are_taken,
    write_events,
    write_people,
)
from core import container
from core.clock import SystemClock
from core.health import migrations_are_applied
from core.settings import Environment
from users.domain.roles import Role
from users.models import User

_AT_ONCE: Final = 2000
"""People: of as many, what happened is sorted and written together."""
_PEOPLE, _EVENTS = 26, 3000
_MOST_OF_EACH: Final = 1000
"""Events of one account in a month."""
_OF_A_VISIT, _OF_EACH = 2.2, 4
"""Events: about so many, and so many that everybody begins with."""


class Command(BaseCommand):
    help = (
        "Fills an empty installation with made-up accounts and a month of events, to look at in"
        " the admin panel. Refuses in production, and where there are accounts already. Nobody can"
        " sign in to a demo account; the trail says first of all that they are made up. Example:"
        " manage.py seed_demo --size 100000 --users 5000"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--size", type=int, default=_EVENTS, metavar="EVENTS", help=f"about: {_EVENTS}"
        )
        parser.add_argument(
            "--users", type=int, default=_PEOPLE, metavar="PEOPLE", help=f"accounts: {_PEOPLE}"
        )
        parser.add_argument("--seed", type=int, default=1, help="for other lives than those of 1")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, size: int, users: int, seed: int, **options: Any) -> None:
        _refuse_where_it_does_not_belong()
        if min(size, users) < 1:
            raise CommandError("Ask for at least one account and one event.")
        if size > users * _MOST_OF_EACH:
            raise CommandError(f"Nobody does so much: say --users={-(-size // _MOST_OF_EACH)}.")
        if not options["yes"] and not _agreed(users):
            raise CommandError("Nothing was made up. In a script, say --yes.")
        visits = max(0, round((size / users - _OF_EACH) / _OF_A_VISIT))
        events = _seed(users, seed, visits)
        _seal()
        if options["json"]:
            self.stdout.write(json.dumps({"accounts": users, "events": events}))
            return
        self.stdout.write(
            f"{users} accounts and {events} events of the last {MONTH.days} days were made up.\n"
            "Nobody can sign in to them. Look at them as an admin: /admin/."
        )


def _refuse_where_it_does_not_belong() -> None:
    if container.get_settings().environment is Environment.PRODUCTION:
        raise CommandError("This is production: nothing is made up here.")
    if not migrations_are_applied():
        raise CommandError("There are no tables yet: run `manage.py migrate` first.")
    if User.objects.exclude(role=Role.ADMIN).exists():
        raise CommandError(
            "There are accounts here: what is made up would stand among what happened. Use an empty"
            " database, e.g. DATABASE_URL=sqlite:///demo.sqlite3."
        )


def _agreed(users: int) -> bool:
    try:
        asked = f"This makes up {users} accounts, which stay on the trail for ever. Type yes: "
        return input(asked) == "yes"
    except EOFError:  # nobody is there to answer
        return False


def _seed(users: int, seed: int, visits: int) -> int:
    """All of it, or nothing."""
    database = container.get_database()
    written = 0
    with database.get_session() as unit, _progress() as progress:
        told = progress.add_task("making up", total=users)
        container.get_event_bus().publish(DemoSeeded(people=users, seed=seed), session=unit)
        database.write()
        pseudonyms = _pseudonyms()  # one of them is of today, since the event above
        with days_of_before_are_taken(SystemClock().now() - MONTH):
            for lives in _lives(users, seed, visits):
                write_people(lives)
                written += write_events(lives, pseudonyms)
                progress.advance(told, len(lives))
    return written


def _lives(users: int, seed: int, visits: int) -> Iterator[list[Life]]:
    now = SystemClock().now()
    admin = User.objects.filter(role=Role.ADMIN).values_list("pk", flat=True).first()
    for first in range(0, users, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, users))
        yield [life_of(n, seed=seed, now=now, visits=visits, admin=admin) for n in numbers]


def _pseudonyms() -> Pseudonyms:
    """With those that this installation has already: of today, and of its admins."""
    now, keys = SystemClock().now(), container.get_settings().audit_keys
    days = [now - timedelta(days=n) for n in range(MONTH.days + 2)]
    names = {each for day in days for each in (named_day(day), named_month_of_addresses(day))}
    names |= {named_user(pk) for pk in User.objects.values_list("pk", flat=True)}
    found = DjangoSubjectDirectory(keys).by_name(*names)
    return Pseudonyms(keys, {each.name: each.subject for each in found})


def _seal() -> None:
    """What the worker would do."""
    try:
        upkeep.seal_and_publish()
    except (SealRefusedError, NoSigningKeyError, ValueError, OSError) as error:
        sys.stderr.write(f"Not sealed yet: {error}\n")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
