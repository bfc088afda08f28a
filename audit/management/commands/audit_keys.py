"""The keys that checkpoints are signed with."""

import json
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from audit import upkeep, wiring


class Command(BaseCommand):
    help = (
        "Prints the public keys of the trail, one vkey (C2SP signed-note) a line: give them to"
        " your auditor by another way than the bundles. Example: manage.py audit_keys > vkeys"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")
        ways = parser.add_mutually_exclusive_group()
        ways.add_argument(
            "--init", action="store_true", help="make the signing key, where there is none"
        )
        ways.add_argument(
            "--rotate",
            action="store_true",
            help="make a new key: the next checkpoint is signed by both, those after it by the new",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = wiring.key_folder()
        if options["init"]:
            _refuse_a_second(folder.path, has_keys=bool(folder.verifier_keys()))
        if options["rotate"] or options["init"]:
            upkeep.make_signing_key()
        if options["rotate"]:
            self.stderr.write(_ROTATED)
        keys = [key.text() for key in folder.verifier_keys()]
        if options["json"]:
            self.stdout.write(json.dumps({"vkeys": keys}))
        elif keys:
            self.stdout.write("\n".join(keys))
        else:
            self.stderr.write(
                "There is no key yet: the first seal makes it, or `manage.py audit_keys --init`."
            )


_ROTATED = (
    "The next checkpoint is signed by both keys, those after it by the new one. Give the new public"
    " key, the last line, to your auditors: with older keys alone, later checkpoints look forged."
)


def _refuse_a_second(folder: Path, *, has_keys: bool) -> None:
    if has_keys:
        raise CommandError(
            f"There are keys in {folder} already. Where the signing key was lost, --rotate makes a"
            " new one."
        )
    if wiring.is_sealed():
        raise CommandError(
            f"The trail was sealed by keys that are not in {folder}: put AUDIT_FOLDER back, or run"
            " this where the worker runs. The public keys alone (`vkeys`) are in every bundle."
        )
