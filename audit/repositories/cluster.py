"""Transaction ids begin anew in another PostgreSQL cluster: a copy of the database that wakes up
in one must not write before `manage.py audit_reconcile --new-cluster` has begun a new epoch."""

from typing import Final
from weakref import WeakSet

from django.db import OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

_HERE: Final = (
    "SELECT (SELECT system_identifier FROM pg_control_system())"
    " = (SELECT system_identifier FROM audit_cluster ORDER BY epoch DESC LIMIT 1)"
)
_BEGIN: Final = """
    INSERT INTO audit_cluster (epoch, system_identifier)
    SELECT max(c.epoch) + 1, s.system_identifier
    FROM audit_cluster c, pg_control_system() s GROUP BY s.system_identifier RETURNING epoch
"""
_known: WeakSet[object] = WeakSet()


class AnotherClusterError(OperationalError):
    pass


def refuse_another(connection: BaseDatabaseWrapper) -> None:
    """One query for each connection, before its first record."""
    if connection.vendor != "postgresql" or connection.connection in _known:
        return
    with connection.cursor() as cursor:
        cursor.execute(_HERE)
        if cursor.fetchone() != (True,):
            raise AnotherClusterError(
                "This database was restored into another PostgreSQL cluster: run"
                " `manage.py audit_reconcile --new-cluster` once, with everything else stopped."
            )
    _known.add(connection.connection)


def begin_epoch(alias: str) -> int | None:
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return None
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute(_HERE)
        if cursor.fetchone() == (True,):
            return None
        cursor.execute(_BEGIN)
        epoch = int(cursor.fetchone()[0])
        cursor.execute(f"ALTER TABLE audit_event ALTER COLUMN epoch SET DEFAULT {epoch:d}")
    return epoch
