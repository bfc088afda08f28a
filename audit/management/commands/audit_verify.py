"""The trail against what was signed."""

import json
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress

from audit import wiring
from audit.application.verification.verifier import Progress as Told
from audit.application.verification.verifier import Report, Verified
from audit.domain.checkpoint import Checkpoint, VerifierKey, read_checkpoint
from audit.domain.findings import Finding, Kind
from audit.management.exits import AnsweringCommand
from core.exits import AsWritten
from core.terminal import printable

_SHOWN = 100
_VERDICTS = {
    0: "In order",
    1: "TAMPERED WITH: the first line names the first bad leaf",
    2: "Incomplete: nothing was changed, but something is late, or not there yet",
}

_NONE_OUTSIDE = Finding(
    Kind.OUTSIDE, "no checkpoint is kept outside the database: `manage.py audit_seal` tells more"
)


class Command(AnsweringCommand):
    help = """\
Reads the trail and names the first record that is not as it was sealed.

exit codes:
  0  in order
  1  tampered with
  2  incomplete: something is late or not sealed yet, no checkpoint is kept outside
     the database, or nothing has the id
  3  wrong usage, or the trail cannot be read

examples:
  manage.py audit_verify --json                   each night
  manage.py audit_verify --since-last             each minute: what is new
  manage.py audit_verify --sample 1000            a quick look at a long trail
  manage.py audit_verify --id 01a20eb1-b3e8-70d4-a66a-d56984685106
  manage.py audit_verify --vkey vkeys --checkpoint last-year
                                                  with what was kept elsewhere"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=AsWritten, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        ways = parser.add_mutually_exclusive_group()
        ways.add_argument("--full", action="store_true", help="all of it; this is the default")
        ways.add_argument(
            "--since-last",
            action="store_true",
            help="what is new since the last time that all was in order",
        )
        ways.add_argument(
            "--sample",
            metavar="N",
            type=_positive,
            help="N random leaves, each proved to be in the last checkpoint",
        )
        ways.add_argument("--id", metavar="UUID", type=UUID, help="one event, proved likewise")
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
            help="one that was kept elsewhere: shows whether history was rewritten since. Not with"
            " --sample or --id",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["checkpoint"] and (options["sample"] or options["id"]):
            raise CommandError(
                "--checkpoint speaks of all leaves: not with --sample, not with --id."
            )
        try:
            keys = _keys(options["vkey"])
            outside = [read_checkpoint(note, keys) for note in _notes(options)]
        except (OSError, ValueError) as error:
            raise CommandError(f"Cannot begin: {error}") from None
        report = self._report(keys, outside, options)
        if options["vkey"] is None and report.size and wiring.key_folder().checkpoint() is None:
            report = report.with_finding(_NONE_OUTSIDE)
        self._tell_json(report) if options["json"] else self._tell(report)
        if report.exit_code:
            sys.exit(report.exit_code)

    def _report(
        self, keys: Sequence[VerifierKey], outside: Sequence[Checkpoint], options: dict[str, Any]
    ) -> Report:
        verifier = wiring.verifier(keys)
        if options["id"]:
            return verifier.verify_one(options["id"])
        with self._progress() as told:
            if options["sample"]:
                return verifier.verify_some(options["sample"], told)
            since = self._last() if options["since_last"] else None
            report = verifier.verify(since, outside, told)
        self._keep(report)
        return report

    def _last(self) -> Verified | None:
        record = wiring.verified_file()
        try:
            last = record.read()
        except (OSError, ValueError) as error:
            self.stderr.write(f"All is read: {error}")
            return None
        if last is None:
            self.stderr.write(f"All is read: no verification has left {record.path} yet.")
        return last

    def _keep(self, report: Report) -> None:
        """An auditor may not write here, and need not."""
        if report.verified is None or report.exit_code:
            return
        try:
            wiring.verified_file().keep(report.verified)
        except OSError as error:
            self.stderr.write(f"The next --since-last begins where this one did: {error}")

    @contextmanager
    def _progress(self) -> Iterator[Told]:
        """For eyes alone."""
        console = Console(file=sys.stderr)
        with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task("Leaves", total=None)
            yield lambda done, of: bar.update(task, completed=done, total=of)

    def _tell(self, report: Report) -> None:
        for finding in report.findings[:_SHOWN]:
            self.stdout.write(printable(str(finding)))
        if (hidden := len(report.findings) - _SHOWN) > 0:
            self.stdout.write(f"… and {hidden} more")
        self.stdout.write(
            f"{_VERDICTS[report.exit_code]}. Checked: {report.checked:,}, sealed:"
            f" {report.size:,}, root {report.root.hex()}."
        )

    def _tell_json(self, report: Report) -> None:
        document = {
            "exit": report.exit_code,
            "checked": report.checked,
            "size": report.size,
            "root": report.root.hex(),
            "findings": [_told(finding) for finding in report.findings],
        }
        self.stdout.write(json.dumps(document))


def _told(finding: Finding) -> dict[str, object]:
    return {
        "kind": finding.kind,
        "leaf": finding.leaf,
        "id": str(finding.id) if finding.id else None,
        "detail": finding.detail,
    }


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise ArgumentTypeError(f"{text!r} is no number of leaves: 1 or more")
    return int(text)


def _notes(options: dict[str, Any]) -> list[str]:
    """Read before the trail is: the sealer keeps a checkpoint after it is in the database."""
    kept = None if options["vkey"] else wiring.key_folder().checkpoint()
    return [*([kept] if kept else []), *(path.read_text() for path in options["checkpoint"])]


def _keys(path: Path | None) -> list[VerifierKey]:
    """Raises `ValueError` where there are none: everything would look forged."""
    if path is None:
        folder = wiring.key_folder()
        if not (keys := list(folder.verifier_keys())) and wiring.is_sealed():
            raise ValueError(
                f"there are no public keys in {folder.path} (AUDIT_FOLDER). Run it where the worker"
                " runs, or name the keys with --vkey."
            )
        return keys
    return [VerifierKey.read(line) for line in path.read_text().splitlines() if line]
