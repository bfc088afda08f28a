"""The trail's table on SQLite, the embedded default."""

import sqlite3
from collections.abc import Iterator
from importlib import import_module

import pytest

ATTEMPT, OUTCOME, SOLE = "0" * 31 + "4", "0" * 31 + "5", "0" * 31 + "6"


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in import_module("audit.migrations.0001_trail").SQLITE:
        connection.execute(statement)
    yield connection
    connection.close()


def insert(database: sqlite3.Connection, row_id: str, phase: int, verb: str = "INSERT") -> None:
    database.execute(
        f"{verb} INTO audit_event (id, phase, action, correlation, entry)"
        " VALUES (?, ?, 'user.login', ?, '{}')",
        [row_id, phase, SOLE],
    )


class TestTrailOnSqlite:
    """Uses fixtures: database (in memory, with the table as the migration makes it)."""

    @pytest.mark.parametrize(("row_id", "phase"), [(ATTEMPT, 1), (OUTCOME, 3), (SOLE, 5)])
    def test_a_record_is_taken(self, database: sqlite3.Connection, row_id: str, phase: int) -> None:
        insert(database, row_id, phase)
        assert database.execute("SELECT phase FROM audit_event").fetchall() == [(phase,)]

    @pytest.mark.parametrize(("row_id", "phase"), [(ATTEMPT, 5), (OUTCOME, 1), (SOLE, 2)])
    def test_an_id_that_does_not_tell_the_phase_is_refused(
        self, database: sqlite3.Connection, row_id: str, phase: int
    ) -> None:
        with pytest.raises(sqlite3.IntegrityError, match="id_tells_phase"):
            insert(database, row_id, phase)

    @pytest.mark.parametrize(
        "statement", ["UPDATE audit_event SET action = 'x'", "DELETE FROM audit_event"]
    )
    def test_no_statement_changes_what_is_recorded(
        self, database: sqlite3.Connection, statement: str
    ) -> None:
        insert(database, SOLE, 5)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(statement)

    def test_a_record_is_not_replaced_by_its_rowid(self, database: sqlite3.Connection) -> None:
        insert(database, SOLE, 5)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(
                "INSERT OR REPLACE INTO audit_event (rowid, id, phase, action, correlation, entry)"
                " VALUES (1, ?, 1, 'forged', ?, '{}')",
                [ATTEMPT, SOLE],
            )

    @pytest.mark.parametrize("verb", ["INSERT", "INSERT OR REPLACE", "REPLACE"])
    def test_an_id_is_never_taken_twice(self, database: sqlite3.Connection, verb: str) -> None:
        insert(database, SOLE, 5)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            insert(database, SOLE, 5, verb=verb)
