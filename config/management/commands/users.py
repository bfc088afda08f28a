"""Accounts, for whoever keeps the server."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.management import CommandParser

from core import context
from core.clock import SystemClock
from core.exits import AnsweringCommand, AsWritten
from core.terminal import moment, print_facts, print_rows
from sessions_app.management import listing
from sessions_app.ports import SessionWithUser
from sessions_app.queries import recorded_sessions
from users import queries, wiring
from users.application.reading import ViewUser, ViewUsers
from users.domain.lockout import FailureCount
from users.domain.roles import Role
from users.domain.user import User
from users.management import accounts
from users.management.arguments import add_limit, add_reason, id_of, number
from users.management.changes import CHANGES, LONGEST_LOCK, unwrap
from users.ports import UserCriteria

_MOST_SESSIONS: Final = 100


class Command(AnsweringCommand):
    help = """\
Lists accounts, shows one, locks and unlocks it, switches it off and on: as over
the API, and on the trail with its reason. That somebody looks is on it, too.

exit codes:
  0  done
  1  refused, and the message says why
  3  wrong usage, or the database does not answer

examples:
  manage.py users list --email @example.com --locked
  manage.py users show ada@example.com
  manage.py users lock ada@example.com --hours 48 --reason "somebody guesses"
  manage.py users deactivate ada@example.com --reason "has left"
  manage.py users list --inactive --json | jq -r .email"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=AsWritten, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, title="what to do")
        _describe_list(verbs.add_parser("list", help="newest first"))
        _describe(verbs.add_parser("show", help="the account, its lock and its live sessions"))
        for verb, (_, text) in CHANGES.items():
            changing = verbs.add_parser(verb, help=text)
            _describe(changing)
            add_reason(changing)
            if verb == "lock":
                _describe_period(changing)

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with context.ensured():
            if verb == "list":
                self._list(options)
            elif verb == "show":
                self._show(options)
            else:
                change, _ = CHANGES[verb]
                done = change(id_of(options["person"]), options)
                self.stdout.write(json.dumps(done.document) if options["json"] else done.text)

    def _list(self, options: dict[str, Any]) -> None:
        now, limit = SystemClock().now(), options["limit"]
        query = ViewUsers(criteria=_criteria(options, now), size=limit + 1)
        found = unwrap(wiring.view_users().handle(query))
        self._print(found[:limit], now, is_json=options["json"])
        if not found:
            self.stderr.write("There is no such account.")
        if len(found) > limit:
            self.stderr.write(f"There are more than {limit}: say --limit.")

    def _print(self, found: Sequence[User], now: datetime, *, is_json: bool) -> None:
        locked = queries.locked_among([user.id for user in found], now)
        if not is_json:
            rows = (accounts.row(user, locked) for user in found)
            print_rows(self.stdout, accounts.COLUMNS, rows)
            return
        for user in found:
            document = accounts.document(user) | {"is_locked": user.id in locked}
            self.stdout.write(json.dumps(document))

    def _show(self, options: dict[str, Any]) -> None:
        user = unwrap(wiring.view_user().handle(ViewUser(user_id=id_of(options["person"]))))
        shown = _look_at(user, SystemClock().now())
        if options["json"]:
            self.stdout.write(json.dumps(shown.as_document()))
        else:
            print_facts(self.stdout, shown.as_facts())


@dataclass(frozen=True, kw_only=True)
class _Shown:
    user: User
    strangers: FailureCount
    others: int
    live: Sequence[SessionWithUser]
    last: datetime | None
    now: datetime

    def as_facts(self) -> list[tuple[str, str]]:
        return [
            *accounts.facts(self.user),
            ("Lock", accounts.lock_text(self.strangers, self.others, self.now)),
            ("Last sign-in", moment(self.last) if self.last else "none in the last 90 days"),
            *(("Live session", listing.line(each.session)) for each in self.live),
        ]

    def as_document(self) -> dict[str, Any]:
        return accounts.document(self.user) | {
            "lock": accounts.lock_document(self.strangers, self.others, self.now),
            "last_sign_in_at": self.last.isoformat() if self.last else None,
            "sessions": [listing.document(each, self.now) for each in self.live],
        }


def _look_at(user: User, now: datetime) -> _Shown:
    strangers = wiring.failures_of_strangers(user)
    newest = recorded_sessions(now, user_id=user.id, size=1)
    return _Shown(
        user=user,
        strangers=strangers,
        # The strangers' own may have been counted before there was an account, for nobody.
        others=max(0, queries.count_locks(user.id, now) - strangers.is_locked(now)),
        live=recorded_sessions(now, user_id=user.id, is_live=True, size=_MOST_SESSIONS),
        last=newest[0].session.created_at if newest else None,
        now=now,
    )


def _criteria(options: dict[str, Any], now: datetime) -> UserCriteria:
    return UserCriteria(
        email_part=options["email"],
        role=Role(options["role"]) if options["role"] else None,
        is_active=False if options["inactive"] else None,
        locked_at=now if options["locked"] else None,
    )


def _describe_list(parser: ArgumentParser) -> None:
    parser.add_argument("--email", metavar="PART", help="of the address, in any case")
    parser.add_argument("--role", choices=[role.value for role in Role])
    parser.add_argument("--inactive", action="store_true", help="those that are switched off")
    parser.add_argument("--locked", action="store_true", help="whom some cannot sign in as now")
    add_limit(parser)
    parser.add_argument("--json", action="store_true", help="one object a line")


def _describe(parser: ArgumentParser) -> None:
    parser.add_argument("person", metavar="EMAIL_OR_ID")
    parser.add_argument("--json", action="store_true", help="one object")


def _describe_period(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--hours", type=number(1, LONGEST_LOCK), default=24, metavar="N", help="so long: 24"
    )
