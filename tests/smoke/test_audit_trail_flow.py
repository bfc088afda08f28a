"""Sealing and verifying at the command line, on SQLite: as an operator, then as a thief."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.embedded import made_once, manage, migrated

pytestmark = pytest.mark.slow(reason="each command is a process of its own")


class Installation:
    def __init__(self, folder: Path) -> None:
        self.database = folder / "dashtam.sqlite3"
        self.folder = folder / "dashtam.sqlite3.audit"
        self.earlier = folder / "earlier"

    def manage(self, *command: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return manage(self.database, *command, typed=typed)

    def files(self) -> list[Path]:
        """With what SQLite keeps beside the database."""
        return [file for file in self.database.parent.glob("*.sqlite3*") if file.is_file()]

    def select(self, statement: str) -> Any:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(statement).fetchone()[0]

    def execute(self, *statements: str) -> None:
        """As somebody who got hold of the file."""
        with sqlite3.connect(self.database) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(
        tmp_path_factory, "sealed", lambda folder: seal_twice(migrated(tmp_path_factory, folder))
    )


def seal_twice(database: Path) -> None:
    """`earlier` is the database between the seals."""
    made = Installation(database.parent)
    for _ in range(2):
        if made.folder.exists():
            shutil.copy(made.database, made.earlier)
        assert made.manage("setup_link").returncode == 0
        assert made.manage("audit_seal").returncode == 0


@pytest.fixture
def installation(original: Path, tmp_path: Path) -> Installation:
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return Installation(tmp_path)


def test_a_trail_in_order_is_sealed_and_verified(installation: Installation) -> None:
    checkpoint = (installation.folder / "checkpoint").read_text()
    keys = installation.manage("audit_keys").stdout
    verified = installation.manage("audit_verify", "--json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["size"] == int(checkpoint.splitlines()[1])
    assert keys == (installation.folder / "vkeys").read_text()
    assert installation.manage("audit_seal").stdout == "Nothing to seal.\n"


def test_who_has_the_file_cannot_change_a_record_unseen(installation: Installation) -> None:
    installation.execute(
        "DROP TRIGGER audit_event_no_update",
        "UPDATE audit_event SET entry = replace(entry, 'setup', 'other') WHERE seq = 1",
    )
    verified = installation.manage("audit_verify")
    assert verified.returncode == 1
    assert verified.stdout.startswith("leaf 0, event ")
    assert "altered" in verified.stdout


def test_who_has_the_file_cannot_go_back_in_time(installation: Installation) -> None:
    for leftover in installation.database.parent.glob("dashtam.sqlite3-*"):
        leftover.unlink()
    installation.earlier.replace(installation.database)
    refused = installation.manage("audit_seal")
    assert refused.returncode == 1
    assert "older than the checkpoint outside of it" in refused.stderr


def test_a_wrong_key_file_is_told(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "vkeys").write_text("no key\n")
    told = installation.manage("audit_verify", "--vkey", str(tmp_path / "vkeys"))
    assert told.returncode == 3
    assert told.stderr.startswith("Cannot begin: ")
    assert "Traceback" not in told.stderr


def test_an_auditor_checks_a_bundle_without_us(installation: Installation, tmp_path: Path) -> None:
    """All of it, and then one event."""
    bundle, keys, entry = tmp_path / "bundle", tmp_path / "keys", tmp_path / "event.json"
    proof = tmp_path / "event.tlog-proof"
    keys.write_text(installation.manage("audit_keys").stdout)
    exported = installation.manage("audit_export", "--out", str(bundle))
    assert exported.returncode == 0, exported.stderr
    assert check(bundle, keys) == 0
    event = str(UUID(installation.select("SELECT id FROM audit_event ORDER BY seq LIMIT 1")))
    proved = installation.manage("audit_prove", event, "--entry", str(entry))
    proof.write_text(proved.stdout)
    options = ["--proof", str(proof), "--entry", str(entry), "--vkey", str(keys)]
    assert standalone(bundle, *options) == 0
    for file, what, other in ((bundle / "entries.jsonl", b"setup", b"other"), (entry, b"}", b"} ")):
        file.write_bytes(file.read_bytes().replace(what, other, 1))
    assert check(bundle, keys) == 1
    assert standalone(bundle, *options) == 1


def test_a_bundle_that_cannot_be_made_says_why(installation: Installation, tmp_path: Path) -> None:
    refused = installation.manage("audit_export", "--out", str(tmp_path / "b"), "--first", "999")
    assert refused.returncode == 1
    assert "Choose leaves between 0 and" in refused.stderr


def test_a_key_that_was_destroyed_is_in_no_file_any_more(installation: Installation) -> None:
    """While a server runs: SQLite tidies up when the last one leaves."""
    with closing(sqlite3.connect(installation.database)) as server:
        server.execute("SELECT count(*) FROM audit_event").fetchone()
        made = installation.manage(
            "create_admin", "--email", "gone@example.com", typed="correct horse battery staple"
        )
        user_id = made.stdout.split(": ")[1].partition(".")[0]
        key = installation.select(
            f"SELECT key_wrapped FROM audit_subject WHERE name = 'user:{user_id}'"
        )
        assert any(key in file.read_bytes() for file in installation.files())
        assert installation.manage("audit_erase", "--user", user_id, "--yes").returncode == 0
        assert not any(key in file.read_bytes() for file in installation.files())
    assert installation.manage("audit_verify").returncode == 0


def test_a_lost_checkpoint_is_put_back_on_record(installation: Installation) -> None:
    (installation.folder / "checkpoint").unlink()
    assert installation.manage("audit_seal").returncode == 1
    assert installation.manage("audit_reconcile", "--trust-database").returncode == 0
    assert installation.manage("audit_seal").returncode == 0


def test_the_cluster_of_sqlite_is_always_the_same(installation: Installation) -> None:
    refused = installation.manage("audit_reconcile", "--new-cluster")
    assert refused.returncode == 1
    assert "the cluster that the trail was written in" in refused.stderr


def check(bundle: Path, keys: Path) -> int:
    return standalone(bundle, str(bundle), "--vkey", str(keys))


def standalone(bundle: Path, *options: str) -> int:
    program = [sys.executable, "-I", "-S", str(bundle / "audit_verify.py"), *options]
    return subprocess.run(program, cwd=bundle, capture_output=True, check=False).returncode
