"""The trail against what was signed."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandParser

from audit import wiring
from audit.application.verifying import Report
from audit.domain.checkpoint import NotAuthentic, VerifierKey, read_checkpoint

_SHOWN = 100
_USAGE = 3


class Command(BaseCommand):
    help = (
        "Reads the whole trail and names the first record that is not as it was sealed. Exit code"
        " 0: in order, 1: tampered with, 2: incomplete (something is late), 3: wrong usage."
        " Example: manage.py audit_verify --vkey vkeys --checkpoint checkpoint-of-last-year"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")
        parser.add_argument(
            "--vkey",
            metavar="FILE",
            type=Path,
            help="public keys from elsewhere; without it, those of this installation are believed",
        )
        parser.add_argument(
            "--checkpoint",
            metavar="FILE",
            type=Path,
            action="append",
            default=[],
            help="a checkpoint that was kept elsewhere: shows whether history was rewritten",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            keys = _keys(options["vkey"])
            outside = [read_checkpoint(path.read_text(), keys) for path in options["checkpoint"]]
        except (OSError, ValueError, NotAuthentic) as error:
            self.stderr.write(f"Cannot begin: {error}")
            sys.exit(_USAGE)
        report = wiring.verifier(keys).verify(outside=outside, progress=self._progress)
        self._tell_json(report) if options["json"] else self._tell(report)
        if report.exit_code:
            sys.exit(report.exit_code)

    def _progress(self, leaves: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{leaves} leaves", ending="")
            self.stderr.flush()

    def _tell(self, report: Report) -> None:
        for finding in report.findings[:_SHOWN]:
            self.stdout.write(str(finding))
        if (hidden := len(report.findings) - _SHOWN) > 0:
            self.stdout.write(f"… and {hidden} more")
        verdict = {
            0: "In order",
            1: "TAMPERED WITH: the first line names the first bad leaf",
            2: "Incomplete: nothing was changed, but something is late",
        }
        self.stdout.write(
            f"{verdict[report.exit_code]}. {report.checked} entries checked, {report.size} sealed,"
            f" root {report.root.hex()}."
        )

    def _tell_json(self, report: Report) -> None:
        found = [
            {
                "kind": finding.kind,
                "leaf": finding.leaf,
                "id": str(finding.id) if finding.id else None,
                "detail": finding.detail,
            }
            for finding in report.findings
        ]
        self.stdout.write(
            json.dumps(
                {
                    "exit": report.exit_code,
                    "checked": report.checked,
                    "size": report.size,
                    "root": report.root.hex(),
                    "findings": found,
                }
            )
        )


def _keys(path: Path | None) -> list[VerifierKey]:
    if path is None:
        return list(wiring.key_folder().verifier_keys())
    return [VerifierKey.read(line) for line in path.read_text().splitlines() if line]
