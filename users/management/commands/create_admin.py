"""For scripts: the first admin without a browser."""

import getpass
import sys
from typing import Any

from django.core.management import CommandError, CommandParser

from core.exits import AnsweringCommand, AsWritten, Refusal, refusal
from core.health import migrations_are_applied
from core.result import Failure
from users import wiring
from users.application.administration import CreateAdmin


class Command(AnsweringCommand):
    help = """\
Makes an admin whose address counts as confirmed. The password is asked for, or
read from a pipe.

exit codes:
  0  done
  1  refused, and the message says why
  3  wrong usage, or the database does not answer

examples:
  manage.py create_admin --email ada@example.com
  printf %s "$PASSWORD" | manage.py create_admin --email ada@example.com"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=AsWritten, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True, help="the address to sign in with")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        if not migrations_are_applied():
            raise CommandError("There are no tables yet: run `manage.py migrate` first.")
        # Not as an argument: those stand in the process list and in the shell's history.
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.read().rstrip("\r\n")
        if not (password + email).isprintable():
            raise Refusal("Address and password must be text in UTF-8, without controls.")
        result = wiring.create_admin().handle(CreateAdmin(email=email, password=password))
        if isinstance(result, Failure):
            raise refusal(result.error)
        self.stdout.write(f"Admin made: {result.value}. Sign in at /admin/.")
