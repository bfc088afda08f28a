"""A bundle for an auditor."""

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from audit import wiring
from audit.domain.checkpoint import NotAuthentic
from audit.domain.errors import MissingRowError


class Command(BaseCommand):
    help = (
        "Writes a part of the sealed trail into a new folder, with its checkpoint, its proof and"
        " two programs that check it without Dashtam: python3 FOLDER/audit_verify.py FOLDER."
        " What is personal stays encrypted. Example: manage.py audit_export --out bundle-2026-11"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, help="the folder, which must be new")
        parser.add_argument("--first", type=int, default=0, help="the first leaf: 0")
        parser.add_argument("--last", type=int, help="behind the last leaf: all that is sealed")

    def handle(self, *args: Any, out: Path, first: int, last: int | None, **options: Any) -> None:
        try:
            bundle = wiring.bundle(first, last)
            bundle.write(out)
        except FileExistsError:
            raise CommandError(f"{out} is there already: name a new folder.") from None
        except (ValueError, MissingRowError, NotAuthentic, OSError) as error:
            raise CommandError(str(error)) from None
        wiring.record_export(bundle)
        self.stdout.write(
            f"{bundle.last - bundle.first} entries are in {out}. Give the public keys"
            " (manage.py audit_keys) to your auditor by another way."
        )
