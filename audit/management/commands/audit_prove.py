"""One event, provable to somebody who has neither Dashtam nor its database."""

import sys
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.core.management import CommandError, CommandParser

from audit import wiring
from audit.application.proving import NOT_SEALED_YET
from audit.application.reading import ViewEvent
from audit.management.exits import NO_ANSWER, AnsweringCommand
from core.errors import ErrorCode
from core.result import Failure

_DAMAGED: Final = 1
_NOT_YET: Final = 2


class Command(AnsweringCommand):
    help = (
        "Prints the proof (C2SP tlog-proof) that an event is on the signed trail. With the exact"
        " bytes of the event (--entry) and a public key, `audit_verify.py --proof` of any bundle"
        " checks it. Exit code 0: proved, 1: not what was sealed, 2: not sealed yet, 3: no such"
        " event, or wrong usage. Example: manage.py audit_prove"
        " 01a20e92-98bb-7f6a-ac00-6c1d6d7037ea --entry event.json > event.tlog-proof"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("event", type=UUID, help="the id of the event")
        parser.add_argument(
            "--entry", type=Path, metavar="FILE", help="write what was recorded, byte for byte"
        )

    def handle(self, *args: Any, event: UUID, entry: Path | None, **options: Any) -> None:
        viewed = wiring.view_event().handle(ViewEvent(id=event))
        if isinstance(viewed, Failure):
            self.stderr.write(viewed.error.message)
            sys.exit(_DAMAGED if viewed.error.code is ErrorCode.NOT_AS_SEALED else NO_ANSWER)
        seen, proof = viewed.value
        if proof is None:
            self.stderr.write(NOT_SEALED_YET.message)
            sys.exit(_NOT_YET)
        if entry:
            try:
                entry.write_bytes(seen.entry)
            except OSError as error:
                raise CommandError(str(error)) from None
        self.stdout.write(proof.text, ending="")
