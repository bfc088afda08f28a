"""The keys that checkpoints are signed with."""

import json
from typing import Any

from django.core.management import BaseCommand, CommandParser

from audit import wiring


class Command(BaseCommand):
    help = (
        "Prints the public keys of the trail, one vkey (C2SP signed-note) a line: give them to"
        " your auditor by another way than the bundles. Example: manage.py audit_keys > vkeys"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")
        parser.add_argument(
            "--init", action="store_true", help="make the signing key, where there is none"
        )
        parser.add_argument(
            "--rotate",
            action="store_true",
            help="make a new key: the next checkpoint is signed by both, those after it by the new",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = wiring.key_folder()
        if options["rotate"] or (options["init"] and not folder.verifier_keys()):
            wiring.make_signing_key()
        keys = [key.text() for key in folder.verifier_keys()]
        if options["json"]:
            self.stdout.write(json.dumps({"vkeys": keys}))
        elif keys:
            self.stdout.write("\n".join(keys))
        else:
            self.stderr.write(
                "There is no key yet: the first seal makes it, or `manage.py audit_keys --init`."
            )
