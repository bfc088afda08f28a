from typing import Any

from django.core.management import BaseCommand, CommandError

from core import container
from core.health import migrations_are_applied
from core.result import Failure
from users import wiring
from users.application.administration import IssueSetupLink


class Command(BaseCommand):
    help = (
        "Prints the one-use link (24 hours) on which the first admin chooses a password; "
        "a link printed before stops working. Example: manage.py setup_link"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not migrations_are_applied():
            raise CommandError("There are no tables yet: run `manage.py migrate` first.")
        issued = wiring.issue_setup_link().handle(IssueSetupLink())
        if isinstance(issued, Failure):
            raise CommandError(issued.error.message)
        settings = container.get_settings()
        token = issued.value.text(settings.token_keys)
        self.stdout.write(f"{settings.public_url}/setup#{token}")
