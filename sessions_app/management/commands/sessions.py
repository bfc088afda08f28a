"""Sessions of anybody, for whoever keeps the server."""

import json
from collections.abc import Iterable
from typing import Any, Final, TypeVar
from uuid import UUID

from django.core.management import CommandParser

from core import context
from core.clock import SystemClock
from core.errors import DomainError, NotFoundError
from core.exits import AnsweringCommand, AsWritten, Refusal, refusal
from core.result import Failure, Result
from core.terminal import print_rows
from sessions_app import queries, wiring
from sessions_app.application.revocation import RevokeSession, RevokeSessions
from sessions_app.management.listing import COLUMNS, document, row
from sessions_app.ports import SessionWithUser
from users import wiring as users_wiring
from users.application.reading import ViewUser, ViewUsers
from users.management.arguments import add_limit, add_reason, id_of

T = TypeVar("T")

_ADVICE: Final = "`manage.py sessions list` shows those that there are."


class Command(AnsweringCommand):
    help = """\
Lists sessions and ends them. What is looked at and what ends is on the trail.

exit codes:
  0  done
  1  refused, and the message says what to do
  3  wrong usage, or the database does not answer

examples:
  manage.py sessions list --user ada@example.com --live
  manage.py sessions revoke 01a20e92-98bb-7f6a-8c00-6c1d6d7037ea --reason "lost"
  manage.py sessions revoke --user ada@example.com --reason "account taken over"
  manage.py sessions list --json | jq -r .id"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=AsWritten, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, title="what to do")
        _describe_list(verbs.add_parser("list", help="newest first", description=_KEPT))
        _describe_revoke(verbs.add_parser("revoke", help="end one, or all of a person's"))

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with context.ensured():
            self._list(options) if verb == "list" else self._revoke(options)

    def _list(self, options: dict[str, Any]) -> None:
        now, limit = SystemClock().now(), options["limit"]
        found = queries.recorded_sessions(
            now, user_id=_looked_at(options["user"]), is_live=options["is_live"], size=limit + 1
        )
        self._print(found[:limit], is_json=options["json"])
        if not found:
            self.stderr.write("There is no such session.")
        if len(found) > limit:
            self.stderr.write(f"There are more than {limit}: say --limit.")

    def _print(self, found: Iterable[SessionWithUser], *, is_json: bool) -> None:
        now = SystemClock().now()
        if not is_json:
            print_rows(self.stdout, COLUMNS, (row(each, now) for each in found))
            return
        for each in found:
            self.stdout.write(json.dumps(document(each, now)))

    def _revoke(self, options: dict[str, Any]) -> None:
        reason, person = options["reason"], options["user"]
        ended = _end_all_of(id_of(person), reason) if person else _end(options["session"], reason)
        if options["json"]:
            self.stdout.write(json.dumps({"sessions": ended}))
        else:
            self.stdout.write(f"Ended: {ended} session{'' if ended == 1 else 's'}.")


_KEPT: Final = "Newest first, also those that ended in the last 90 days."


def _describe_list(parser: CommandParser) -> None:
    parser.add_argument("--user", metavar="EMAIL_OR_ID", help="of one person")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--live", dest="is_live", action="store_const", const=True)
    which.add_argument("--ended", dest="is_live", action="store_const", const=False)
    add_limit(parser)
    parser.add_argument("--json", action="store_true", help="one object a line")


def _describe_revoke(parser: CommandParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("session", nargs="?", type=UUID, metavar="SESSION_ID")
    which.add_argument("--user", metavar="EMAIL_OR_ID", help="all of this person's")
    add_reason(parser)
    parser.add_argument("--json", action="store_true", help="one object: how many ended")


def _looked_at(person: str | None) -> UUID | None:
    """The list names people: that somebody looks is on record first."""
    if person is None:
        _unwrap(users_wiring.view_users().handle(ViewUsers(size=0)))
        return None
    user_id = id_of(person)
    _unwrap(users_wiring.view_user().handle(ViewUser(user_id=user_id)))
    return user_id


def _end(session_id: UUID, reason: str) -> int:
    found = queries.DjangoSessionReader().find(session_id)
    if found is None:
        raise Refusal(f"There is no such session. {_ADVICE}")
    command = RevokeSession(session_id=session_id, user_id=found.user.id, stated_reason=reason)
    _unwrap(wiring.revoke_session().handle(command), "It has ended already.")
    return 1


def _end_all_of(user_id: UUID, reason: str) -> int:
    command = RevokeSessions(user_id=user_id, stated_reason=reason)
    return _unwrap(wiring.revoke_sessions().handle(command))


def _unwrap(result: Result[T, DomainError], not_there: str = "There is no such user.") -> T:
    """What the handlers say of a session that is not there is said to its owner."""
    if not isinstance(result, Failure):
        return result.value
    raise Refusal(not_there) if isinstance(result.error, NotFoundError) else refusal(result.error)
