"""Exit codes that say what they say: 1 and 2 are answers, 3 is that there was none."""

import os
import sys
from typing import Any, Final, NoReturn

from django.core.management import BaseCommand, CommandError, CommandParser
from django.core.management.base import OutputWrapper
from django.db import Error as DatabaseError

NO_ANSWER: Final = 3


class AnsweringCommand(BaseCommand):
    """Wrong usage, and a database or a file that cannot be read, end with 3 and a sentence."""

    # An error that a check finds would exit with 1, which says something else here.
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # It raises then, where it would exit with a code that says something else here.
        parser.called_from_command_line = False
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read it has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except CommandError as error:
            _refuse(self.stderr, str(error))

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            _refuse(self.stderr, str(error))
        except DatabaseError as error:
            reason = str(error).strip().splitlines()[0]
            _refuse(self.stderr, f"Cannot read the trail: {reason}")


def _refuse(stderr: OutputWrapper, text: str) -> NoReturn:
    stderr.write(text)
    sys.exit(NO_ANSWER)
