"""For scripts: the first admin without a browser."""

import getpass
import sys
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from core.health import migrations_are_applied
from core.result import Failure
from users import wiring
from users.application.administration import CreateAdmin


class Command(BaseCommand):
    help = (
        "Makes an admin whose address counts as confirmed. Example: "
        'printf %s "$PASSWORD" | manage.py create_admin --email ada@example.com'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True, help="the address to sign in with")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        if not migrations_are_applied():
            raise CommandError("There are no tables yet: run `manage.py migrate` first.")
        # Not as an argument: those stand in the process list and in the shell's history.
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.read().rstrip("\r\n")
        if not (password + email).isprintable():
            raise CommandError("Address and password must be text in UTF-8, without controls.")
        result = wiring.create_admin().handle(CreateAdmin(email=email, password=password))
        if isinstance(result, Failure):
            raise CommandError(result.error.message)
        self.stdout.write(f"Admin made: {result.value}. Sign in at /admin/.")
