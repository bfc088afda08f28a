"""Ending all sessions that are there."""

import json
from datetime import timedelta
from typing import Any, Final

from django.core.management import CommandParser

from core import context
from core.errors import DomainError
from core.exits import AnsweringCommand, AsWritten, Refusal, refusal
from core.result import Failure, Result
from core.terminal import moment
from sessions_app import wiring
from sessions_app.application.rotation import LONGEST_GRACE, RotateTokens, Rotation
from users.management.arguments import add_reason, id_of, number

_LONGEST_REASON: Final = 256


class Command(AnsweringCommand):
    help = """\
Ends all sessions and personal access tokens that are there, of one person or of
everybody: after a leak of the database or of the keys. It tells first how many,
and asks.

exit codes:
  0  done
  1  refused, or nobody agreed: nothing has ended
  3  wrong usage, or the database does not answer

examples:
  manage.py rotate_tokens --global --reason "a backup was stolen" --dry-run
  manage.py rotate_tokens --global --reason "a backup was stolen" --grace 3600
  manage.py rotate_tokens --user ada@example.com --reason "phishing" --yes --json"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=AsWritten, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        # Said, and not understood from nothing: a forgotten --user would sign everybody out.
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--user", metavar="EMAIL_OR_ID", help="one person")
        whose.add_argument("--global", action="store_true", help="everybody")
        add_reason(parser, longest=_LONGEST_REASON)
        parser.add_argument(
            "--grace",
            type=number(0, int(LONGEST_GRACE.total_seconds())),
            default=0,
            metavar="SECONDS",
            help="they still work so long: 0",
        )
        parser.add_argument("--dry-run", action="store_true", help="tell what would end")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--json", action="store_true", help="one object")

    def handle(self, *args: Any, **options: Any) -> None:
        with context.ensured():
            self._rotate(_ordered(options), options)

    def _rotate(self, command: RotateTokens, options: dict[str, Any]) -> None:
        would = _unwrapped(wiring.look_at_rotation(command))
        if options["dry_run"]:
            self._tell("It would end", would, options)
            return
        if not options["yes"]:
            self.stderr.write(f"This ends {_told(would)}. Type yes:")
            if not _agreed():
                raise Refusal("Nothing has ended. In a script, say --yes.")
        self._tell("Ended:", _unwrapped(wiring.rotate_tokens().handle(command)), options)

    def _tell(self, begun: str, rotation: Rotation, options: dict[str, Any]) -> None:
        if not options["json"]:
            self.stdout.write(f"{begun} {_told(rotation)}.")
            return
        document = {
            "dry_run": options["dry_run"],
            "sessions": rotation.sessions,
            "personal_tokens": rotation.personal_tokens,
            "effective_at": rotation.effective_at.isoformat(),
        }
        self.stdout.write(json.dumps(document))


def _ordered(options: dict[str, Any]) -> RotateTokens:
    return RotateTokens(
        user_id=None if options["global"] else id_of(options["user"]),
        reason=options["reason"],
        grace=timedelta(seconds=options["grace"]),
    )


def _unwrapped(result: Result[Rotation, DomainError]) -> Rotation:
    if isinstance(result, Failure):
        raise refusal(result.error)
    return result.value


def _told(rotation: Rotation) -> str:
    return (
        f"{rotation.sessions} sessions and {rotation.personal_tokens} personal tokens, at"
        f" {moment(rotation.effective_at)}"
    )


def _agreed() -> bool:
    try:
        return input() == "yes"
    except EOFError:  # nobody is there to answer
        return False
