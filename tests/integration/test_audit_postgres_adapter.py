"""The trail's table on PostgreSQL."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit.domain.entry import Entry, attempt_id, outcome_id, sole_id
from audit.models import AuditEvent
from audit.repositories import DjangoTrail
from core.actions import AuditAction, Phase
from core.ids import uuid7


def entry(**over: Any) -> Entry:
    values: dict[str, Any] = {
        "id": sole_id(),
        "at": datetime(2024, 1, 1, 12, tzinfo=UTC),
        "action": AuditAction.TEST_ARRANGED,
        "phase": Phase.SOLE,
        "attempt": None,
        "actor": uuid7(),
        "subject": uuid7(),
        "resource_type": "user",
        "resource_id": uuid7(),
        "correlation": uuid7(),
        "context": {"reason": "none"},
        "personal": {},
    }
    return Entry(**values | over)


def append(**over: Any) -> Entry:
    appended = entry(**over)
    DjangoTrail("default").append(appended)
    return appended


class TestAppending:
    """Uses fixtures: db."""

    def test_the_row_holds_the_exact_bytes(self, db: None) -> None:
        appended = append()
        assert bytes(AuditEvent.objects.get(pk=appended.id).entry) == appended.encoded()

    def test_every_column_repeats_what_the_bytes_say(self, db: None) -> None:
        row = AuditEvent.objects.get(pk=append().id)
        said = json.loads(bytes(row.entry))
        assert {
            "id": str(row.id),
            "action": row.action,
            "phase": Phase(row.phase).name,
            "corr": str(row.correlation),
            "actor": str(row.actor_ref),
            "subject": str(row.subject_ref),
            "resource": [row.resource_type, str(row.resource_id)],
        }.items() <= said.items()

    def test_the_database_notes_when_it_was_recorded(self, db: None) -> None:
        row = AuditEvent.objects.get(pk=append().id)
        assert row.recorded_at.tzinfo is not None
        assert row.recorded_at.year > 2024

    def test_records_are_found_by_the_person_they_are_about(self, db: None) -> None:
        appended = append()
        append()
        assert appended.subject is not None
        assert AuditEvent.objects.for_user(appended.subject).get().pk == appended.id


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
        self, db: None, phase: Phase, make: Any
    ) -> None:
        with pytest.raises(IntegrityError, match="id_tells_phase"):
            append(id=make(), phase=phase)

    def test_a_second_outcome_is_refused(self, db: None) -> None:
        outcome = outcome_id(attempt_id())
        append(id=outcome, phase=Phase.SUCCEEDED)
        with pytest.raises(IntegrityError):
            append(id=outcome, phase=Phase.FAILED)

    def test_an_entry_of_unreasonable_size_is_refused(self, db: None) -> None:
        fields = {f"field{number}": "x" * 1000 for number in range(61)}
        with pytest.raises(IntegrityError):
            append(context=fields)


class TestAppendOnly:
    """Uses fixtures: db."""

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_event SET action = 'x'",
            "DELETE FROM audit_event",
            "TRUNCATE audit_event",
            "SET session_replication_role = replica; DELETE FROM audit_event",
            "INSERT INTO audit_event SELECT * FROM audit_event"
            " ON CONFLICT (id) DO UPDATE SET action = 'x'",
        ],
    )
    def test_no_statement_changes_what_is_recorded(self, db: None, statement: str) -> None:
        append()
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    @pytest.mark.parametrize("change", ["update", "delete"])
    def test_the_orm_changes_nothing_either(self, db: None, change: str) -> None:
        append()
        rows = AuditEvent.objects.all()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.update(action="x") if change == "update" else rows.delete()
