"""The trail's table on PostgreSQL."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from audit.domain.entry import Entry, attempt_id, mac_of, outcome_id, read_projection, sole_id
from audit.domain.subject import named_user
from audit.models import AuditEvent
from audit.repositories.subjects import DjangoSubjects
from audit.repositories.trail import DjangoTrail
from core import container
from core.actions import Phase
from core.ids import first_id_since, uuid7
from core.keys import KeyRing
from tests.factories import make_entry

KEYS = KeyRing("1", {"1": b"k" * 32})
TABLES = ("event", "tile", "frontier", "checkpoint", "anchor", "subject", "cluster")


def append(**over: Any) -> Entry:
    appended = make_entry(**over)
    DjangoTrail("default", KEYS).append(appended)
    return appended


def execute(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values) or None)
        return cursor.fetchall() if cursor.description else []


class TestAppending:
    """Uses fixtures: db."""

    def test_the_row_holds_the_exact_bytes(self, db: None) -> None:
        appended = append()
        assert bytes(AuditEvent.objects.get(pk=appended.id).entry) == appended.encoded()

    @pytest.mark.parametrize("over", [{}, {"ip_bi": None, "actor": None, "resource_id": None}])
    def test_every_column_repeats_what_the_bytes_say(
        self, db: None, over: dict[str, object]
    ) -> None:
        row = AuditEvent.objects.get(pk=append(**over).id)
        told = read_projection(json.loads(bytes(row.entry)))
        columns = {name: getattr(row, name) for name in told._fields}
        columns["ip_bi"] = bytes(row.ip_bi) if row.ip_bi else None
        assert columns == told._asdict()

    def test_the_bytes_are_authenticated_under_the_key_of_the_application(self, db: None) -> None:
        appended = append()
        mac = bytes(AuditEvent.objects.get(pk=appended.id).mac)
        assert mac == mac_of(appended.encoded(), KEYS)
        assert mac != mac_of(appended.encoded(), KeyRing("1", {"1": b"x" * 32}))

    @pytest.mark.parametrize("phase", [Phase.ATTEMPTED, Phase.SOLE])
    def test_a_record_that_the_database_swallows_is_none(self, db: None, phase: Phase) -> None:
        """By a trigger of somebody else, without an error."""
        execute(
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RETURN NULL; END $$"
        )
        execute(
            "CREATE TRIGGER a_swallow BEFORE INSERT ON audit_event"
            " FOR EACH ROW EXECUTE FUNCTION swallow()"
        )
        entry_id = attempt_id() if phase is Phase.ATTEMPTED else sole_id()
        with pytest.raises(OperationalError, match="swallowed"):
            append(id=entry_id, phase=phase)

    def test_records_are_found_by_the_person_they_are_about(self, db: None) -> None:
        person = uuid7()
        name = named_user(person)
        subject = DjangoSubjects("default", KEYS).named(name)[name]
        appended = append(subject=subject.ref)
        append()
        assert AuditEvent.objects.for_user(person).get().pk == appended.id

    def test_an_outcome_leaves_its_id_to_this_transaction(self, db: None) -> None:
        appended = append()
        assert execute("SELECT current_setting('dashtam.event')") == [(str(appended.id),)]

    def test_an_attempt_leaves_nothing(self, db: None) -> None:
        marked = append()
        append(id=attempt_id(), phase=Phase.ATTEMPTED)
        assert execute("SELECT current_setting('dashtam.event')") == [(str(marked.id),)]


class TestWhatTheWriterCannotChoose:
    """Uses fixtures: db."""

    COLUMNS = "id, phase, action, correlation, entry, mac"
    VALUES = "%s, 5, 'x', gen_random_uuid(), '{}', decode(repeat('00', 32), 'hex')"

    def test_when_it_was_recorded(self, db: None) -> None:
        event = sole_id()
        execute(
            f"INSERT INTO audit_event ({self.COLUMNS}, recorded_at)"
            f" VALUES ({self.VALUES}, '2001-01-01Z')",
            event,
        )
        told = "SELECT clock_timestamp() - recorded_at FROM audit_event WHERE id = %s"
        [(age,)] = execute(told, event)
        assert timedelta(0) <= age < timedelta(minutes=1)

    def test_in_which_transaction(self, db: None) -> None:
        event = sole_id()
        execute(
            f"INSERT INTO audit_event ({self.COLUMNS}, xid) VALUES ({self.VALUES}, '3'::xid8)",
            event,
        )
        told = "SELECT xid = pg_current_xact_id(), epoch FROM audit_event WHERE id = %s"
        assert execute(told, event) == [(True, 1)]

    @pytest.mark.parametrize("age", [timedelta(hours=25), timedelta(minutes=-70)])
    @pytest.mark.parametrize(("phase", "bits"), [(Phase.ATTEMPTED, 0b00), (Phase.SOLE, 0b10)])
    def test_an_id_that_is_not_of_today(
        self, db: None, phase: Phase, bits: int, age: timedelta
    ) -> None:
        with pytest.raises(DatabaseError, match="not of today"):
            append(id=UUID(int=first_id_since(age).int | bits), phase=phase)

    @pytest.mark.parametrize("age", [timedelta(hours=23), timedelta(minutes=-50)])
    @pytest.mark.parametrize(("phase", "bits"), [(Phase.ATTEMPTED, 0b00), (Phase.SOLE, 0b10)])
    def test_but_clocks_may_differ_a_bit(
        self, db: None, phase: Phase, bits: int, age: timedelta
    ) -> None:
        event = UUID(int=first_id_since(age).int | bits)
        append(id=event, phase=phase)
        assert AuditEvent.objects.filter(pk=event).exists()

    def test_an_outcome_may_come_late(self, db: None) -> None:
        """Its attempt was dated when it began."""
        outcome = UUID(int=first_id_since(timedelta(hours=26)).int | 0b01)
        append(id=outcome, phase=Phase.ABANDONED)
        assert AuditEvent.objects.filter(pk=outcome).exists()


class TestConstraints:
    """Uses fixtures: db."""

    @pytest.mark.parametrize(
        ("phase", "make"),
        [
            (Phase.ATTEMPTED, sole_id),
            (Phase.SUCCEEDED, attempt_id),
            (Phase.FAILED, sole_id),
            (Phase.ABANDONED, attempt_id),
            (Phase.SOLE, attempt_id),
        ],
    )
    def test_an_id_that_does_not_tell_the_phase_is_refused(
        self, db: None, phase: Phase, make: Callable[[], UUID]
    ) -> None:
        with pytest.raises(IntegrityError, match="id_tells_phase"):
            append(id=make(), phase=phase)

    def test_a_second_outcome_is_refused(self, db: None) -> None:
        outcome = outcome_id(attempt_id())
        append(id=outcome, phase=Phase.SUCCEEDED)
        with pytest.raises(IntegrityError, match="duplicate key"):
            append(id=outcome, phase=Phase.FAILED)

    def test_an_entry_of_unreasonable_size_is_refused(self, db: None) -> None:
        fields = {f"field{number}": "x" * 1000 for number in range(61)}
        with pytest.raises(IntegrityError, match="entry_check"):
            append(context=fields)

    def test_an_index_of_another_width_is_refused(self, db: None) -> None:
        with pytest.raises(IntegrityError, match="ip_bi_check"):
            append(ip_bi=b"123456789")

    def test_a_code_of_another_width_is_refused(self, db: None) -> None:
        with pytest.raises(IntegrityError, match="mac_check"):
            execute(
                "INSERT INTO audit_event (id, phase, action, correlation, entry, mac)"
                " VALUES (%s, 5, 'x', gen_random_uuid(), '{}', '')",
                sole_id(),
            )

    def test_an_id_of_no_month_that_there_is_is_refused(self, db: None) -> None:
        with pytest.raises(IntegrityError, match="no partition"):
            append(id=UUID(int=1), phase=Phase.FAILED)


class TestAppendOnly:
    """Uses fixtures: db, filled (every table of the trail has a row)."""

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_event SET action = 'x'",
            "DELETE FROM audit_event",
            "TRUNCATE audit_event",
            "SET LOCAL session_replication_role = replica; DELETE FROM audit_event",
            "SET LOCAL session_replication_role = replica; UPDATE audit_event SET mac = entry",
            "SET LOCAL session_replication_role = replica; TRUNCATE audit_event",
            "INSERT INTO audit_event SELECT * FROM audit_event"
            " ON CONFLICT (id) DO UPDATE SET action = 'x'",
            "MERGE INTO audit_event USING (SELECT 1) AS s ON true WHEN MATCHED THEN DELETE",
            "UPDATE audit_tile SET data = ''",
            "DELETE FROM audit_tile",
            "UPDATE audit_checkpoint SET note = ''",
            "DELETE FROM audit_checkpoint",
            "UPDATE audit_anchor SET receipt = ''",
            "DELETE FROM audit_anchor",
            "UPDATE audit_cluster SET system_identifier = 0",
            "DELETE FROM audit_cluster",
            "DELETE FROM audit_subject",
            "DELETE FROM audit_frontier",
            *(f"TRUNCATE audit_{table} CASCADE" for table in TABLES),
        ],
    )
    def test_no_statement_changes_what_is_recorded(self, filled: None, statement: str) -> None:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            execute(statement)

    @pytest.mark.parametrize("statement", ["UPDATE {} SET action = 'x'", "DELETE FROM {}"])
    def test_no_statement_on_a_partition_does(self, filled: None, statement: str) -> None:
        [(partition,)] = execute("SELECT DISTINCT tableoid::regclass::text FROM audit_event")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            execute(statement.format(partition))

    @pytest.mark.parametrize("change", ["update", "delete"])
    def test_the_orm_changes_nothing_either(self, filled: None, change: str) -> None:
        rows = AuditEvent.objects.all()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.update(action="x") if change == "update" else rows.delete()

    def test_a_row_is_moved_to_no_other_partition(self, filled: None) -> None:
        older = "('00000000' || right(id::text, 28))::uuid"
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            execute(f"UPDATE audit_event SET id = {older}")

    def test_every_refusal_holds_for_a_replication_role_too(self, db: None) -> None:
        off = execute(
            "SELECT tgrelid::regclass::text, tgname"
            " FROM pg_trigger JOIN pg_proc p ON p.oid = tgfoid"
            " WHERE proname IN ('audit_refuse_change', 'audit_only_erase', 'audit_require_event')"
            " AND tgenabled <> 'A'"
        )
        assert off == []

    @pytest.mark.parametrize("table", TABLES)
    def test_every_table_refuses_to_be_emptied(self, db: None, table: str) -> None:
        found = execute(
            "SELECT tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = %s",
            f"audit_{table}",
            f"audit_{table}_no_truncate",
        )
        assert found == [("A",)]


@pytest.fixture
def filled(db: None) -> None:
    append()
    execute("INSERT INTO audit_tile VALUES (0, 40, 1, '')")
    execute(
        "INSERT INTO audit_checkpoint (size, root, note, first_id, last_id)"
        " VALUES (1000000007, '', '', %s, %s)",
        *(uuid7(), uuid7()),
    )
    execute("INSERT INTO audit_anchor (checkpoint_size, sink, receipt) VALUES (1, 'x', 'y')")
    DjangoSubjects("default", container.get_settings().audit_keys).named(named_user(uuid7()))
