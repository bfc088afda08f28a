from django.apps import AppConfig
from django.db.backends.signals import connection_created


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import checks, database, protection  # noqa: F401  importing the checks registers them

        connection_created.connect(database.echo_sql, dispatch_uid="core.echo_sql")
        connection_created.connect(protection.teach_sqlite, dispatch_uid="core.teach_sqlite")
