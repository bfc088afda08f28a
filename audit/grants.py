"""With two roles on PostgreSQL the application cannot change the trail, and not only must not.

`DATABASE_OWNER_URL` names the owner of the tables, who migrates; whom `DATABASE_URL` names gets
here, at the end of each migration, what the application needs and nothing more.
"""

from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from audit.repositories.trail import COLUMNS

OWNER: Final = "owner"
"""The alias of the owner's connection, where there is one."""

# Not a table's other columns: nobody chooses when and in which order something was recorded.
TRAIL: Final = {
    "audit_event": f"SELECT, INSERT ({COLUMNS})",
    "audit_tile": "SELECT, INSERT",
    "audit_checkpoint": "SELECT, INSERT",
    "audit_anchor": "SELECT, INSERT",
    "audit_subject": "SELECT, INSERT (ref, name, key_wrapped),"
    " UPDATE (name, key_wrapped, erased_at)",
    "audit_frontier": "SELECT, UPDATE",
    "audit_cluster": "SELECT",
    "audit_event_before_sealing": "SELECT",
}
_OTHERS: Final = {"django_migrations": "SELECT"}
# TRUNCATE asks no row trigger.
_DATA: Final = "SELECT, INSERT, UPDATE, DELETE"
_PARTITION: Final = "SELECT"
_TABLES: Final = """
    SELECT c.relname, c.relispartition FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
        AND pg_get_userbyid(c.relowner) = current_user
    ORDER BY c.relname
"""


def application_role() -> str | None:
    """Whom the application is to the database, where that is not the owner."""
    databases = settings.DATABASES
    if OWNER not in databases or databases["default"]["USER"] == databases[OWNER]["USER"]:
        return None
    return str(databases["default"]["USER"])


def grant_after_migrating(sender: object, using: str, **_: Any) -> None:
    role = application_role()
    if role is not None and using == OWNER:
        grant(connections[using], role)


def grant(connection: BaseDatabaseWrapper, role: str) -> None:
    """Of all that the owner has in this schema; what was granted before is taken back."""
    with connection.cursor() as cursor:
        for statement in list(_statements(cursor, connection.ops.quote_name(role))):
            cursor.execute(statement)


def _statements(cursor: CursorWrapper, role: str) -> Iterator[str]:
    cursor.execute("SELECT quote_ident(current_schema())")
    schema = cursor.fetchone()[0]
    yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"
    cursor.execute(_TABLES)
    for name, is_partition in cursor.fetchall():
        table = f'{schema}."{name}"'
        yield f"REVOKE ALL ON {table} FROM {role}"
        yield f"GRANT {_PARTITION if is_partition else _rights(name)} ON {table} TO {role}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
    yield f"GRANT EXECUTE ON FUNCTION {schema}.audit_make_partition(timestamptz) TO {role}"


def _rights(table: str) -> str:
    return (TRAIL | _OTHERS).get(table, _DATA)
