"""Pseudonyms that somebody with the database gave to others, or took away without a record."""

from uuid import UUID

import pytest

from audit import wiring
from audit.application.erasing import EraseSubject
from audit.application.verification.personchecking import findings_of_people
from audit.domain.findings import Finding, Kind
from audit.models import AuditSubject
from audit.repositories.evidence import DjangoEvidence
from core import container
from core.ids import uuid7
from core.keys import KeyRing
from tests.sealing import execute
from users.domain.events import UserRegistrationSucceeded


@pytest.fixture
def people(db: None) -> list[UUID]:
    execute("ALTER TABLE audit_subject DISABLE TRIGGER USER")
    execute("DELETE FROM audit_subject")
    users = [uuid7(), uuid7()]
    for user_id in users:
        with container.get_database().get_session() as unit:
            event = UserRegistrationSucceeded(user_id=user_id, email="ada@example.com")
            container.get_event_bus().publish(event, session=unit)
    return users


def found(keys: KeyRing | None = None) -> list[Finding]:
    evidence = DjangoEvidence("default")
    return list(findings_of_people(evidence, keys or container.get_settings().audit_keys))


class TestPeople:
    """Uses fixtures: people."""

    def test_as_they_were_recorded_they_are_in_order(self, people: list[UUID]) -> None:
        assert found() == []

    def test_two_who_were_swapped_are_both_named(self, people: list[UUID]) -> None:
        ada, bob = (f"user:{each}" for each in people)
        # One at a time: the unique index is asked at each row.
        for old, new in ((ada, "x"), (bob, ada), ("x", bob)):
            execute("UPDATE audit_subject SET name = %s WHERE name = %s", [new, old])
        assert [each.kind for each in found()] == [Kind.SUBJECT] * 2

    def test_a_key_that_was_changed_is_named(self, people: list[UUID]) -> None:
        name = f"user:{people[0]}"
        execute(
            "UPDATE audit_subject SET key_wrapped = set_byte(key_wrapped, 20,"
            " (get_byte(key_wrapped, 20) + 1) %% 256) WHERE name = %s",
            [name],
        )
        (finding,) = found()
        assert name in finding.detail

    def test_who_was_erased_on_record_is_in_order(self, people: list[UUID]) -> None:
        execute("ALTER TABLE audit_subject ENABLE ALWAYS TRIGGER audit_subject_only_erase")
        wiring.erase_subject().handle(EraseSubject(user_id=people[0]))
        assert found() == []

    def test_who_was_erased_without_a_record_is_named(self, people: list[UUID]) -> None:
        name = f"user:{people[0]}"
        ref = AuditSubject.objects.get(name=name).ref
        execute(
            "UPDATE audit_subject SET name = NULL, key_wrapped = NULL, erased_at = now()"
            " WHERE name = %s",
            [name],
        )
        assert [each.detail for each in found()] == [f"{ref} was erased without a record"]

    def test_a_key_that_is_not_configured_here_says_nothing(self, people: list[UUID]) -> None:
        assert found(KeyRing("other", {"other": b"o" * 32})) == []
