"""The seed's flow: an event is published, and its record is on the trail."""

import pytest

from audit.models import AuditEvent
from core.actions import AuditAction, Phase
from core.container import get_event_bus
from core.database import Database
from core.errors import ErrorCode
from core.events import DomainEvent
from core.ids import uuid7
from core.unit_of_work import UnitOfWorkError
from tests.assertions import assert_failure, assert_success
from tests.factories import PASSWORD, UserFactory
from users import wiring
from users.application.registration import RegisterUser
from users.domain.events import UserRegistrationAttempted, UserRegistrationSucceeded


class TestEventFlowEndToEnd:
    """Complete event flow with real infrastructure.

    Uses fixtures:
    - test_database: sessions on connections of their own
    - published: every event that reached the trail
    """

    def test_user_registration_succeeded_creates_audit_record(
        self, test_database: Database
    ) -> None:
        # Arrange
        event_bus = get_event_bus()
        user_id = uuid7()
        event = UserRegistrationSucceeded(user_id=user_id, email="integration@example.com")
        # Act
        with test_database.get_session() as session:
            event_bus.publish(event, session=session)
        # Assert
        with test_database.get_session():
            logs = list(AuditEvent.objects.for_user(user_id))
        assert len(logs) == 1
        assert logs[0].action == AuditAction.USER_REGISTERED

    def test_an_outcome_without_an_attempt_stands_alone(self, test_database: Database) -> None:
        user_id = uuid7()
        event = UserRegistrationSucceeded(user_id=user_id, email="integration@example.com")
        with test_database.get_session() as session:
            get_event_bus().publish(event, session=session)
        assert AuditEvent.objects.for_user(user_id).get().phase == Phase.SOLE

    def test_an_attempt_and_its_outcome_share_their_id_but_for_the_last_bit(
        self, test_database: Database
    ) -> None:
        user_id = uuid7()
        with test_database.get_session():
            get_event_bus().publish(
                UserRegistrationAttempted(user_id=user_id, email="pair@example.com")
            )
            get_event_bus().publish(
                UserRegistrationSucceeded(user_id=user_id, email="pair@example.com")
            )
        attempt, outcome = AuditEvent.objects.for_user(user_id).order_by("id")
        assert (attempt.phase, outcome.phase) == (Phase.ATTEMPTED, Phase.SUCCEEDED)
        assert outcome.id.int == attempt.id.int | 1

    def test_a_registration_leaves_attempt_and_success(
        self, transactional_db: None, published: list[DomainEvent]
    ) -> None:
        user_id = assert_success(
            wiring.register_user().handle(
                RegisterUser(email="flow@example.com", password="SecurePass123!")
            )
        )
        assert [type(event).__name__ for event in published] == [
            "UserRegistrationAttempted",
            "UserRegistrationSucceeded",
        ]
        assert AuditEvent.objects.for_user(user_id).get().phase == Phase.SUCCEEDED

    def test_a_refused_registration_names_the_owner_on_the_trail_alone(
        self, transactional_db: None
    ) -> None:
        owner = UserFactory.create()
        error = assert_failure(
            wiring.register_user().handle(RegisterUser(email=owner.email, password=PASSWORD)),
            ErrorCode.EMAIL_ALREADY_EXISTS,
        )
        record = AuditEvent.objects.for_user(owner.id).get(phase=Phase.FAILED)
        assert b'"reason":"email_already_exists"' in bytes(record.entry)
        assert str(owner.id) not in str(error)

    def test_publishing_outside_a_unit_of_work_is_refused(self, transactional_db: None) -> None:
        user_id = uuid7()
        event = UserRegistrationSucceeded(user_id=user_id, email="nowhere@example.com")
        with pytest.raises(UnitOfWorkError, match="No unit of work"):
            get_event_bus().publish(event)
        assert not AuditEvent.objects.for_user(user_id).exists()
