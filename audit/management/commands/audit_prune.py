"""Old months leave the database for archives."""

import re
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import Error

from audit import wiring
from audit.application.pruning import PrunedMonth
from audit.domain.checkpoint import NotAuthentic
from audit.domain.errors import ArchiveError, MissingRowError, PruneRefusedError


class Command(BaseCommand):
    help = (
        "Moves whole months of the trail into archives, each a bundle that proves itself, and"
        " drops them from the database (PostgreSQL). The hashes stay, and so does every proof."
        " Keep the archives: nothing else has these events. Example: manage.py audit_prune"
        " --before 2025-01 --out /mnt/archive --yes"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--before", required=True, metavar="MONTH", help="months before this one, e.g. 2025-01"
        )
        parser.add_argument("--out", type=Path, required=True, help="the folder of the archives")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, before: str, out: Path, yes: bool, **options: Any) -> None:
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", before):
            raise CommandError(f"{before} is not a month: write it as 2025-01.")
        try:
            pruner = wiring.pruner()
        except PruneRefusedError as error:
            raise CommandError(str(error)) from None
        if not yes and not _agreed(before):
            raise CommandError("Nothing was pruned. In a script, say --yes.")
        try:
            months = [self._told(month) for month in pruner.prune(before, out)]
        except (PruneRefusedError, ArchiveError, MissingRowError, NotAuthentic, OSError) as error:
            raise CommandError(str(error)) from None
        except Error as error:
            raise CommandError(
                f"The database refused: {error}".strip() + " Is DATABASE_OWNER_URL the owner's?"
            ) from None
        if not months:
            self.stdout.write(f"There is no month before {before} to prune.")

    def _told(self, month: PrunedMonth) -> str:
        where = month.archive or "an earlier archive, or was empty"
        self.stdout.write(f"{month.name} is in {where}, and no longer in the database.")
        return month.name


def _agreed(before: str) -> bool:
    try:
        return input(f"Archive and drop all months before {before}? Type yes: ") == "yes"
    except EOFError:  # nobody is there to answer
        return False
