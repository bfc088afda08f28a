"""What is read of sessions: for each request, and for lists."""

from datetime import datetime
from uuid import UUID

from sessions_app import models
from sessions_app.domain.session import DeviceSession
from sessions_app.mapping import live_sessions, session_entity
from sessions_app.ports import SessionWithUser
from users.mapping import user_entity


class DjangoSessionReader:
    def find(self, session_id: UUID) -> SessionWithUser | None:
        row = models.DeviceSession.objects.select_related("user").filter(pk=session_id).first()
        return SessionWithUser(session_entity(row), user_entity(row.user)) if row else None

    def touch(self, session: DeviceSession, generation: int, now: datetime) -> None:
        rows = models.DeviceSession.objects.filter(pk=session.id)
        if session.is_first_use(generation):
            # Only of the generation that was seen: a refresh in between begins the next.
            rows.filter(generation=generation, first_used_at__isnull=True).update(first_used_at=now)
        if session.was_seen_long_ago(now):
            rows.filter(last_seen_at__lt=now).update(last_seen_at=now)


def page_of_live_sessions(
    user_id: UUID, now: datetime, *, before: UUID | None, size: int
) -> list[DeviceSession]:
    """Newest first; `before` is the last id of the page before (ids are in order of making)."""
    rows = models.DeviceSession.objects.filter(live_sessions(now), user_id=user_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [session_entity(row) for row in rows.order_by("-pk")[:size]]
