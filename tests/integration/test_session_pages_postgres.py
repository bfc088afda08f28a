"""Lists by keyset: every row once, whatever happens between two pages."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from model_bakery import baker

from core.ids import uuid7
from sessions_app import models, queries
from sessions_app.domain.session import SessionKind
from tests.factories import UserFactory, arranged

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def owner(db: None) -> UUID:
    user = UserFactory.create()
    arrange_sessions(user.id, quantity=25)
    return UUID(str(user.id))


def arrange_sessions(user_id: UUID, quantity: int, **over: object) -> None:
    values: dict[str, Any] = {
        "user_id": user_id,
        "kind": SessionKind.API,
        "created_at": NOW,
        "last_seen_at": NOW,
        "revoked_at": None,
        "revoked_reason": None,
        "salt": b"s" * 32,
    }
    rows = [
        baker.prepare(models.DeviceSession, id=uuid7(), **values | over) for _ in range(quantity)
    ]
    with arranged():
        models.DeviceSession.objects.bulk_create(rows)


def pages(user_id: UUID, size: int) -> list[list[UUID]]:
    found: list[list[UUID]] = []
    before = None
    while page := queries.page_of_live_sessions(user_id, NOW, before=before, size=size):
        found.append([session.id for session in page])
        before = page[-1].id
    return found


class TestPagesOfSessions:
    """Uses fixtures: owner (of 25 live sessions)."""

    def test_the_pages_hold_every_session_once(self, owner: UUID) -> None:
        assert [len(page) for page in pages(owner, 10)] == [10, 10, 5]
        assert len({session for page in pages(owner, 10) for session in page}) == 25

    def test_the_newest_come_first(self, owner: UUID) -> None:
        ids = [session for page in pages(owner, 10) for session in page]
        assert ids == sorted(ids, reverse=True)

    def test_other_peoples_sessions_are_not_among_them(self, owner: UUID) -> None:
        arrange_sessions(UserFactory.create().id, quantity=3)
        assert sum(len(page) for page in pages(owner, 10)) == 25

    @pytest.mark.parametrize(
        "over",
        [
            {"revoked_at": NOW},
            {"last_seen_at": NOW - timedelta(days=14)},
            {"created_at": NOW - timedelta(days=30)},
        ],
    )
    def test_sessions_that_are_over_are_not_among_them(
        self, owner: UUID, over: dict[str, datetime]
    ) -> None:
        arrange_sessions(owner, quantity=3, **over)
        assert sum(len(page) for page in pages(owner, 10)) == 25
