"""One look at what is not sealed yet, for a cron job or a curious operator."""

import json
import sys
from typing import Any

from django.core.management import CommandError, CommandParser

from audit import upkeep
from audit.application.sealing import SealRefusedError
from audit.domain.errors import NoSigningKeyError
from audit.management.exits import AnsweringCommand

_REFUSED = 1


class Command(AnsweringCommand):
    help = (
        "Seals what was recorded and prints the checkpoint. The worker does it every second;"
        " exit code 1 when the trail is not the one that was signed, 3 when it cannot seal."
        " Example: manage.py audit_seal"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = upkeep.seal_and_publish()
        except SealRefusedError as error:
            self.stderr.write(str(error))
            sys.exit(_REFUSED)
        except (NoSigningKeyError, ValueError, OSError) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            found = {"size": made.size, "root": made.root.hex()} if made else None
            self.stdout.write(json.dumps({"sealed": found}))
        elif made is None:
            self.stdout.write("Nothing to seal.")
        else:
            self.stdout.write(f"{made.size:,} entries are sealed.\n\n{made.body()}")
