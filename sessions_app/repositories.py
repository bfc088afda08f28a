"""The ports of this context over Django's ORM. Each write first joins the open unit of work."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, Q

from core.database import Database
from sessions_app import models
from sessions_app.domain.familiarity import Origin
from sessions_app.domain.personal_token import PersonalToken
from sessions_app.domain.session import DeviceSession, EndReason
from sessions_app.mapping import (
    live_sessions,
    live_tokens,
    rotated_at,
    session_entity,
    sessions_over,
    tokens_over,
)

_REMEMBERED: Final = 200


@dataclass(frozen=True)
class DjangoSessionRepository:
    database: Database

    def save(self, session: DeviceSession) -> None:
        self.database.write()
        models.DeviceSession.objects.create(**_columns(session))

    def live_of(self, user_id: UUID, now: datetime) -> list[DeviceSession]:
        rows = models.DeviceSession.objects.filter(live_sessions(now), user_id=user_id)
        return [session_entity(row) for row in rows.order_by("pk")]

    def origins_of(self, user_id: UUID) -> list[Origin]:
        rows = models.DeviceSession.objects.filter(user_id=user_id).order_by("-pk")
        return [Origin(*row) for row in rows.values_list("device", "ip_address")[:_REMEMBERED]]

    def refresh(self, before: DeviceSession, after: DeviceSession) -> bool:
        self.database.write()
        rows = models.DeviceSession.objects.filter(
            pk=before.id, generation=before.generation, revoked_at__isnull=True
        )
        changed = rows.update(
            generation=after.generation,
            generation_began_at=after.generation_began_at,
            first_used_at=after.first_used_at,
            key_id=after.key_id,
            previous_key_id=after.previous_key_id,
            previous_ends_at=after.previous_ends_at,
            last_seen_at=after.last_seen_at,
            authenticated_at=after.authenticated_at,
        )
        return changed == 1

    def lock(self, session_id: UUID) -> DeviceSession | None:
        self.database.write()
        rows = models.DeviceSession.objects.select_for_update(no_key=True, of=("self",))
        found = rows.annotate(rotated_at=rotated_at()).filter(pk=session_id)
        return next(map(session_entity, found), None)

    def end(self, session_id: UUID, user_id: UUID, reason: EndReason, now: datetime) -> bool:
        self.database.write()
        rows = models.DeviceSession.objects.filter(
            pk=session_id, user_id=user_id, revoked_at__isnull=True
        )
        return rows.update(revoked_at=now, revoked_reason=reason) == 1

    def count_over(self, before: datetime) -> int:
        return models.DeviceSession.objects.filter(sessions_over(before)).count()

    def purge(self, before: datetime) -> int:
        self.database.write()
        return models.DeviceSession.objects.filter(sessions_over(before)).delete()[0]


@dataclass(frozen=True)
class DjangoPersonalTokenRepository:
    database: Database

    def count_live(self, user_id: UUID, now: datetime) -> int:
        return models.PersonalToken.objects.filter(live_tokens(now), user_id=user_id).count()

    def save(self, token: PersonalToken) -> None:
        self.database.write()
        models.PersonalToken.objects.create(**_columns(token))

    def end(self, token_id: UUID, user_id: UUID, now: datetime) -> bool:
        self.database.write()
        rows = models.PersonalToken.objects.filter(live_tokens(now), pk=token_id, user_id=user_id)
        return rows.update(revoked_at=now) == 1

    def count_over(self, before: datetime) -> int:
        return models.PersonalToken.objects.filter(tokens_over(before)).count()

    def purge(self, before: datetime) -> int:
        self.database.write()
        return models.PersonalToken.objects.filter(tokens_over(before)).delete()[0]


@dataclass(frozen=True)
class DjangoRotationRepository:
    database: Database

    def last(self, user_id: UUID) -> int:
        mine = Q(user__isnull=True) | Q(user_id=user_id)
        numbers = models.TokenRotation.objects.filter(mine)
        return int(numbers.aggregate(last=Max("number"))["last"] or 0)

    def add(self, user_id: UUID | None, effective_at: datetime, now: datetime) -> None:
        self.database.write()
        models.TokenRotation.objects.create(
            user_id=user_id, effective_at=effective_at, created_at=now
        )

    def live(self, user_id: UUID | None, now: datetime) -> tuple[int, int]:
        sessions = models.DeviceSession.objects.filter(live_sessions(now))
        tokens = models.PersonalToken.objects.filter(live_tokens(now))
        if user_id is not None:
            sessions, tokens = sessions.filter(user_id=user_id), tokens.filter(user_id=user_id)
        return sessions.count(), tokens.count()


def _columns(entity: DeviceSession | PersonalToken) -> dict[str, Any]:
    """All but what is read of other tables."""
    values = asdict(entity)
    del values["rotated_at"]
    return values
