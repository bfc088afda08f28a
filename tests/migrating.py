"""Running migrations on another database than that of the tests."""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor


def migrate(connection: BaseDatabaseWrapper, targets: list[Any]) -> None:
    """As the default connection: by its alias, Django finds where it notes what is applied."""
    shared = connections["default"]
    connections["default"] = connection
    try:
        MigrationExecutor(connection).migrate(targets)
    finally:
        connections["default"] = shared
