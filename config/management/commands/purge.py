"""What nobody needs any more, now instead of when the worker comes to it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

from django.core.management import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.text import Text

from core.errors import DomainError
from core.result import Failure, Result
from core.terminal import console
from mail import wiring as mail_wiring
from mail.delivery import KEEP_GIVEN_UP
from sessions_app import wiring as sessions_wiring
from sessions_app.application.purging import KEEP_ENDED, PurgedSessions, PurgeSessions
from users import wiring as users_wiring
from users.application.accounts import (
    KEEP_EXPIRED,
    KEEP_FAILURES,
    PurgedTokens,
    PurgeTokens,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Purged:
    """Rows of a kind; they go when `after` days have passed since they were `over`."""

    kind: str
    rows: int
    over: str
    after: timedelta


class Command(BaseCommand):
    help = (
        "Removes what was over long ago, as the worker does each day: sessions, tokens, passes of"
        " devices, counts of failures, mails that were given up. The trail keeps what happened."
        " Example: manage.py purge --dry-run"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="tell what would go")
        parser.add_argument("--json", action="store_true", help="one object a line, for machines")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if not options["json"]:
            self.stdout.write("It would remove:" if dry_run else "Removed:")
        # Kind by kind: what has gone is told, also where the next one fails.
        for purge in _LOOKS if dry_run else _PURGES:
            with Console(stderr=True).status("counting" if dry_run else "removing"):
                purged = list(purge())
            for each in purged:
                self._tell(each, dry_run, as_json=options["json"])

    def _tell(self, purged: Purged, dry_run: bool, *, as_json: bool) -> None:
        if as_json:
            kept = {"kept_days": purged.after.days, "dry_run": dry_run}
            self.stdout.write(json.dumps({"kind": purged.kind, "rows": purged.rows, **kept}))
            return
        rule = f"{purged.over} more than {purged.after.days} days ago"
        line = Text.assemble((f"{purged.rows:>9}  ", "bold"), f"{purged.kind:<24}", (rule, "dim"))
        console(self.stdout).print(line)


def _look_at_sessions() -> Iterator[Purged]:
    return _of_sessions(sessions_wiring.look_at_purge())


def _purge_sessions() -> Iterator[Purged]:
    return _of_sessions(_done(sessions_wiring.purge_sessions().handle(PurgeSessions())))


def _of_sessions(rows: PurgedSessions) -> Iterator[Purged]:
    yield Purged("sessions", rows.sessions, "ended", KEEP_ENDED)
    yield Purged("personal access tokens", rows.personal_tokens, "ended", KEEP_ENDED)


def _look_at_tokens() -> Iterator[Purged]:
    return _of_tokens(users_wiring.look_at_purge())


def _purge_tokens() -> Iterator[Purged]:
    return _of_tokens(_done(users_wiring.purge_tokens().handle(PurgeTokens())))


def _of_tokens(rows: PurgedTokens) -> Iterator[Purged]:
    yield Purged("one-use tokens", rows.tokens, "expired", KEEP_EXPIRED)
    yield Purged("passes of devices", rows.device_passes, "expired", KEEP_EXPIRED)
    yield Purged("counts of failures", rows.failure_counts, "last added to", KEEP_FAILURES)


def _look_at_mails() -> Iterator[Purged]:
    yield Purged("mails", mail_wiring.postman().look(), "given up", KEEP_GIVEN_UP)


def _purge_mails() -> Iterator[Purged]:
    yield Purged("mails", mail_wiring.postman().purge(), "given up", KEEP_GIVEN_UP)


def _done(result: Result[T, DomainError]) -> T:
    if isinstance(result, Failure):
        raise CommandError(result.error.message)
    return result.value


_Purges = tuple[Callable[[], Iterator[Purged]], ...]
_LOOKS: Final[_Purges] = (_look_at_sessions, _look_at_tokens, _look_at_mails)
_PURGES: Final[_Purges] = (_purge_sessions, _purge_tokens, _purge_mails)
