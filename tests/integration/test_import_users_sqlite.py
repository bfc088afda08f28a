"""The command as an operator types it, on the embedded default."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.embedded import environment_of, manage, migrated
from tests.imported_hashes import HASHES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated(tmp_path_factory, tmp_path_factory.mktemp("embedded"))


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


@pytest.mark.slow(reason="migrates a database of its own, in processes of their own")
class TestImportOnSqlite:
    """Uses fixtures: database."""

    def test_what_comes_by_a_pipe_is_imported_once(self, database: Path) -> None:
        lines = [
            json.dumps({"email": f"{name}@pipe.example.com", "password_hash": text})
            for name, text in HASHES.items()
        ]
        for imported in (len(HASHES), 0):
            ran = manage(
                database,
                *("import_users", "-", "--format", "jsonl", "--json"),
                typed="\n".join(lines),
            )
            assert (ran.returncode, ran.stderr) == (0, "")
            assert json.loads(ran.stdout.splitlines()[-1])["imported"] == imported
        found = rows(
            database, "SELECT count(*) FROM users_user WHERE email LIKE '%@pipe.example.com'"
        )
        assert found == [(len(HASHES),)]

    def test_a_dry_run_leaves_the_trail_as_it_is(self, database: Path) -> None:
        before = rows(database, "SELECT count(*), max(id) FROM audit_event")
        ran = manage(
            database,
            *("import_users", "-", "--format", "csv", "--dry-run"),
            typed="email\nada@example.com\nada@example.com\nno address\n",
        )
        assert ran.returncode == 1
        assert ran.stdout.splitlines()[-1] == (
            "Nothing was written. It would import 1; there already: 1; refused: 1."
        )
        assert rows(database, "SELECT count(*), max(id) FROM audit_event") == before

    def test_other_columns_are_one_sentence_and_exit_code_2(self, database: Path) -> None:
        ran = manage(database, "import_users", "-", "--format", "csv", typed="email,nmae\nx,y\n")
        assert (ran.returncode, ran.stdout) == (2, "")
        assert ran.stderr.startswith("CommandError: Not known: nmae. Known are email, ")

    def test_a_reader_that_has_seen_enough_is_no_error_of_ours(self, database: Path) -> None:
        script = f"yes x | head -20000 | sed 1s/x/email/ | {sys.executable} manage.py import_users"
        ran = subprocess.run(
            ["bash", "-c", f"{script} - --format csv --dry-run | head -1"],
            cwd=ROOT,
            env=environment_of(DATABASE_URL=f"sqlite:///{database}"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stdout.startswith("line 2: email: ")
        assert ran.stderr == ""
