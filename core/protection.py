"""Which columns may change only together with an event of their own.

An app says it of its models when it is ready; `audit` puts the triggers in place.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from core import unit_of_work

protected: dict[str, tuple[str, ...]] = {}
"""Columns by table. Inserting and deleting a row is always protected."""

IN_UNIT = "dashtam_in_unit"


def protect(model: type[Model], *, except_for: tuple[str, ...] = ()) -> None:
    """`except_for` are the fields that only keep count, such as when a session was last seen."""
    protected[model._meta.db_table] = tuple(
        str(field.column) for field in model._meta.concrete_fields if field.name not in except_for
    )


def teach_sqlite(sender: object, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """For `connection_created`. SQLite's triggers ask whether a unit of work is writing; a shell
    that does not know the function changes nothing."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(IN_UNIT, 0, unit_of_work.is_writing)
