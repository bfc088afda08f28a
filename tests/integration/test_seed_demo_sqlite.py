"""`manage.py seed_demo` as an operator types it, on SQLite."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.embedded import manage, migrated

pytestmark = pytest.mark.slow(reason="each command is a process of its own")


def test_it_is_in_order_says_that_it_is_made_up_and_comes_once(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert "no tables yet" in manage(tmp_path / "empty.sqlite3", "seed_demo", "--yes").stderr
    database = migrated(tmp_path_factory, tmp_path)
    refused = manage(database, "seed_demo")
    assert (refused.returncode, "say --yes" in refused.stderr) == (1, True)
    made = manage(database, "seed_demo", "--yes", "--size=300", "--users=12", "--json")
    assert made.returncode == 0, made.stderr
    events = json.loads(made.stdout)["events"]
    verified = manage(database, "audit_verify")
    assert (verified.returncode, f"Checked: {events + 1}" in verified.stdout) == (0, True)
    with closing(sqlite3.connect(database)) as connection:
        first = connection.execute("SELECT action FROM audit_event ORDER BY seq LIMIT 1").fetchone()
        triggers = connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE name = 'audit_event_in_time'"
        ).fetchone()
    assert (first, triggers) == (("demo.seeded",), (1,))
    again = manage(database, "seed_demo", "--yes")
    assert (again.returncode, "There are accounts here" in again.stderr) == (1, True)
    explained = manage(database, "explain", "--user", "amara@example.com")
    assert "a refresh token that was used up came back" in explained.stdout
