"""Whoever has the file can change everything in it. Each of it is found, and named."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

import audit
from audit import checks
from audit.adapters.keys import KeyFolder
from audit.domain.findings import Kind
from audit.ports import Commits, Evidence, Keeper, ProvableLog, SealedLog
from tests.contracts.trail import KeeperContract, LogContract
from tests.sql_trail import SqlTrail
from tests.tampered import Bundles, Incremental, SpotChecks, TamperMatrix
from tests.tampering import at, column

SQL = Path(audit.__file__).parent / "sql" / "sqlite.sql"
ALIAS = "embedded"
pytestmark = pytest.mark.slow(reason="makes and seals six hundred entries")


@pytest.fixture(scope="module")
def original(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Callable[[Path], SqlTrail]:
    """A sealed trail, to be copied."""
    folder = tmp_path_factory.mktemp("original")
    path, tables = folder / "trail.sqlite3", SQL.read_text().index("CREATE TRIGGER")
    run(path, SQL.read_text()[:tables])
    with django_db_blocker.unblock(), opened(path):
        made = SqlTrail.sealed(ALIAS, KeyFolder(folder / "audit"))
    run(path, SQL.read_text()[tables:])  # the triggers would take no id of last month

    def copied(to: Path) -> SqlTrail:
        shutil.copytree(folder, to)
        return SqlTrail(KeyFolder(to / "audit"), made.ids, [*made.notes], ALIAS)

    return copied


@pytest.fixture
def closed(
    original: Callable[[Path], SqlTrail], tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[SqlTrail]:
    """With the triggers as they are made."""
    copy = original(tmp_path / "copy")
    with django_db_blocker.unblock(), opened(tmp_path / "copy" / "trail.sqlite3"):
        yield copy


@pytest.fixture
def trail(closed: SqlTrail) -> SqlTrail:
    for (name,) in closed.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        closed.execute(f"DROP TRIGGER {name}")
    closed.execute("PRAGMA ignore_check_constraints = ON")
    return closed


def run(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


@contextmanager
def opened(path: Path) -> Iterator[None]:
    """Beside the database of the tests, which stays closed."""
    connections.settings[ALIAS] = {
        **connections.settings["default"],
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {"init_command": "PRAGMA synchronous = OFF"},
    }
    connection = connections[ALIAS]
    connection.connect()
    yield
    connection.close()
    del connections[ALIAS]
    del connections.settings[ALIAS]


@pytest.mark.contract(of=(SealedLog, Evidence))
class TestTampering(TamperMatrix):
    """Uses fixtures: trail."""

    @pytest.mark.parametrize("seq", [-5, 0, 9000])
    def test_the_books_of_the_sealer_are_no_evidence(self, trail: SqlTrail, seq: int) -> None:
        column("seq", seq)(trail)
        assert trail.verify().findings == ()

    def test_a_phase_that_the_id_does_not_tell_is_found(self, trail: SqlTrail) -> None:
        column("phase", 9, 10)(trail)
        assert trail.found(trail.verify()) == at(10, Kind.COLUMN, Kind.BAD_PHASE)

    def test_the_same_in_another_type_is_found(self, trail: SqlTrail) -> None:
        """It looks the same, and no search finds it."""
        trail.execute("UPDATE audit_event SET correlation = CAST(correlation AS blob)")
        trail.execute("UPDATE audit_event SET ip_bi = CAST(ip_bi AS text)")
        found = trail.verify().findings
        assert {(each.kind, each.detail) for each in found} == {(Kind.COLUMN, "correlation, ip_bi")}

    @pytest.mark.parametrize("value", ["", "text", b"\xff", 7, 1.5])
    def test_anything_where_an_id_belongs_is_found(self, trail: SqlTrail, value: object) -> None:
        column("correlation", value)(trail)
        assert trail.found(trail.verify()) == at(11, Kind.COLUMN)

    @pytest.mark.parametrize("value", ["", "text", "2026-99-99 99:99:99.000", 7])
    def test_anything_where_a_moment_belongs_is_odd(self, trail: SqlTrail, value: object) -> None:
        column("recorded_at", value)(trail)
        assert trail.found(trail.verify()) == at(11, Kind.CLOCK)

    @pytest.mark.parametrize("value", ["no id", "", b"\xff", b"0" * 32])
    def test_an_id_that_is_none_is_found(self, trail: SqlTrail, value: object) -> None:
        column("id", value)(trail)
        assert trail.found(trail.verify()) == at(11, Kind.COLUMN)

    @pytest.mark.parametrize("value", ["no id", "", b"\xff", b"0" * 32, "AB" * 16])
    def test_a_row_that_was_slipped_in_under_no_id_is_found(
        self, trail: SqlTrail, value: object
    ) -> None:
        trail.execute(
            "INSERT INTO audit_event (seq, id, phase, action, correlation, entry, mac)"
            " SELECT -1, %s, phase, action, correlation, entry, mac FROM audit_event WHERE id = %s",
            value,
            trail.ids[11],
        )
        assert [each.kind for each in trail.verify().findings] == [Kind.INSERTED]

    def test_text_where_bytes_belong_is_read_as_its_bytes(self, trail: SqlTrail) -> None:
        column("entry", trail.entry(11).decode())(trail)
        assert trail.verify().exit_code == 0


class TestVerifyingWhatIsNew(Incremental):
    """Uses fixtures: trail."""


class TestSpotChecks(SpotChecks):
    """Uses fixtures: trail."""


@pytest.mark.contract(of=(ProvableLog, Commits))
class TestLog(LogContract):
    """Uses fixtures: trail."""


@pytest.mark.contract(of=Keeper)
class TestKeyFolder(KeeperContract):
    """Uses fixtures: tmp_path."""

    @pytest.fixture
    def keeper(self, tmp_path: Path) -> Keeper:
        return KeyFolder(tmp_path / "audit")


class TestBundles(Bundles):
    """Uses fixtures: trail, tmp_path."""


class TestDoors:
    """Uses fixtures: closed."""

    def test_who_drops_a_trigger_is_found_by_the_check_and_by_the_verification(
        self, closed: SqlTrail
    ) -> None:
        closed.execute("DROP TRIGGER audit_event_no_update")
        found = checks._missing_triggers(connections[ALIAS])
        assert ("audit_event", "audit_event_no_update") in found
        column("action", "x")(closed)
        assert closed.found(closed.verify()) == at(11, Kind.COLUMN)
