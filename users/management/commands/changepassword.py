"""In the place of Django's, which would change a row past the handlers and the trail."""

from typing import Any, NoReturn

from django.core.management import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Changes no password: nobody chooses the password of somebody else."

    def run_from_argv(self, argv: list[str]) -> NoReturn:
        self.stderr.write(f"CommandError: {self.help}")
        raise SystemExit(1)

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        raise CommandError(self.help)
