"""The migration that makes the trail, on both databases: forward, back, and over an older trail."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from environ import Env
from psycopg import sql

from audit.domain.entry import sole_id
from core.ids import uuid7
from tests import trail_before_sealing as before
from tests.migrating import migrate
from tests.plugin.services import Services

NOWHERE = [("audit", None)]
HERE = [("audit", "0001_provable_trail")]
TABLES = {
    f"audit_{name}"
    for name in ("event", "tile", "frontier", "checkpoint", "anchor", "subject", "cluster")
}
REMAINS = {
    "postgresql": "SELECT proname FROM pg_proc WHERE proname LIKE 'audit%%' UNION ALL"
    " SELECT relname FROM pg_class WHERE relname LIKE 'audit%%'",
    "sqlite": "SELECT name FROM sqlite_master WHERE name LIKE 'audit%%'",
}
CHANGES = {
    "postgresql": [
        "UPDATE audit_event_before_sealing SET action = 'x'",
        "SET session_replication_role = replica; DELETE FROM audit_event_before_sealing",
        "TRUNCATE audit_event_before_sealing",
    ],
    "sqlite": [
        "UPDATE audit_event_before_sealing SET action = 'x'",
        "DELETE FROM audit_event_before_sealing",
        "REPLACE INTO audit_event_before_sealing SELECT * FROM audit_event_before_sealing",
    ],
}


@pytest.fixture(params=["postgresql", "sqlite"])
def connection(
    request: pytest.FixtureRequest, tmp_path: Path, transactional_db: None, services: Services
) -> Iterator[BaseDatabaseWrapper]:
    """To an empty database."""
    if request.param == "sqlite":
        yield from connected(f"sqlite:///{tmp_path / 'database.sqlite3'}")
        return
    database = f"migrated_{secrets.token_hex(6)}"
    name = sql.Identifier(database)
    with psycopg.connect(services.server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield from connected(f"{services.server_url.rpartition('/')[0]}/{database}")
        finally:
            server.execute(sql.SQL("DROP DATABASE {}").format(name))


def connected(url: str) -> Iterator[BaseDatabaseWrapper]:
    connection = ConnectionHandler({"default": Env.db_url_config(url)})["default"]
    try:
        yield connection
    finally:
        connection.close()


def execute(connection: BaseDatabaseWrapper, statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def tables(connection: BaseDatabaseWrapper) -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith("audit")}


def expected(connection: BaseDatabaseWrapper) -> set[str]:
    return TABLES - ({"audit_cluster"} if connection.vendor == "sqlite" else set())


class TestMigration:
    """Uses fixtures: connection (to an empty database, one of each kind)."""

    def test_it_makes_the_tables(self, connection: BaseDatabaseWrapper) -> None:
        migrate(connection, HERE)
        assert tables(connection) == expected(connection)

    def test_the_edge_of_the_tree_is_there_and_empty(self, connection: BaseDatabaseWrapper) -> None:
        migrate(connection, HERE)
        found = execute(connection, "SELECT id, size, cursor_seq FROM audit_frontier")
        assert found == [(1, 0, 0)]

    def test_back_it_leaves_nothing(self, connection: BaseDatabaseWrapper) -> None:
        migrate(connection, HERE)
        migrate(connection, NOWHERE)
        assert execute(connection, REMAINS[connection.vendor]) == []

    def test_it_runs_again_after_it_was_taken_back(self, connection: BaseDatabaseWrapper) -> None:
        for targets in (HERE, NOWHERE, HERE):
            migrate(connection, targets)
        assert tables(connection) == expected(connection)


@pytest.fixture
def older(connection: BaseDatabaseWrapper) -> UUID:
    """The id of a record that was there before; it is migrated."""
    statements = {"postgresql": [before.POSTGRESQL], "sqlite": before.SQLITE}
    with connection.schema_editor() as editor:
        for statement in statements[connection.vendor]:
            editor.execute(statement, params=None)
    event = sole_id()
    ids = [event, uuid7()]
    on_sqlite = connection.vendor == "sqlite"
    execute(connection, before.INSERT, *([each.hex for each in ids] if on_sqlite else ids))
    migrate(connection, HERE)
    return event


class TestOlderTrail:
    """Uses fixtures: connection, older (a record of before the migration)."""

    def test_it_is_set_aside_with_its_rows(
        self, connection: BaseDatabaseWrapper, older: UUID
    ) -> None:
        found = execute(connection, "SELECT id, action FROM audit_event_before_sealing")
        assert [(UUID(str(event)), action) for event, action in found] == [(older, "user.login")]

    def test_the_new_one_begins_empty(self, connection: BaseDatabaseWrapper, older: UUID) -> None:
        assert tables(connection) == expected(connection) | {"audit_event_before_sealing"}
        assert execute(connection, "SELECT count(*) FROM audit_event") == [(0,)]

    @pytest.mark.parametrize("number", range(3))
    def test_what_was_recorded_stays_as_it_was(
        self, connection: BaseDatabaseWrapper, older: UUID, number: int
    ) -> None:
        with pytest.raises(DatabaseError, match="append-only"):
            execute(connection, CHANGES[connection.vendor][number])

    def test_back_and_forward_it_stays(self, connection: BaseDatabaseWrapper, older: UUID) -> None:
        for targets in (NOWHERE, HERE):
            migrate(connection, targets)
        assert execute(connection, "SELECT count(*) FROM audit_event_before_sealing") == [(1,)]
