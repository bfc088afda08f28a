"""Whom a pseudonym stands for: what its port promises, and what the table refuses."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit.domain.subject import Subject
from audit.models import AuditSubject
from audit.ports import Subjects
from audit.repositories.subjects import DjangoSubjects
from core.ids import uuid7
from core.keys import KeyRing, UnknownKeyError
from tests.contracts.trail import SubjectsContract
from tests.factories import arranged

KEYS = KeyRing("1", {"1": b"k" * 32})
ERASE = "UPDATE audit_subject SET name = NULL, key_wrapped = NULL, erased_at = now()"


@pytest.fixture
def name() -> str:
    """The table keeps what other tests made."""
    return f"user:{uuid7()}"


@pytest.mark.contract(of=Subjects)
class TestSubjects(SubjectsContract):
    """Uses fixtures: db, name."""

    @pytest.fixture
    def subjects(self, db: None) -> Subjects:
        return DjangoSubjects("default", KEYS)


def erase(subject: Subject) -> None:
    with arranged(), connection.cursor() as cursor:
        cursor.execute(f"{ERASE} WHERE ref = %s", [subject.ref])


@pytest.fixture
def table(db: None) -> DjangoSubjects:
    return DjangoSubjects("default", KEYS)


class TestTable:
    """Uses fixtures: table, name."""

    def test_no_key_lies_there_as_it_is(self, table: DjangoSubjects, name: str) -> None:
        subject = table.named(name)[name]
        row = AuditSubject.objects.get(ref=subject.ref)
        assert row.name == name
        assert row.key_wrapped is not None
        assert subject.key not in bytes(row.key_wrapped)

    def test_after_a_rotation_older_ones_are_found(self, table: DjangoSubjects, name: str) -> None:
        subject = table.named(name)[name]
        rotated = DjangoSubjects("default", KeyRing("2", {"2": b"n" * 32, **KEYS.keys}))
        assert rotated.named(name)[name] == subject

    def test_under_keys_that_cannot_open_it_nothing_is_made_anew(
        self, table: DjangoSubjects, name: str
    ) -> None:
        table.named(name)
        with pytest.raises(UnknownKeyError):
            DjangoSubjects("default", KeyRing("2", {"2": b"n" * 32})).named(name)
        assert AuditSubject.objects.filter(name=name).count() == 1

    def test_a_subject_that_was_erased_is_another_the_next_time(
        self, table: DjangoSubjects, name: str
    ) -> None:
        before = table.named(name)[name]
        erase(before)
        after = table.named(name)[name]
        assert (after.ref == before.ref, after.key == before.key) == (False, False)

    @pytest.mark.usefixtures("transactional_db")
    def test_several_who_make_the_same_at_once_get_one(self, name: str) -> None:
        together = Barrier(4, timeout=5)

        def ask() -> UUID:
            try:
                connection.ensure_connection()
                together.wait()
                return DjangoSubjects("default", KEYS).named(name)[name].ref
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as threads:
            refs = {each.result() for each in [threads.submit(ask) for _ in range(4)]}
        assert len(refs) == 1


class TestErasing:
    """The one change of a row there is, whole and once. Uses fixtures: subject."""

    def test_it_takes_name_and_key(self, subject: Subject) -> None:
        erase(subject)
        row = AuditSubject.objects.get(ref=subject.ref)
        assert (row.name, row.key_wrapped, row.erased_at is None) == (None, None, False)

    @pytest.mark.parametrize(
        "change",
        [
            "SET name = 'user:somebody-else'",
            "SET key_wrapped = '\\x00'",
            "SET ref = gen_random_uuid()",
            "SET created_at = now()",
            "SET name = NULL, key_wrapped = NULL",
            "SET name = NULL, key_wrapped = NULL, erased_at = now(), ref = gen_random_uuid()",
            "SET name = NULL, key_wrapped = NULL, erased_at = now(), created_at = '2001-01-01'",
        ],
    )
    def test_nothing_else_can_be_changed(self, subject: Subject, change: str) -> None:
        assert "erased, once" in refusal(f"UPDATE audit_subject {change} WHERE ref = %s", subject)

    @pytest.mark.parametrize(
        "change",
        [
            "SET erased_at = now()",
            "SET erased_at = now(), name = NULL",
            "SET erased_at = now(), key_wrapped = NULL",
        ],
    )
    def test_half_of_it_is_refused(self, subject: Subject, change: str) -> None:
        refused = refusal(
            f"UPDATE audit_subject {change} WHERE ref = %s", subject, error=IntegrityError
        )
        assert "erased_whole" in refused

    @pytest.mark.parametrize(
        "change",
        ["erased_at = now()", "erased_at = NULL, name = 'user:back', key_wrapped = '\\x00'"],
    )
    def test_it_happens_once_and_for_good(self, subject: Subject, change: str) -> None:
        erase(subject)
        refused = refusal(f"UPDATE audit_subject SET {change} WHERE ref = %s", subject)
        assert "erased, once" in refused

    def test_a_replication_role_changes_nothing_else_either(self, subject: Subject) -> None:
        refused = refusal(
            "SET LOCAL session_replication_role = replica;"
            " UPDATE audit_subject SET name = 'x' WHERE ref = %s",
            subject,
        )
        assert "erased, once" in refused


@pytest.fixture
def subject(table: DjangoSubjects, name: str) -> Subject:
    return table.named(name)[name]


def refusal(statement: str, subject: Subject, *, error: type[DatabaseError] = DatabaseError) -> str:
    with (
        pytest.raises(error) as refused,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, [subject.ref])
    return str(refused.value)
