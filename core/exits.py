"""Exit codes that say what they say: 1 and 2 are answers, 3 is that there was none."""

import os
import sys
from argparse import RawDescriptionHelpFormatter
from typing import Any, ClassVar, Final, NoReturn

from django.core.management import BaseCommand, CommandError, CommandParser
from django.core.management.base import DjangoHelpFormatter, OutputWrapper
from django.db import Error as DatabaseError

from core.errors import DomainError, InfrastructureError

REFUSED: Final = 1
NO_ANSWER: Final = 3


class Refusal(CommandError):
    """It was understood, and it is not done: the text says what to do."""


class AsWritten(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Keeps the lines of the examples."""


class AnsweringCommand(BaseCommand):
    """Wrong usage, and a database or a file that cannot be read, end with 3 and a sentence."""

    # An error that a check finds would exit with 1, which says something else here.
    requires_system_checks = []
    unreadable: ClassVar[str] = "The database does not answer; `manage.py doctor` looks why"
    """What is told of a database that cannot be read, before its own words."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # It raises then, where it would exit with a code that says something else here; and so do
        # the parsers of subcommands.
        self._called_from_command_line = False
        return super().create_parser(prog_name, subcommand, **kwargs)

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read it has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except CommandError as error:
            _end(self.stderr, error)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            _end(self.stderr, error)
        except DatabaseError as error:
            reason = str(error).strip().splitlines()[0]
            _end(self.stderr, CommandError(f"{self.unreadable}: {reason}"))


def refusal(error: DomainError) -> CommandError:
    """Where a service is away there is no answer."""
    if isinstance(error, InfrastructureError):
        return CommandError(f"{error.message} `manage.py doctor` looks why.")
    return Refusal(error.message)


def _end(stderr: OutputWrapper, error: CommandError) -> NoReturn:
    stderr.write(str(error))
    sys.exit(REFUSED if isinstance(error, Refusal) else NO_ANSWER)
