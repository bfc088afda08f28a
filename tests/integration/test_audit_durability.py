"""The attempt outlives whatever happens to the business."""

import os
import subprocess
import sys
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import IntegrityError, OperationalError

from audit.domain.entry import Entry, abandoned
from audit.models import AuditEvent
from audit.repositories.trail import DjangoTrail
from core import container
from core.actions import Phase
from core.database import Database
from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.result import Result
from core.unit_of_work import UnitOfWork
from tests.assertions import assert_failure
from tests.elsewhere import on_another_connection
from tests.factories import make_user
from tests.plugin.services import Services
from users import models, wiring
from users.application.registration import RegisterUser
from users.domain.events import UserRegistrationAttempted, UserRegistrationSucceeded
from users.repositories.accounts import DjangoUserRepository


def attempt(**over: object) -> UserRegistrationAttempted:
    return UserRegistrationAttempted(email="durable@example.com", **over)  # type: ignore[arg-type]


class TestAttempts:
    """Uses fixtures: test_database."""

    def test_an_attempt_is_visible_elsewhere_before_its_business_ends(
        self, test_database: Database
    ) -> None:
        user_id = uuid7()
        bus = container.get_event_bus()
        with test_database.get_session():
            bus.publish(attempt(user_id=user_id))
            seen = on_another_connection(lambda: AuditEvent.objects.for_user(user_id).count())
            bus.publish(UserRegistrationSucceeded(user_id=user_id, email="durable@example.com"))
        assert seen == 1

    def test_a_success_is_not_visible_elsewhere_before_its_commit(
        self, test_database: Database
    ) -> None:
        user_id = uuid7()
        bus = container.get_event_bus()
        with test_database.get_session():
            bus.publish(attempt())
            bus.publish(UserRegistrationSucceeded(user_id=user_id, email="durable@example.com"))
            seen = on_another_connection(lambda: AuditEvent.objects.for_user(user_id).count())
        assert seen == 0
        assert AuditEvent.objects.for_user(user_id).count() == 1

    @pytest.mark.conforms("L9")
    def test_an_exception_rolls_the_business_back_and_leaves_attempt_and_failure(
        self, test_database: Database
    ) -> None:
        user = make_user(email="rolled-back@example.com")

        def register() -> None:
            with test_database.get_session():
                container.get_event_bus().publish(attempt(user_id=user.id))
                DjangoUserRepository(test_database).save(user)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            register()
        phases = list(AuditEvent.objects.for_user(user.id).values_list("phase", flat=True))
        assert sorted(phases) == [Phase.ATTEMPTED, Phase.FAILED]
        assert not models.User.objects.filter(pk=user.id).exists()

    def test_a_failure_record_names_the_exception_but_not_its_words(
        self, test_database: Database
    ) -> None:
        user_id = uuid7()

        def stumble() -> None:
            with test_database.get_session():
                container.get_event_bus().publish(attempt(user_id=user_id))
                raise ValueError("password=hunter2hunter2")

        with pytest.raises(ValueError, match="hunter2"):
            stumble()
        entry = bytes(AuditEvent.objects.for_user(user_id).get(phase=Phase.FAILED).entry)
        assert b'"err":"ValueError"' in entry
        assert b"hunter2" not in entry

    @pytest.mark.slow(reason="starts an interpreter of its own, to kill it")
    def test_an_attempt_survives_the_death_of_its_process(
        self, transactional_db: None, services: Services
    ) -> None:
        user_id = uuid7()
        script = (
            "import django, os, signal; django.setup()\n"
            "from uuid import UUID\n"
            "from core import container\n"
            "from users.domain.events import UserRegistrationAttempted\n"
            "with container.get_database().get_session() as unit:\n"
            f"    event = UserRegistrationAttempted(user_id=UUID('{user_id}'), email='a@b.c')\n"
            "    container.get_event_bus().publish(event)\n"
            "    unit.write()\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        died = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "config.test",
                "TEST_DATABASE_URL": services.database_url,
                "TEST_REDIS_URL": services.redis_url,
            },
            check=False,
        )
        assert died.returncode == -9
        assert AuditEvent.objects.for_user(user_id).get().phase == Phase.ATTEMPTED


class TestFailClosed:
    """Uses fixtures: transactional_db, failing_trail."""

    @pytest.mark.conforms("L14")
    def test_no_business_begins_when_the_attempt_cannot_be_recorded(
        self, transactional_db: None, failing_trail: Callable[[Phase, Exception], None]
    ) -> None:
        failing_trail(Phase.ATTEMPTED, OperationalError("no space left"))
        result = register("closed@example.com")
        assert_failure(result, ErrorCode.AUDIT_UNAVAILABLE)
        assert not models.User.objects.filter(email="closed@example.com").exists()

    def test_no_business_commits_when_its_success_cannot_be_recorded(
        self, transactional_db: None, failing_trail: Callable[[Phase, Exception], None]
    ) -> None:
        failing_trail(Phase.SUCCEEDED, OperationalError("no space left"))
        assert_failure(register("undone@example.com"), ErrorCode.DATABASE_UNAVAILABLE)
        assert not models.User.objects.filter(email="undone@example.com").exists()

    def test_the_first_error_is_told_when_the_failure_cannot_be_recorded_either(
        self, test_database: Database, failing_trail: Callable[[Phase, Exception], None]
    ) -> None:
        failing_trail(Phase.FAILED, OperationalError("no space left"))

        def stumble() -> None:
            with test_database.get_session():
                container.get_event_bus().publish(attempt())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            stumble()


class TestOneOutcome:
    """Uses fixtures: test_database."""

    def test_the_primary_key_lets_an_attempt_have_one_outcome(
        self, test_database: Database
    ) -> None:
        """Whoever is second, a sweeper or a late business, loses its whole transaction."""
        bus = container.get_event_bus()
        late = make_user(email="late@example.com")

        def finish_twice() -> None:
            with test_database.get_session() as unit:
                bus.publish(attempt(user_id=late.id))
                on_another_connection(lambda: finish_elsewhere(unit))
                DjangoUserRepository(test_database).save(late)
                bus.publish(UserRegistrationSucceeded(user_id=late.id, email=late.email))

        with pytest.raises(IntegrityError):
            finish_twice()
        assert not models.User.objects.filter(pk=late.id).exists()
        found = AuditEvent.objects.for_user(late.id).order_by("id")
        phases = list(found.values_list("phase", flat=True))
        assert phases == [Phase.ATTEMPTED, Phase.ABANDONED]


@pytest.fixture
def failing_trail(monkeypatch: pytest.MonkeyPatch) -> Callable[[Phase, Exception], None]:
    """`failing_trail(phase, error)`: the trail refuses to take a record of this phase."""
    append = DjangoTrail.append

    def arrange(phase: Phase, error: Exception) -> None:
        def refuse(self: DjangoTrail, entry: Entry) -> None:
            if entry.phase is phase:
                raise error
            append(self, entry)

        monkeypatch.setattr(DjangoTrail, "append", refuse)

    return arrange


def register(email: str) -> Result[UUID, DomainError]:
    return wiring.register_user().handle(RegisterUser(email=email, password="SecurePass123!"))


def finish_elsewhere(unit: UnitOfWork) -> None:
    assert unit.attempt_id is not None
    attempt = AuditEvent.objects.get(pk=unit.attempt_id)
    keys = container.get_settings().audit_keys
    outcome = abandoned(bytes(attempt.entry), attempt.recorded_at)
    DjangoTrail("default", keys).append(outcome)
