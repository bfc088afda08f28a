"""A bundle for an auditor."""

import json
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from rich.console import Console
from rich.progress import Progress

from audit import wiring
from audit.domain.checkpoint import NotAuthentic
from audit.domain.errors import MissingRowError


class Command(BaseCommand):
    help = (
        "Writes a part of the sealed trail into a new folder, with its checkpoint, its proof and"
        " two programs that check it without Dashtam: python3 FOLDER/audit_verify.py FOLDER."
        " What is personal stays encrypted. Example: manage.py audit_export --from 2026-11-01"
        " --to 2026-12-01 --out bundle-2026-11"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, help="the folder, which must be new")
        parser.add_argument("--from", dest="since", type=_time, help="recorded then or later (UTC)")
        parser.add_argument("--to", dest="until", type=_time, help="recorded before then (UTC)")
        parser.add_argument("--first", type=int, help="the first leaf, in the place of a time")
        parser.add_argument("--last", type=int, help="behind the last leaf")
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        try:
            bundle = _chosen(options)
            with _progress(bundle) as told:
                bundle.write(out, told)
        except FileExistsError:
            raise CommandError(f"{out} is there already: name a new folder.") from None
        except (ValueError, MissingRowError, NotAuthentic, OSError, DatabaseError) as error:
            raise CommandError(str(error).splitlines()[0]) from None
        wiring.record_export(bundle)
        self._tell(bundle, out, as_json=options["json"])

    def _tell(self, bundle: wiring.Bundle, out: Path, *, as_json: bool) -> None:
        count = bundle.last - bundle.first
        if as_json:
            told = {"out": str(out), "first": bundle.first, "last": bundle.last, "count": count}
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write(
            f"{count:,} entries are in {out}. Give the public keys (manage.py audit_keys) to your"
            " auditor by another way."
        )


def _chosen(options: dict[str, Any]) -> wiring.Bundle:
    by_leaf = options["first"] is not None or options["last"] is not None
    if by_leaf and (options["since"] or options["until"]):
        raise CommandError("Choose by time or by leaves, not by both.")
    if options["since"] or options["until"]:
        return wiring.bundle_of(options["since"], options["until"])
    return wiring.bundle(options["first"] or 0, options["last"])


@contextmanager
def _progress(bundle: wiring.Bundle) -> Iterator[Callable[[int], None]]:
    """For eyes alone."""
    console = Console(file=sys.stderr)
    with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("Entries", total=bundle.last - bundle.first)
        yield lambda done: bar.update(task, completed=done)


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time: write it as 2026-11-01") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
