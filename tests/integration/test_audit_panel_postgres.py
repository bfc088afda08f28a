"""What the panel finds on the trail."""

from uuid import UUID

from django.contrib import admin
from django.test import RequestFactory

from audit.admin import AuditEventAdmin
from audit.models import AuditEvent
from core import container
from core.ids import uuid7
from users.domain.events import UserRegistrationSucceeded


def found(term: str) -> set[UUID]:
    page = AuditEventAdmin(AuditEvent, admin.site)
    request = RequestFactory().get("/admin/")
    results, _ = page.get_search_results(request, AuditEvent.objects.all(), term)
    return set(results.values_list("pk", flat=True))


def registered(user_id: UUID) -> AuditEvent:
    with container.get_database().get_session() as unit:
        event = UserRegistrationSucceeded(user_id=user_id, email="ada@example.com")
        container.get_event_bus().publish(event, session=unit)
    return AuditEvent.objects.for_user(user_id).get()


class TestSearching:
    """Uses fixtures: db."""

    def test_the_id_of_a_user_finds_them_behind_their_pseudonym(self, db: None) -> None:
        user_id = uuid7()
        event = registered(user_id)
        registered(uuid7())
        assert found(f" {user_id} ") == {event.pk}

    def test_the_id_of_an_event_finds_it(self, db: None) -> None:
        event = registered(uuid7())
        assert found(str(event.pk)) == {event.pk}

    def test_an_action_finds_its_events(self, db: None) -> None:
        event = registered(uuid7())
        assert event.pk in found("user.regis")
        assert found("user.nothing") == set()
