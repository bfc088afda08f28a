"""The ports of this context over Django's ORM. Each write first joins the open unit of work."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from core.database import Database
from sessions_app import models
from sessions_app.domain.personal_token import PersonalToken
from sessions_app.domain.session import DeviceSession, EndReason
from sessions_app.mapping import live_sessions, live_tokens, session_entity
from users import models as user_models
from users.domain.user import User
from users.mapping import user_or_none


@dataclass(frozen=True)
class DjangoSessionRepository:
    database: Database

    def save(self, session: DeviceSession) -> None:
        self.database.write()
        models.DeviceSession.objects.create(**asdict(session))

    def live_of(self, user_id: UUID, now: datetime) -> list[DeviceSession]:
        rows = models.DeviceSession.objects.filter(live_sessions(now), user_id=user_id)
        return [session_entity(row) for row in rows.order_by("pk")]

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
        )
        return changed == 1

    def lock(self, session_id: UUID) -> DeviceSession | None:
        self.database.write()
        row = models.DeviceSession.objects.select_for_update(no_key=True).filter(pk=session_id)
        return next((session_entity(found) for found in row), None)

    def end(self, session_id: UUID, user_id: UUID, reason: EndReason, now: datetime) -> bool:
        self.database.write()
        rows = models.DeviceSession.objects.filter(
            pk=session_id, user_id=user_id, revoked_at__isnull=True
        )
        return rows.update(revoked_at=now, revoked_reason=reason) == 1


@dataclass(frozen=True)
class DjangoPersonalTokenRepository:
    database: Database

    def hold_owner(self, user_id: UUID) -> User | None:
        self.database.write()
        rows = user_models.User.objects.select_for_update(no_key=True)
        return user_or_none(rows.filter(pk=user_id).first())

    def count_live(self, user_id: UUID, now: datetime) -> int:
        return models.PersonalToken.objects.filter(live_tokens(now), user_id=user_id).count()

    def save(self, token: PersonalToken) -> None:
        self.database.write()
        models.PersonalToken.objects.create(**asdict(token))

    def end(self, token_id: UUID, user_id: UUID, now: datetime) -> bool:
        self.database.write()
        rows = models.PersonalToken.objects.filter(live_tokens(now), pk=token_id, user_id=user_id)
        return rows.update(revoked_at=now) == 1
