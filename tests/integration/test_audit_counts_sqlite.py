"""Counting on the trail of SQLite."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

import audit
from audit.adapters.keys import KeyFolder
from audit.ports import EventCounts
from audit.queries.counts import DjangoEventCounts
from tests.contracts.trail import EventCountsContract
from tests.sql_trail import SqlTrail

SQL = Path(audit.__file__).parent / "sql" / "sqlite.sql"
ALIAS = "embedded"


@pytest.fixture
def insert(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Callable[..., None]]:
    """Before the triggers are made, which would take no id of last year."""
    path, tables = tmp_path / "trail.sqlite3", SQL.read_text().index("CREATE TRIGGER")
    with closing(sqlite3.connect(path)) as database:
        database.executescript(SQL.read_text()[:tables])
    settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
    connections.databases[ALIAS] = connections["default"].settings_dict | settings
    connections.databases[ALIAS]["OPTIONS"] = {}
    with django_db_blocker.unblock():
        yield SqlTrail(KeyFolder(tmp_path), [], [], ALIAS).insert
        connections[ALIAS].close()
    del connections[ALIAS], connections.databases[ALIAS]


@pytest.mark.contract(of=EventCounts)
class TestCounts(EventCountsContract):
    """Uses fixtures: insert."""

    @pytest.fixture
    def counts(self, insert: Callable[..., None]) -> EventCounts:
        return DjangoEventCounts(ALIAS)
