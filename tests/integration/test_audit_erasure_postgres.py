"""Erasing a person from the trail."""

import json
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from audit import wiring
from audit.application.erasing import EraseSubject, ExpirePseudonyms
from audit.domain.subject import Subject, named_day, named_user
from audit.models import AuditEvent, AuditSubject
from audit.repositories.subjects import DjangoSubjects
from core import container
from core.actions import AuditAction
from core.errors import ErrorCode
from core.ids import uuid7
from tests.assertions import assert_failure, assert_success
from tests.fakes.clock import FakeClock
from users.domain.events import UserRegistrationSucceeded

LATER = ExpirePseudonyms(unknown_after=timedelta(days=30), addresses_after=timedelta(days=90))


def registered(user_id: UUID) -> AuditEvent:
    with container.get_database().get_session() as unit:
        event = UserRegistrationSucceeded(user_id=user_id, email="ada@example.com")
        container.get_event_bus().publish(event, session=unit)
    return AuditEvent.objects.for_user(user_id).get()


def subject_of(user_id: UUID) -> Subject:
    name = named_user(user_id)
    return DjangoSubjects("default", container.get_settings().audit_keys).named(name)[name]


class TestWithoutARecord:
    """Uses fixtures: transactional_db."""

    @pytest.mark.slow(reason="the refusal comes at the commit")
    def test_no_key_is_destroyed(self, transactional_db: None) -> None:
        registered(uuid7())
        statement = (
            "UPDATE audit_subject SET name = NULL, key_wrapped = NULL, erased_at = now()"
            " WHERE erased_at IS NULL"
        )
        with (
            pytest.raises(IntegrityError, match="without an event of its own"),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


class TestErasing:
    """Uses fixtures: db."""

    def test_what_is_personal_can_be_read_with_the_key_of_the_person(self, db: None) -> None:
        user_id = uuid7()
        event = registered(user_id)
        concealed = json.loads(bytes(event.entry))["pii"]
        assert subject_of(user_id).reveal(concealed, event.id) == {"email": "ada@example.com"}

    def test_nothing_personal_stands_in_the_row(self, db: None) -> None:
        user_id = uuid7()
        event = registered(user_id)
        assert b"ada@" not in bytes(event.entry)
        assert str(user_id) not in bytes(event.entry).decode()

    def test_the_key_is_gone_and_the_entry_is_as_it_was(self, db: None) -> None:
        user_id = uuid7()
        event = registered(user_id)
        before = bytes(event.entry)
        assert_success(wiring.erase_subject().handle(EraseSubject(user_id=user_id)))
        assert event.subject_ref is not None
        erased = AuditSubject.objects.get(ref=event.subject_ref)
        assert (erased.name, erased.key_wrapped) == (None, None)
        assert bytes(AuditEvent.objects.get(pk=event.id).entry) == before

    def test_the_erasure_is_the_last_that_is_recorded_of_the_person(self, db: None) -> None:
        user_id = uuid7()
        event = registered(user_id)
        wiring.erase_subject().handle(EraseSubject(user_id=user_id))
        of_person = AuditEvent.objects.filter(subject_ref=event.subject_ref).order_by("id")
        assert of_person.values_list("action", flat=True).last() == AuditAction.AUDIT_SUBJECT_ERASED

    def test_who_comes_back_is_somebody_else(self, db: None) -> None:
        user_id = uuid7()
        before = registered(user_id)
        wiring.erase_subject().handle(EraseSubject(user_id=user_id))
        assert registered(user_id).subject_ref != before.subject_ref

    def test_nobody_is_erased_twice(self, db: None) -> None:
        user_id = uuid7()
        registered(user_id)
        wiring.erase_subject().handle(EraseSubject(user_id=user_id))
        again = wiring.erase_subject().handle(EraseSubject(user_id=user_id))
        assert_failure(again, ErrorCode.USER_NOT_FOUND)

    def test_the_command_erases(self, db: None) -> None:
        user_id, out = uuid7(), StringIO()
        registered(user_id)
        call_command("audit_erase", "--user", str(user_id), "--yes", stdout=out)
        assert out.getvalue().startswith("Erased.")
        assert not AuditSubject.objects.filter(name=named_user(user_id)).exists()

    def test_the_command_erases_nobody_whom_nobody_confirmed(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user_id = uuid7()
        registered(user_id)
        monkeypatch.setattr("sys.stdin", StringIO(""))
        with pytest.raises(CommandError, match="Nothing was erased"):
            call_command("audit_erase", "--user", str(user_id))
        assert AuditSubject.objects.filter(name=named_user(user_id)).exists()

    def test_the_command_says_who_is_not_there(self, db: None) -> None:
        with pytest.raises(CommandError, match="on the trail"):
            call_command("audit_erase", "--user", str(uuid7()), "--yes")


class TestExpiring:
    """Uses fixtures: db, frozen."""

    @pytest.mark.conforms("L19")
    def test_who_was_never_known_is_forgotten_after_a_time(
        self, db: None, frozen: FakeClock
    ) -> None:
        name = named_day(frozen.now())
        DjangoSubjects("default", container.get_settings().audit_keys).named(name)
        frozen.advance(timedelta(days=31))
        assert assert_success(wiring.expire_pseudonyms().handle(LATER)) >= 1
        assert not AuditSubject.objects.filter(name=name).exists()

    def test_all_that_are_due_are_forgotten(self, db: None, frozen: FakeClock) -> None:
        names = [named_day(frozen.advance(timedelta(days=1))) for _ in range(3)]
        DjangoSubjects("default", container.get_settings().audit_keys).named(*names)
        frozen.advance(timedelta(days=31))
        wiring.expire_pseudonyms().handle(LATER)
        assert not AuditSubject.objects.filter(name__in=names).exists()

    def test_until_then_they_are_kept(self, db: None, frozen: FakeClock) -> None:
        name = named_day(frozen.now())
        DjangoSubjects("default", container.get_settings().audit_keys).named(name)
        frozen.advance(timedelta(days=29))
        wiring.expire_pseudonyms().handle(LATER)
        assert AuditSubject.objects.filter(name=name).exists()

    def test_a_person_who_is_known_does_not_expire(self, db: None, frozen: FakeClock) -> None:
        user_id = uuid7()
        subject_of(user_id)
        frozen.advance(timedelta(days=400))
        wiring.expire_pseudonyms().handle(LATER)
        assert AuditSubject.objects.filter(name=named_user(user_id)).exists()


def test_the_database_lets_nobody_put_a_key_back(db: None) -> None:
    user_id = uuid7()
    registered(user_id)
    wiring.erase_subject().handle(EraseSubject(user_id=user_id))
    with (
        pytest.raises(Exception, match="only be erased, once"),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE audit_subject SET name = 'x', key_wrapped = '1', erased_at = NULL"
            " WHERE erased_at IS NOT NULL"
        )
