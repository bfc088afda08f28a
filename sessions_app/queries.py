"""What is read of sessions: for each request, and for lists."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from sessions_app import models
from sessions_app.domain.personal_token import PersonalToken
from sessions_app.domain.session import DeviceSession
from sessions_app.mapping import (
    live_sessions,
    live_tokens,
    rotated_at,
    session_entity,
    token_entity,
)
from sessions_app.ports import PersonalTokenWithUser, SessionWithUser
from users.mapping import user_entity


class DjangoSessionReader:
    def find(self, session_id: UUID) -> SessionWithUser | None:
        rows = models.DeviceSession.objects.select_related("user")
        row = rows.annotate(rotated_at=rotated_at()).filter(pk=session_id).first()
        return SessionWithUser(session_entity(row), user_entity(row.user)) if row else None

    def touch(self, session: DeviceSession, generation: int, now: datetime) -> None:
        rows = models.DeviceSession.objects.filter(pk=session.id)
        if session.is_first_use(generation):
            # Only of the generation that was seen: a refresh in between begins the next.
            rows.filter(generation=generation, first_used_at__isnull=True).update(first_used_at=now)
        if session.was_seen_long_ago(now):
            rows.filter(last_seen_at__lt=now).update(last_seen_at=now)


class DjangoPersonalTokenReader:
    def find(self, token_id: UUID) -> PersonalTokenWithUser | None:
        rows = models.PersonalToken.objects.select_related("user")
        row = rows.annotate(rotated_at=rotated_at()).filter(pk=token_id).first()
        return PersonalTokenWithUser(token_entity(row), user_entity(row.user)) if row else None

    def touch(self, token: PersonalToken, now: datetime) -> None:
        if token.was_used_long_ago(now):
            models.PersonalToken.objects.filter(pk=token.id).update(last_used_at=now)


def count_live(now: datetime) -> int:
    return models.DeviceSession.objects.filter(live_sessions(now)).count()


def sessions_with_rotation() -> QuerySet[models.DeviceSession]:
    return models.DeviceSession.objects.annotate(rotated_at=rotated_at())


def live_personal_tokens(user_id: UUID, now: datetime) -> list[PersonalToken]:
    """Newest first; there are not many (`MOST_TOKENS`)."""
    rows = models.PersonalToken.objects.filter(live_tokens(now), user_id=user_id)
    return [token_entity(row) for row in rows.order_by("-pk")]


def page_of_live_sessions(
    user_id: UUID, now: datetime, *, before: UUID | None, size: int
) -> list[DeviceSession]:
    """Newest first; `before` is the last id of the page before (ids are in order of making)."""
    rows = models.DeviceSession.objects.filter(live_sessions(now), user_id=user_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [session_entity(row) for row in rows.order_by("-pk")[:size]]


def recorded_sessions(
    now: datetime, *, user_id: UUID | None = None, is_live: bool | None = None, size: int
) -> list[SessionWithUser]:
    """Newest first, of everybody where `user_id` is None; what has ended too, for 90 days."""
    rows = models.DeviceSession.objects.select_related("user").annotate(rotated_at=rotated_at())
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    if is_live is not None:
        rows = rows.filter(live_sessions(now) if is_live else ~live_sessions(now))
    found = rows.order_by("-pk")[:size]
    return [SessionWithUser(session_entity(row), user_entity(row.user)) for row in found]


def live_key_ids(now: datetime) -> set[str]:
    """Of the keys that make the tokens of what is live now."""
    sessions = models.DeviceSession.objects.filter(live_sessions(now))
    tokens = models.PersonalToken.objects.filter(live_tokens(now))
    return {
        key_id
        for rows in (sessions, tokens)
        for key_id in rows.values_list("key_id", flat=True).distinct()
    }
