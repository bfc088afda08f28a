"""A sealed trail is dear to make: it is made once, and copied into the transaction of each test. A
transaction that stayed open meanwhile would keep the sealers of other workers waiting."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from audit.adapters.keys import KeyFolder
from tests.sql_trail import SqlTrail, emptied_on_postgresql
from tests.undone import undone

_TABLES: Final = ("audit_event", "audit_tile", "audit_checkpoint", "audit_frontier")


@dataclass(frozen=True)
class _Original:
    trail: SqlTrail
    folder: Path
    tables: dict[str, tuple[str, bytes]]
    """The columns of each, and its rows as PostgreSQL copies them."""


@pytest.fixture(scope="session")
def _original_trail(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> _Original:
    folder = tmp_path_factory.mktemp("original")
    with django_db_blocker.unblock(), undone():
        emptied_on_postgresql()
        trail = SqlTrail.sealed("default", KeyFolder(folder))
        return _Original(trail, folder, {table: _copied(table) for table in _TABLES})


@pytest.fixture
def sealed_trail(db: None, _original_trail: _Original, tmp_path: Path) -> SqlTrail:
    """In a transaction that is rolled back, with all that was done to triggers and tables."""
    original = _original_trail.trail
    shutil.copytree(_original_trail.folder, tmp_path / "audit")
    emptied_on_postgresql()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_frontier")
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, (columns, rows) in _original_trail.tables.items():
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                copy.write(rows)
        cursor.execute("SET LOCAL session_replication_role = origin")
    return replace(original, keeper=KeyFolder(tmp_path / "audit"), notes=[*original.notes])


def _copied(table: str) -> tuple[str, bytes]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} LIMIT 0")
        columns = ", ".join(column.name for column in cursor.description or ())
        copy: Any
        with cursor.copy(f"COPY (SELECT {columns} FROM {table}) TO STDOUT") as copy:
            return columns, b"".join(map(bytes, copy))
