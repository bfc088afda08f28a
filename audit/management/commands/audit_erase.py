"""Erasing a person from the trail, without touching an entry."""

from typing import Any
from uuid import UUID

from django.core.management import BaseCommand, CommandError, CommandParser

from audit import wiring
from audit.application.erasing import EraseSubject
from core import container
from core.result import Failure


class Command(BaseCommand):
    help = (
        "Destroys the key of what is personal about a user on the trail: who it was cannot be"
        " read any more, here or in any export, and every proof stays valid. Attempts that were"
        " made before they were signed in follow after AUDIT_UNKNOWN_DAYS. It cannot be undone; the"
        " account itself is not touched. Example: manage.py audit_erase --user"
        " 01a20e92-98bb-7f6a-ac00-6c1d6d7037ea --yes"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", type=UUID, required=True, help="the id of the user")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, user: UUID, yes: bool, **options: Any) -> None:
        if not yes and not _agreed(user):
            raise CommandError("Nothing was erased. In a script, say --yes.")
        result = wiring.erase_subject().handle(EraseSubject(user_id=user))
        if isinstance(result, Failure):
            raise CommandError(result.error.message)
        days = container.get_settings().audit_unknown_days
        self.stdout.write(
            "Erased. The entries and their proofs are as they were. What was typed before anybody"
            f" was signed in, such as the address of a sign-in that was tried, is under the keys of"
            f" its days, which are destroyed after {days} days (AUDIT_UNKNOWN_DAYS)."
        )


def _agreed(user: UUID) -> bool:
    try:
        return input(f"Erase {user} from the trail for good? Type yes: ") == "yes"
    except EOFError:  # nobody is there to answer
        return False
