"""Accounts of another system."""

import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, BinaryIO, Final

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from rich.console import Console
from rich.progress import Progress

from core import context
from core.exits import AsWritten
from core.health import migrations_are_applied
from core.terminal import printable
from users import wiring
from users.application.importing import COLUMNS, AccountReader
from users.domain.roles import Role
from users.management.importing import Status, Take, Tally, Told, UnavailableError, outcomes
from users.management.records import WrongColumns, read_csv, read_jsonl

_REFUSED: Final = 1
_UNREADABLE: Final = 2
_INTERRUPTED: Final = 130
_FORMATS: Final = {"csv": read_csv, "jsonl": read_jsonl}
_ENDINGS: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_STEP: Final = 50  # lines, from one move of the bar to the next


class Command(BaseCommand):
    help = f"""\
Makes the accounts of another system, with its password hashes: Argon2, bcrypt,
PBKDF2 and scrypt, as Django, PHC, passlib and Werkzeug write them. Each hash is
made anew as its owner signs in.

FILE has a line for each account, as CSV whose first line names the columns, or
as JSON objects (.jsonl), with email and some of the others:
  {", ".join(COLUMNS[:4])},
  {", ".join(COLUMNS[4:])}

A line that is refused is told with its number and spoils no other. An account
that is there already stays as it is: the same file may be run again.

exit codes:
  0  every account is there
  1  lines were refused
  2  the file cannot be read or has other columns, or the database is gone

examples:
  manage.py import_users accounts.csv --dry-run
  manage.py import_users accounts.csv > refused.txt
  zcat accounts.jsonl.gz | manage.py import_users - --format jsonl --json"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=AsWritten, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="- is the standard input")
        parser.add_argument(
            "--format", choices=sorted(_FORMATS), help="where the name of the file does not tell"
        )
        parser.add_argument("--dry-run", action="store_true", help="tell all, write nothing")
        parser.add_argument(
            "--allow-roles",
            action="store_true",
            help="take admins and auditors too; else a line with such a role is refused",
        )
        parser.add_argument(
            "--json", action="store_true", help="one JSON object a line, the counts at the end"
        )

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read it has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(_UNREADABLE)

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        read = _FORMATS[options["format"] or _format_of(file)]
        reader = AccountReader(roles=frozenset(Role)) if options["allow_roles"] else AccountReader()
        tally = Tally()
        try:
            if not migrations_are_applied():
                raise _unreadable("There are no tables yet: run `manage.py migrate` first.")
            with (
                _opened(file) as source,
                _taking(options) as take,
                self._shown(source, options) as show,
            ):
                for told in outcomes(read(source, COLUMNS), reader, take):
                    tally.add(told)
                    show(told)
        except WrongColumns as error:
            raise _unreadable(str(error)) from None
        except BrokenPipeError:
            raise
        except (KeyboardInterrupt, OSError, DatabaseError, UnavailableError) as error:
            self._tell(tally, options)
            raise _stopped(error, tally.line) from None
        self._tell(tally, options)
        if tally.counts[Status.REFUSED]:
            sys.exit(_REFUSED)

    @contextmanager
    def _shown(self, source: BinaryIO, options: dict[str, Any]) -> Iterator[Callable[[Told], None]]:
        """What is told of the lines, and a bar for eyes alone."""
        console = Console(file=sys.stderr, soft_wrap=True, highlight=False, markup=False)
        has_bar = sys.stderr.isatty()
        size = _size_of(source) if has_bar else None
        # Where both are on one terminal, above the bar.
        write = console.print if has_bar and self.stdout.isatty() else self.stdout.write
        with Progress(console=console, transient=True, disable=not has_bar) as bar:
            task = bar.add_task("Lines", total=size)

            def show(told: Told) -> None:
                if told.status is not Status.IMPORTED:
                    write(told.as_document() if options["json"] else printable(str(told)))
                if has_bar and told.line % _STEP == 0:
                    place = source.tell() if size else 0
                    bar.update(task, completed=place, description=f"{told.line:,} lines")

            yield show

    def _tell(self, tally: Tally, options: dict[str, Any]) -> None:
        counts = {status: tally.counts[status] for status in Status}
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": options["dry_run"], **counts}))
            return
        begun = "Nothing was written. It would import" if options["dry_run"] else "Imported"
        imported, existing, refused = (f"{count:,}" for count in counts.values())
        self.stdout.write(f"{begun} {imported}; there already: {existing}; refused: {refused}.")


@contextmanager
def _taking(options: dict[str, Any]) -> Iterator[Take]:
    """One correlation on the trail for all lines."""
    with context.ensured():
        if not options["dry_run"]:
            yield wiring.import_user().handle
            return
        with wiring.rehearsed_import() as rehearsal:
            yield rehearsal.handle


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    if file == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return open(file, "rb")
    except OSError as error:
        raise _unreadable(f"{file}: {error.strerror}.") from None


def _format_of(file: str) -> str:
    for ending, name in _ENDINGS.items():
        if file.lower().endswith(ending):
            return name
    raise _unreadable("Say --format csv or --format jsonl: the name of the file does not.")


def _size_of(source: BinaryIO) -> int | None:
    """None where nobody knows how much will come."""
    found = os.fstat(source.fileno())
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _unreadable(text: str) -> CommandError:
    return CommandError(printable(text), returncode=_UNREADABLE)


def _stopped(error: BaseException, line: int) -> CommandError:
    interrupted = isinstance(error, KeyboardInterrupt)
    reason = "interrupted" if interrupted else str(error).strip().partition("\n")[0]
    return CommandError(
        f"Stopped behind line {line} ({printable(reason)}). What is there stays: run it again with"
        " the same file.",
        returncode=_INTERRUPTED if interrupted else _UNREADABLE,
    )
