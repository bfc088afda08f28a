"""The embedded default keeps the same promise, against a foreign shell too."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded import manage, migrated

ADMIN = "admin@example.com"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated, with one admin, made by the product's own commands."""
    path = migrated(tmp_path_factory, tmp_path_factory.mktemp("embedded"))
    manage(path, "create_admin", "--email", ADMIN, typed="correct horse battery staple")
    return path


@pytest.fixture
def shell(database: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(database)
    yield connection
    connection.close()


@pytest.mark.slow(reason="migrates a database of its own, in processes of their own")
class TestProtectionOnSqlite:
    """Uses fixtures: database, shell."""

    def test_an_admin_made_by_a_handler_stands_beside_attempt_and_success(
        self, shell: sqlite3.Connection
    ) -> None:
        phases = shell.execute("SELECT phase FROM audit_event ORDER BY id").fetchall()
        assert phases == [(1,), (2,)]

    @pytest.mark.conforms("A15")
    def test_nobody_has_an_account_whom_nobody_made(self, shell: sqlite3.Connection) -> None:
        assert shell.execute("SELECT email FROM users_user").fetchall() == [(ADMIN,)]

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE users_user SET role = 'user'",
            "DELETE FROM users_user",
            "INSERT INTO users_user SELECT * FROM users_user",
            "UPDATE OR REPLACE users_user SET rowid = 7",
        ],
    )
    def test_a_foreign_shell_changes_no_account(
        self, shell: sqlite3.Connection, statement: str
    ) -> None:
        with pytest.raises(sqlite3.OperationalError, match="dashtam_in_unit"):
            shell.execute(statement)

    def test_the_orm_changes_no_account_outside_a_unit_of_work(self, database: Path) -> None:
        refused = manage(
            database, "shell", "-c", "from users.models import User; User.objects.update(role='x')"
        )
        assert refused.returncode != 0
        assert "without an event of its own" in refused.stderr
