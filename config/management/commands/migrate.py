"""Django's `migrate`, as the owner of the tables where `DATABASE_OWNER_URL` names one."""

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import connections

_OWNER = "owner"


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        if _OWNER in connections:
            parser.set_defaults(database=_OWNER)

    def get_check_kwargs(self, options: Any) -> Any:
        """Without those of the database: what they find missing, migrating may put in place."""
        return super().get_check_kwargs(options) | {"databases": None}
