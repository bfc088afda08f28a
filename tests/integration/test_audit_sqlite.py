"""The trail's tables on SQLite, the embedded default, against a shell of anybody's."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

import audit
from audit.domain.entry import attempt_id, outcome_id, sole_id
from core.ids import first_id_since

SQL = Path(audit.__file__).parent / "sql" / "sqlite.sql"
MAC = b"m" * 32
COLUMNS = "id, phase, action, correlation, entry, mac"
ATTEMPTED, SUCCEEDED, FAILED, ABANDONED, SOLE = range(1, 6)


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    """In memory, as the migration makes it, and with a row in every table."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(SQL.read_text())
        connection.execute("INSERT INTO audit_tile VALUES (0, 0, 0, x'00')")
        connection.execute(
            "INSERT INTO audit_checkpoint (size, root, note, first_id, last_id)"
            " VALUES (7, x'00', 'note', ?, ?)",
            [sole_id().hex, sole_id().hex],
        )
        connection.execute(
            "INSERT INTO audit_anchor (checkpoint_size, sink, receipt) VALUES (7, 'file', 'byte 0')"
        )
        for name in ("user:1", "user:2"):
            connection.execute(
                "INSERT INTO audit_subject (ref, name, key_wrapped) VALUES (?, ?, x'00')",
                [sole_id().hex, name],
            )
        yield connection


@pytest.fixture
def row_id(database: sqlite3.Connection) -> UUID:
    """Of the one row of the trail."""
    row_id = sole_id()
    insert(database, row_id)
    return row_id


def insert(
    database: sqlite3.Connection,
    row_id: UUID | str,
    phase: int = SOLE,
    verb: str = "INSERT",
    *,
    entry: bytes = b"{}",
    mac: bytes = MAC,
    ip_bi: bytes | None = None,
) -> None:
    stored = row_id.hex if isinstance(row_id, UUID) else row_id
    database.execute(
        f"{verb} INTO audit_event ({COLUMNS}, ip_bi) VALUES (?, ?, 'user.login', ?, ?, ?, ?)",
        [stored, phase, sole_id().hex, entry, mac, ip_bi],
    )


def phases(database: sqlite3.Connection) -> list[int]:
    return [phase for (phase,) in database.execute("SELECT phase FROM audit_event ORDER BY seq")]


class TestRecords:
    """Uses fixtures: database."""

    @pytest.mark.parametrize(
        ("row_id", "phase"),
        [
            (attempt_id(), ATTEMPTED),
            (outcome_id(attempt_id()), SUCCEEDED),
            (outcome_id(attempt_id()), FAILED),
            (outcome_id(attempt_id()), ABANDONED),
            (sole_id(), SOLE),
        ],
        ids=["attempted", "succeeded", "failed", "abandoned", "sole"],
    )
    def test_one_of_each_phase_is_taken(
        self, database: sqlite3.Connection, row_id: UUID, phase: int
    ) -> None:
        insert(database, row_id, phase)
        assert phases(database) == [phase]

    @pytest.mark.parametrize(
        ("bits", "phase"),
        [(0b00, SOLE), (0b01, ATTEMPTED), (0b10, SUCCEEDED), (0b11, SOLE), (0b00, FAILED)],
    )
    def test_an_id_that_does_not_tell_the_phase_is_refused(
        self, database: sqlite3.Connection, bits: int, phase: int
    ) -> None:
        with pytest.raises(sqlite3.IntegrityError, match="id_tells_phase"):
            insert(database, UUID(int=attempt_id().int | bits), phase)

    @pytest.mark.parametrize(
        "spell",
        [str.upper, lambda text: text[:31], lambda text: f"{text}0", lambda text: "z" + text[1:]],
        ids=["capitals", "shorter", "longer", "no number"],
    )
    def test_an_id_has_one_spelling(self, database: sqlite3.Connection, spell: object) -> None:
        """Or one attempt could have two outcomes."""
        assert callable(spell)
        outcome = UUID(int=first_id_since(timedelta()).int | 0xABCDEF << 64 | 0b01)
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            insert(database, spell(outcome.hex), SUCCEEDED)

    def test_an_outcome_cannot_be_there_twice(self, database: sqlite3.Connection) -> None:
        outcome = outcome_id(attempt_id())
        insert(database, outcome, SUCCEEDED)
        with pytest.raises(sqlite3.IntegrityError, match="id is taken"):
            insert(database, outcome, ABANDONED)

    @pytest.mark.parametrize("phase", [ATTEMPTED, SOLE])
    @pytest.mark.parametrize("age", [timedelta(hours=25), timedelta(minutes=-70)])
    def test_an_id_that_is_not_of_today_is_refused(
        self, database: sqlite3.Connection, age: timedelta, phase: int
    ) -> None:
        bits = 0b10 if phase == SOLE else 0b00
        with pytest.raises(sqlite3.IntegrityError, match="not of today"):
            insert(database, UUID(int=first_id_since(age).int | bits), phase)

    @pytest.mark.parametrize("age", [timedelta(hours=23), timedelta(minutes=-50)])
    def test_but_the_clock_may_be_set(self, database: sqlite3.Connection, age: timedelta) -> None:
        insert(database, first_id_since(age), ATTEMPTED)
        assert phases(database) == [ATTEMPTED]

    def test_an_outcome_may_come_late(self, database: sqlite3.Connection) -> None:
        insert(database, outcome_id(first_id_since(timedelta(days=40))), ABANDONED)
        assert phases(database) == [ABANDONED]

    @pytest.mark.parametrize("over", [{"entry": b"x" * 60001}, {"mac": b"m"}, {"ip_bi": b"1"}])
    def test_what_has_not_its_size_is_refused(
        self, database: sqlite3.Connection, over: dict[str, bytes]
    ) -> None:
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            insert(database, sole_id(), **over)  # type: ignore[arg-type]

    @pytest.mark.parametrize("seq", [1, 2, 1000, 0, -2, -1000])
    def test_nobody_chooses_the_order(self, database: sqlite3.Connection, seq: int) -> None:
        """What stood before the sealer's place would never be sealed."""
        insert(database, sole_id())
        with pytest.raises(sqlite3.IntegrityError, match=r"nobody chooses|is taken|CHECK"):
            database.execute(
                f"INSERT INTO audit_event ({COLUMNS}, seq) VALUES (?, 5, 'x', ?, x'', ?, ?)",
                [sole_id().hex, sole_id().hex, MAC, seq],
            )

    def test_the_order_is_that_of_the_writing(self, database: sqlite3.Connection) -> None:
        late, early = sole_id(), UUID(int=first_id_since(timedelta(hours=1)).int | 0b10)
        insert(database, late)
        insert(database, early)
        rows = database.execute("SELECT id FROM audit_event ORDER BY seq").fetchall()
        assert rows == [(late.hex,), (early.hex,)]


class TestAppendOnly:
    """Uses fixtures: database, row_id (whose row is there)."""

    @pytest.mark.conforms("L11")
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_event SET action = 'x'",
            "UPDATE OR REPLACE audit_event SET seq = 9",
            "UPDATE OR IGNORE audit_event SET entry = x''",
            "DELETE FROM audit_event",
            "UPDATE audit_tile SET data = x''",
            "DELETE FROM audit_tile",
            "UPDATE audit_checkpoint SET note = ''",
            "DELETE FROM audit_checkpoint",
            "UPDATE audit_anchor SET receipt = ''",
            "DELETE FROM audit_anchor",
            "DELETE FROM audit_frontier",
            "DELETE FROM audit_subject",
        ],
    )
    def test_no_statement_changes_what_is_recorded(
        self, database: sqlite3.Connection, row_id: UUID, statement: str
    ) -> None:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(statement)

    @pytest.mark.parametrize("recursive", ["ON", "OFF"])
    @pytest.mark.parametrize(
        "insertion",
        [
            "INTO audit_event SELECT * FROM audit_event",
            f"INTO audit_event ({COLUMNS}) SELECT {COLUMNS} FROM audit_event",
            f"INTO audit_event ({COLUMNS}, seq)"
            " SELECT substr(id, 1, 31) || '1', 2, 'x', id, x'', mac, seq FROM audit_event",
            "INTO audit_tile VALUES (0, 0, 0, x'FF')",
            "INTO audit_tile (rowid, kind, level, idx, data) VALUES (1, 0, 0, 1, x'FF')",
            "INTO audit_checkpoint SELECT size, x'FF', note, first_id, last_id, 0"
            " FROM audit_checkpoint",
            "INTO audit_anchor VALUES (1, 8, 'x', 'y', 0)",
            "INTO audit_subject (ref, name, key_wrapped) SELECT ref, 'user:3', x'FF'"
            " FROM audit_subject LIMIT 1",
            "INTO audit_subject (ref, name, key_wrapped) VALUES ('r', 'user:1', x'FF')",
            "INTO audit_subject (rowid, ref, name, key_wrapped) VALUES (1, 'r', 'user:3', x'FF')",
        ],
    )
    def test_nothing_is_put_in_the_place_of_a_row(
        self, database: sqlite3.Connection, row_id: UUID, insertion: str, recursive: str
    ) -> None:
        database.execute(f"PRAGMA recursive_triggers = {recursive}")
        for verb in ("INSERT OR REPLACE", "REPLACE"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(f"{verb} {insertion}")

    def test_an_upsert_changes_nothing(self, database: sqlite3.Connection, row_id: UUID) -> None:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(
                f"INSERT INTO audit_event ({COLUMNS}) SELECT {COLUMNS} FROM audit_event"
                " WHERE true ON CONFLICT (id) DO UPDATE SET action = 'x'"
            )


class TestErasing:
    """The one change of a row there is, whole and once. Uses fixtures: database."""

    ERASE = "UPDATE audit_subject SET name = NULL, key_wrapped = NULL, erased_at = 'now'"
    ONE = "WHERE name = 'user:1'"

    def test_it_takes_name_and_key(self, database: sqlite3.Connection) -> None:
        database.execute(f"{self.ERASE} {self.ONE}")
        left = database.execute("SELECT name, key_wrapped, erased_at FROM audit_subject").fetchall()
        assert left == [(None, None, "now"), ("user:2", b"\0", None)]

    @pytest.mark.parametrize(
        "change",
        [
            "name = 'user:somebody-else'",
            "key_wrapped = x'FF'",
            "ref = 'r'",
            "created_at = 0",
            "name = NULL, key_wrapped = NULL",
            "name = NULL, key_wrapped = NULL, erased_at = 'now', ref = 'r'",
            "name = NULL, key_wrapped = NULL, erased_at = 'now', created_at = 0",
            "name = NULL, key_wrapped = NULL, erased_at = 'now', rowid = 2",
        ],
    )
    @pytest.mark.parametrize("verb", ["UPDATE", "UPDATE OR REPLACE"])
    def test_nothing_else_can_be_changed(
        self, database: sqlite3.Connection, change: str, verb: str
    ) -> None:
        with pytest.raises(sqlite3.IntegrityError, match="erased, once"):
            database.execute(f"{verb} audit_subject SET {change} {self.ONE}")

    @pytest.mark.parametrize(
        "change",
        ["erased_at = 1", "erased_at = 1, name = NULL", "erased_at = 1, key_wrapped = NULL"],
    )
    def test_half_of_it_is_refused(self, database: sqlite3.Connection, change: str) -> None:
        with pytest.raises(sqlite3.IntegrityError, match="erased_whole"):
            database.execute(f"UPDATE audit_subject SET {change} {self.ONE}")

    @pytest.mark.parametrize(
        "change", ["erased_at = 'later'", "erased_at = NULL, name = 'user:1', key_wrapped = x'00'"]
    )
    def test_it_happens_once_and_for_good(self, database: sqlite3.Connection, change: str) -> None:
        database.execute(f"{self.ERASE} {self.ONE}")
        with pytest.raises(sqlite3.IntegrityError, match="erased, once"):
            database.execute(f"UPDATE audit_subject SET {change} WHERE erased_at = 'now'")
