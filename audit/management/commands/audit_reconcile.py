"""What the sealer and the trail refuse to decide alone."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from audit import upkeep
from audit.domain.checkpoint import NotAuthentic


class Command(BaseCommand):
    help = (
        "After a restore. --new-cluster lets a copy of the database write in another PostgreSQL"
        " cluster; --trust-database makes the last checkpoint in the database the one outside of"
        " it, where that file is lost. Compare it with an anchor first. Example:"
        " manage.py audit_reconcile --new-cluster"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--new-cluster", action="store_true")
        what.add_argument("--trust-database", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new_cluster"]:
            epoch = upkeep.begin_epoch()
            if epoch is None:
                raise CommandError("This is the cluster that the trail was written in last.")
            self.stdout.write(f"Epoch {epoch} of the trail has begun.")
            return
        try:
            size = upkeep.trust_database()
        except (ValueError, NotAuthentic) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"The checkpoint of {size} entries is kept outside again.")
