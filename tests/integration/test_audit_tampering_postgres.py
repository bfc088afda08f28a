"""Whoever owns the database can change everything in it. Each of it is found, and named."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib import admin
from django.db import DatabaseError, transaction
from django.test import RequestFactory

from audit import checks
from audit.admin import AuditEventAdmin
from audit.domain.findings import Kind
from audit.models import AuditEvent
from audit.ports import Commits, Evidence, ProvableLog, SealedLog
from tests.contracts.trail import LogContract
from tests.sql_trail import SqlTrail
from tests.tampered import Bundles, Incremental, SpotChecks, TamperMatrix
from tests.tampering import ANCIENT, SIZE, Found, at

pytestmark = pytest.mark.slow(reason="makes and seals six hundred entries")


@pytest.fixture
def trail(sealed_trail: SqlTrail) -> SqlTrail:
    return sealed_trail


@pytest.mark.contract(of=(SealedLog, Evidence))
class TestTampering(TamperMatrix):
    """Uses fixtures: trail."""

    @pytest.mark.parametrize(
        "change",
        [
            "xid = '4'",
            "xid = '9000000000000'",
            "seq = -5",
            "seq = 9000000",
            "epoch = -1",
            "epoch = 7",
        ],
    )
    def test_the_books_of_the_sealer_are_no_evidence(self, trail: SqlTrail, change: str) -> None:
        trail.execute(f"UPDATE audit_event SET {change} WHERE id = %s", trail.ids[11])
        assert trail.verify().findings == ()

    def test_nor_are_they_where_all_are_changed(self, trail: SqlTrail) -> None:
        """But the last one, behind which the sealer goes on."""
        trail.execute("UPDATE audit_event SET seq = -seq WHERE seq < %s", last_seq(trail))
        assert trail.verify().findings == ()

    def test_a_row_of_an_epoch_before_all_others_is_found(self, trail: SqlTrail) -> None:
        slipped_in = "overlay(id::text placing '0000' from 10 for 4)::uuid"
        trail.execute(
            "INSERT INTO audit_event (id, epoch, phase, action, correlation, entry, mac) SELECT"
            f" {slipped_in}, -32768, phase, action, correlation, entry, mac FROM audit_event"
            " WHERE id = %s",
            trail.ids[11],
        )
        assert [found.kind for found in trail.verify().findings] == [Kind.INSERTED]

    @pytest.mark.parametrize("way", ["TRUNCATE", "DROP TABLE"])
    def test_a_month_that_is_gone_is_named_leaf_by_leaf(self, trail: SqlTrail, way: str) -> None:
        partition = f"audit_event_{month_before():%Y_%m}"
        trail.execute(f"ALTER TABLE {partition} DISABLE TRIGGER USER")
        trail.execute(f"{way} {partition}")
        expected: set[Found] = {(Kind.DELETED, leaf, leaf) for leaf in range(ANCIENT)}
        assert trail.found(trail.verify()) == expected

    def test_a_month_that_was_detached_is_gone_as_well(self, trail: SqlTrail) -> None:
        trail.execute(
            f"ALTER TABLE audit_event DETACH PARTITION audit_event_{month_before():%Y_%m}"
        )
        assert len(trail.verify().findings) == ANCIENT

    def test_a_phase_that_the_id_does_not_tell_is_found(self, trail: SqlTrail) -> None:
        for constraint in ("audit_event_id_tells_phase", "audit_event_phase_check"):
            trail.execute(f"ALTER TABLE audit_event DROP CONSTRAINT {constraint}")
        trail.execute("UPDATE audit_event SET phase = 9 WHERE id = %s", trail.ids[10])
        assert trail.found(trail.verify()) == at(10, Kind.COLUMN, Kind.BAD_PHASE)

    def test_a_row_that_is_there_twice_is_found(self, trail: SqlTrail) -> None:
        trail.execute("ALTER TABLE audit_event DROP CONSTRAINT audit_event_pkey")
        columns = "id, phase, action, correlation, entry, mac"
        trail.execute(
            f"INSERT INTO audit_event ({columns}, xid, seq) SELECT {columns}, xid, seq FROM"
            " audit_event WHERE id = %s",
            trail.ids[31],
        )
        assert Kind.INSERTED in {found.kind for found in trail.verify().findings}


class TestVerifyingWhatIsNew(Incremental):
    """Uses fixtures: trail."""


class TestSpotChecks(SpotChecks):
    """Uses fixtures: trail."""


@pytest.mark.contract(of=(ProvableLog, Commits))
class TestLog(LogContract):
    """Uses fixtures: trail."""


class TestBundles(Bundles):
    """Uses fixtures: trail, tmp_path."""


class TestDoors:
    """All are closed; who opens one is found. Uses fixtures: trail."""

    @pytest.mark.conforms("L11")
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_event SET action = 'x'",
            "DELETE FROM audit_event",
            "TRUNCATE audit_event",
            "UPDATE audit_tile SET data = ''",
            "DELETE FROM audit_tile",
            "UPDATE audit_checkpoint SET note = ''",
            "DELETE FROM audit_checkpoint",
            "DELETE FROM audit_frontier",
        ],
    )
    @pytest.mark.parametrize("role", ["origin", "replica", "local"])
    def test_no_statement_gets_through_in_any_role(
        self, closed: SqlTrail, statement: str, role: str
    ) -> None:
        closed.execute(f"SET LOCAL session_replication_role = {role}")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            closed.execute(statement)
        assert closed.verify().exit_code == 0

    def test_the_orm_changes_nothing(self, closed: SqlTrail) -> None:
        events = AuditEvent.objects.filter(pk=closed.ids[11])
        row = events.get()
        doors = [
            lambda: events.update(action="x"),
            lambda: AuditEvent.objects.bulk_update([row], ["action"]),
            lambda: events._raw_delete("default"),
        ]
        for door in doors:
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                door()
        for method in (row.save, row.delete):
            with pytest.raises(TypeError):
                method()
        assert closed.verify().exit_code == 0

    def test_the_panel_changes_nothing(self, closed: SqlTrail) -> None:
        page = AuditEventAdmin(AuditEvent, admin.site)
        request = RequestFactory().get("/admin/")
        assert not page.has_add_permission(request)
        assert not page.has_change_permission(request)
        assert not page.has_delete_permission(request)

    def test_who_switches_triggers_off_is_found_by_the_check_and_by_the_verification(
        self, closed: SqlTrail
    ) -> None:
        assert checks.triggers_are_in_place(["default"]) == []
        closed.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        assert {each.id for each in checks.triggers_are_in_place(["default"])} == {"audit.E001"}
        closed.execute("UPDATE audit_event SET action = 'x' WHERE id = %s", closed.ids[11])
        assert closed.found(closed.verify()) == at(11, Kind.COLUMN)

    @pytest.fixture
    def closed(self, trail: SqlTrail) -> SqlTrail:
        """With the triggers as they are made."""
        for table, trigger in switched_off(trail):
            trail.execute(f"ALTER TABLE ONLY {table} ENABLE ALWAYS TRIGGER {trigger}")
        return trail


def switched_off(trail: SqlTrail) -> list[tuple[str, ...]]:
    return trail.execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
        " AND tgenabled = 'D'"
    )


def last_seq(trail: SqlTrail) -> int:
    return int(trail.value(SIZE - 1, "seq"))


def month_before() -> datetime:
    return datetime.now(UTC).replace(day=1) - timedelta(days=1)
