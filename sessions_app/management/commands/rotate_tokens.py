"""Ending all sessions that are there."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management import BaseCommand, CommandError, CommandParser

from core.result import Failure
from sessions_app import wiring
from sessions_app.application.rotation import RotateTokens, Rotation


class Command(BaseCommand):
    help = (
        "Ends all sessions and personal access tokens that are there, of one person or of"
        " everybody: after a leak of the database or of the keys. Example: manage.py rotate_tokens"
        " --reason 'a backup was stolen' --grace 3600"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True, help="for the audit trail")
        parser.add_argument("--user", type=UUID, help="the id of one person; everybody without it")
        parser.add_argument(
            "--grace", type=int, default=0, metavar="SECONDS", help="they still work so long: 0"
        )
        parser.add_argument("--dry-run", action="store_true", help="tell what would end")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, reason: str, user: UUID | None, **options: Any) -> None:
        command = RotateTokens(
            user_id=user, reason=reason, grace=timedelta(seconds=options["grace"])
        )
        looked = wiring.look_at_rotation(command)
        if isinstance(looked, Failure):
            raise CommandError(looked.error.message)
        would = looked.value
        if options["dry_run"]:
            self.stdout.write(f"It would end {_told(would)}.")
            return
        if not options["yes"] and not _agreed(would):
            raise CommandError("Nothing has ended. In a script, say --yes.")
        rotated = wiring.rotate_tokens().handle(command)
        if isinstance(rotated, Failure):
            raise CommandError(rotated.error.message)
        self.stdout.write(f"Ended: {_told(rotated.value)}.")


def _told(rotation: Rotation) -> str:
    return (
        f"{rotation.sessions} sessions and {rotation.personal_tokens} personal tokens, at"
        f" {rotation.effective_at:%Y-%m-%d %H:%M:%S} UTC"
    )


def _agreed(would: Rotation) -> bool:
    try:
        return input(f"This ends {_told(would)}. Type yes: ") == "yes"
    except EOFError:  # nobody is there to answer
        return False
