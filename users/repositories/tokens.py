"""One-use tokens over Django's ORM."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.database import Database
from core.keys import KeyRing, UnknownKeyError
from users import models
from users.domain.tokens import OneUseToken, Purpose, read_token_id


@dataclass(frozen=True)
class DjangoOneUseTokenRepository:
    database: Database
    keys: KeyRing

    def issue(
        self, purpose: Purpose, user_id: UUID | None, now: datetime, email: str | None = None
    ) -> OneUseToken:
        token = OneUseToken.issue(
            purpose,
            user_id,
            key_id=self.keys.current,
            salt=secrets.token_bytes(32),
            now=now,
            email=email,
        )
        self.database.write()
        models.OneUseToken.objects.create(
            id=token.id,
            purpose=token.purpose,
            user_id=token.user_id,
            key_id=token.key_id,
            salt=token.salt,
            expires_at=token.expires_at,
            email=token.email,
        )
        return token

    def find(self, text: str, purpose: Purpose) -> OneUseToken | None:
        token_id = read_token_id(text)
        token = self.find_by_id(token_id) if token_id else None
        if token is None or token.purpose is not purpose:
            return None
        try:
            return token if token.is_genuine(text, self.keys) else None
        except UnknownKeyError:  # it was rotated out: whatever was made under it is over
            return None

    def find_by_id(self, token_id: UUID) -> OneUseToken | None:
        row = models.OneUseToken.objects.filter(pk=token_id).first()
        if row is None:
            return None
        return OneUseToken(
            id=row.id,
            purpose=Purpose(row.purpose),
            user_id=row.user_id,
            key_id=row.key_id,
            salt=bytes(row.salt),
            expires_at=row.expires_at,
            spent_at=row.spent_at,
            email=row.email,
        )

    def redeem(self, token_id: UUID, now: datetime) -> bool:
        self.database.write()
        open_rows = models.OneUseToken.objects.filter(
            pk=token_id, spent_at__isnull=True, expires_at__gt=now
        )
        return open_rows.update(spent_at=now, email=None) == 1

    def supersede(self, purpose: Purpose, now: datetime) -> None:
        self.database.write()
        open_rows = models.OneUseToken.objects.filter(purpose=purpose, spent_at__isnull=True)
        open_rows.update(spent_at=now, email=None)

    def supersede_all_of(self, user_id: UUID, now: datetime) -> None:
        self.database.write()
        open_rows = models.OneUseToken.objects.filter(user_id=user_id, spent_at__isnull=True)
        open_rows.update(spent_at=now, email=None)

    def count_expired(self, before: datetime) -> int:
        return models.OneUseToken.objects.filter(expires_at__lt=before).count()

    def purge(self, before: datetime) -> int:
        self.database.write()
        return models.OneUseToken.objects.filter(expires_at__lt=before).delete()[0]
