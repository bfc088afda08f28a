"""System checks: what would quietly break a promise of the trail.

Those of the database run in `manage.py check --database default` and in `/health/ready`, which
only errors make unready.
"""

import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from audit import grants, protection
from audit.adapters.keys import SIGNING_KEY
from audit.queries import lag
from core import container
from core.checks import UPKEEP
from core.protection import protected
from core.settings import Environment

SQL: Final = Path(__file__).resolve().parent / "sql"
_FULL: Final = 2
LATE: Final = 60
"""Seconds; a seal takes one or two."""


@register(Tags.database)
def triggers_are_in_place(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    return [
        Error(
            f"The trigger {trigger} of {table} is missing or off:"
            " rows could change without a record.",
            hint=_MIGRATE if table in protected else _LOOK_INTO_IT,
            id="audit.E001",
        )
        for alias in databases or []
        for table, trigger in _missing_triggers(connections[alias])
    ]


@register(Tags.database)
def nobody_else_has_triggers(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    return [
        Error(
            f"There is a trigger of somebody else on {table}: {trigger}. It could swallow records.",
            hint=_LOOK_INTO_IT,
            id="audit.E009",
        )
        for alias in databases or []
        for table, trigger in _foreign_triggers(connections[alias])
    ]


@register(Tags.database)
def there_is_a_partition(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    return [
        Error(
            f"The trail has no partition for {month}: nothing can be recorded.",
            hint=_PARTITIONS,
            id="audit.E008",
        )
        for alias in databases or []
        for month in _missing_partition(connections[alias], ahead=0)
    ]


@register(Tags.database, UPKEEP)
def partitions_are_ahead(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    return [
        CheckWarning(
            f"The trail has no partition for {month}: without it nothing can be recorded then.",
            hint=_PARTITIONS,
            id="audit.W002",
        )
        for alias in databases or []
        for month in _missing_partition(connections[alias], ahead=1)
    ]


@register(UPKEEP)
def the_seal_is_not_late(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    return [
        CheckWarning(
            f"Events have waited {longest:.0f} s for their seal.",
            hint="Is `manage.py worker` running? `manage.py audit_seal` tells what is wrong. On"
            " PostgreSQL a long transaction of anybody in the cluster delays seals.",
            id="audit.W007",
        )
        for alias in databases or []
        if _has_trail(connections[alias]) and (longest := lag.waiting(alias).longest) > LATE
    ]


@register(Tags.database)
def the_application_cannot_change_the_trail(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Where somebody else is to own it: one role alone is for the next check."""
    connection = connections["default"]
    if "default" not in (databases or []) or _is_the_only_role(connection):
        return []
    with connection.cursor() as cursor:
        cursor.execute(_EXCESSIVE, {"trail": list(grants.TRAIL), "protected": list(protected)})
        excessive = cursor.fetchall()
    return [
        Error(
            f"The application's role can change {table}: {rights}.",
            hint="Let the role of DATABASE_OWNER_URL own the tables, and run `manage.py migrate`.",
            id="audit.E003",
        )
        for table, rights in excessive
    ]


@register(Tags.database)
def there_are_two_roles(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    in_production = container.get_settings().environment is Environment.PRODUCTION
    connection = connections["default"]
    if "default" not in (databases or []) or not in_production:
        return []
    if connection.vendor != "postgresql" or not _is_the_only_role(connection):
        return []
    return [
        CheckWarning(
            "The application owns the trail: who takes it over can switch the triggers off.",
            hint="Set DATABASE_OWNER_URL, as docs/how-to/production.md shows.",
            id="audit.W005",
        )
    ]


@register(Tags.database)
def what_is_committed_is_on_the_disk(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    return [
        CheckWarning(
            "SQLite answers before a commit is on the disk: a power cut may take the last records.",
            hint="Set PRAGMA synchronous=FULL in the OPTIONS of the database.",
            id="audit.W004",
        )
        for alias in databases or []
        if connections[alias].vendor == "sqlite" and _synchronous(connections[alias]) < _FULL
    ]


@register(Tags.security)
def nobody_else_reads_the_signing_key(**_: Any) -> list[CheckMessage]:
    path = Path(container.get_settings().audit_folder) / SIGNING_KEY
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:  # none here, or none for us
        return []
    if mode & 0o177 == 0:
        return []
    return [
        Error(
            f"{path} has the mode {mode:04o}: others could sign checkpoints.",
            hint=f"chmod 600 {path}, and rotate the key if others were on this machine.",
            id="audit.E006",
        )
    ]


_PARTITIONS: Final = "`manage.py worker` makes them, and so does `manage.py migrate`."
_MIGRATE: Final = "Run `manage.py migrate`; it puts these triggers in place at its end."
_LOOK_INTO_IT: Final = (
    "Find out who switched it off, and what `manage.py audit_verify` says; then put it in place"
    " again as audit/sql/ has it."
)


def _missing_triggers(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        wanted = {
            (table, name)
            for table in protected.keys() & tables
            for name in protection.names_of(table)
        }
        if "audit_event" in tables:
            wanted |= _OF_THE_TRAIL[connection.vendor](cursor)
        cursor.execute(_ACTIVE[connection.vendor])
        return sorted(wanted - set(cursor.fetchall()))


def _foreign_triggers(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        if "audit_event" not in connection.introspection.table_names(cursor):
            return []
        ours = _OF_THE_TRAIL[connection.vendor](cursor)
        cursor.execute(_ALL[connection.vendor])
        tables = {table for table, _ in ours}
        return sorted(each for each in cursor.fetchall() if each[0] in tables and each not in ours)


def _on_postgresql(cursor: CursorWrapper) -> set[tuple[str, str]]:
    tables = grants.TRAIL.keys() - {"audit_event", "audit_event_before_sealing"}
    wanted = {("audit_subject", f"audit_subject_{kind}") for kind in ("only_erase", "needs_event")}
    wanted |= {(table, f"{table}_{kind}") for table in tables for kind in _KINDS}
    kinds = (*_KINDS, "accept")
    parts = ["audit_event", *_partitions(cursor)]
    return wanted | {(part, f"audit_event_{kind}") for part in parts for kind in kinds}


def _on_sqlite(cursor: CursorWrapper) -> set[tuple[str, str]]:
    texts = [(SQL / name).read_text() for name in ("sqlite.sql", "sqlite_erasing.sql")]
    made = _CREATE_TRIGGER.findall("\n".join(texts))
    return {(table, name) for name, table in made}


def _missing_partition(connection: BaseDatabaseWrapper, *, ahead: int) -> list[str]:
    """Of the month that is so many months ahead, as `2026_01`."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        there = _partitions(cursor)
        if not there:  # before the first migration
            return []
        cursor.execute(
            "SELECT to_char((now() AT TIME ZONE 'UTC') + %s * interval '1 month', 'YYYY_MM')",
            [ahead],
        )
        month: str = cursor.fetchone()[0]
        return [] if f"audit_event_{month}" in there else [month]


def _has_trail(connection: BaseDatabaseWrapper) -> bool:
    """Not before the first migration."""
    with connection.cursor() as cursor:
        return "audit_frontier" in connection.introspection.table_names(cursor)


def _partitions(cursor: CursorWrapper) -> set[str]:
    cursor.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = to_regclass('audit_event')"
    )
    return {name for (name,) in cursor.fetchall()}


def _is_the_only_role(connection: BaseDatabaseWrapper) -> bool:
    """By what the database says: who only serves requests need not know the owner."""
    if connection.vendor != "postgresql":
        return True
    if grants.application_role() is not None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class"
            " WHERE oid = to_regclass('audit_event')"
        )
        return cursor.fetchone() in ((True,), None)


def _synchronous(connection: BaseDatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        level: int = cursor.execute("PRAGMA synchronous").fetchone()[0]
        return level


_KINDS: Final = ("append_only", "no_truncate")
_OF_THE_TRAIL: Final = {"postgresql": _on_postgresql, "sqlite": _on_sqlite}
_CREATE_TRIGGER: Final = re.compile(r"^CREATE TRIGGER (\w+) BEFORE \w+ ON (\w+)", re.MULTILINE)
_ACTIVE: Final = {
    # A replica keeps what the origin wrote: the trigger that dates a row is not ALWAYS.
    "postgresql": """
        SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE t.tgenabled = 'A' OR (t.tgenabled = 'O' AND t.tgname = 'audit_event_accept')
    """,
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
}
_ALL: Final = {
    "postgresql": """
        SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal
    """,
    "sqlite": _ACTIVE["sqlite"],
}
# Whoever may become the owner may do all that the owner may.
_EXCESSIVE: Final = """
    SELECT c.relname, string_agg(r.name, ', ' ORDER BY r.name)
    FROM pg_class c, LATERAL (
        SELECT c.relispartition OR c.relname = ANY(%(trail)s) AS is_trail
    ) AS t, LATERAL (VALUES
        ('as its owner', pg_has_role(c.relowner, 'MEMBER')),
        ('TRUNCATE', has_table_privilege(c.oid, 'TRUNCATE')),
        ('TRIGGER', has_table_privilege(c.oid, 'TRIGGER')),
        ('DELETE', is_trail AND has_table_privilege(c.oid, 'DELETE')),
        ('UPDATE', CASE c.relname
            WHEN 'audit_frontier' THEN false
            WHEN 'audit_subject' THEN has_table_privilege(c.oid, 'UPDATE')
            ELSE is_trail AND has_any_column_privilege(c.oid, 'UPDATE')
        END)
    ) AS r (name, is_granted)
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
        AND (is_trail OR c.relname = ANY(%(protected)s)) AND is_granted
    GROUP BY c.relname ORDER BY c.relname
"""
