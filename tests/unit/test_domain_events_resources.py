"""What each event is about: its resource on the trail."""

from uuid import UUID

import pytest

from audit.domain.events import EventViewed, TrailViewed
from core.events import DomainEvent
from core.ids import uuid7
from sessions_app.domain.events import PersonalTokenRevocationAttempted, TokenRotationAttempted
from users.domain.events import AccountsViewed

WHO, WHAT = uuid7(), uuid7()


@pytest.mark.parametrize(
    ("event", "resource_type", "resource_id"),
    [
        (TrailViewed(user_id=WHO, whose=WHAT), "user", WHAT),
        (TrailViewed(user_id=WHO), "user", None),
        (EventViewed(user_id=WHO, event=WHAT), "event", WHAT),
        (AccountsViewed(user_id=WHO, whose=WHAT), "user", WHAT),
        (AccountsViewed(user_id=WHO), "user", None),
        (TokenRotationAttempted(user_id=WHO, reason="a leak"), "user", WHO),
        (PersonalTokenRevocationAttempted(user_id=WHO, token_id=WHAT), "personal_token", WHAT),
        (PersonalTokenRevocationAttempted(user_id=WHO), "personal_token", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, DomainEvent) else "",
)
def test_an_event_names_its_resource(
    event: DomainEvent, resource_type: str, resource_id: UUID | None
) -> None:
    assert (event.resource_type, event.resource_id) == (resource_type, resource_id)
    assert event.user_id == WHO
