"""The ports of this context over Django's ORM. Each write first joins the open unit of work."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower

from core.database import Database
from core.errors import ConflictError
from core.keys import KeyRing, UnknownKeyError
from core.result import Failure, Result, Success
from users import models
from users.domain.errors import EMAIL_TAKEN
from users.domain.lockout import FailureCount
from users.domain.roles import Role
from users.domain.tokens import OneUseToken, Purpose, read_token_id
from users.domain.user import User
from users.mapping import user_entity, user_or_none


@dataclass(frozen=True)
class DjangoUserRepository:
    database: Database

    def save(self, user: User) -> Result[None, ConflictError]:
        self.database.write()
        try:
            # A savepoint: a refused insert must not spoil the transaction of the refusal.
            with transaction.atomic(using=self.database.alias):
                models.User.objects.create(
                    id=user.id, created_at=user.created_at, **_changeable(user)
                )
        except IntegrityError:
            return Failure(EMAIL_TAKEN)
        return Success(None)

    def find_by_email(self, email: str) -> User | None:
        # Not `iexact`, which compares UPPER(email): the unique index is on LOWER(email).
        rows = models.User.objects.alias(address=Lower("email"))
        return user_or_none(rows.filter(address=email.lower()).first())

    def find_by_id(self, user_id: UUID) -> User | None:
        return user_or_none(models.User.objects.filter(pk=user_id).first())

    def lock(self, user_id: UUID) -> User | None:
        self.database.write()
        rows = models.User.objects.select_for_update(no_key=True)
        return user_or_none(rows.filter(pk=user_id).first())

    def lock_admins(self) -> list[User]:
        self.database.write()
        admins = models.User.objects.filter(role=Role.ADMIN, is_active=True, is_verified=True)
        # In one order, always: two who hold each other's row would wait for ever.
        return [user_entity(row) for row in admins.order_by("pk").select_for_update(no_key=True)]

    def update(self, user: User) -> Result[None, ConflictError]:
        self.database.write()
        try:
            with transaction.atomic(using=self.database.alias):
                models.User.objects.filter(pk=user.id).update(**_changeable(user))
        except IntegrityError:
            return Failure(EMAIL_TAKEN)
        return Success(None)

    def delete(self, user_id: UUID) -> None:
        self.database.write()
        models.User.objects.filter(pk=user_id).delete()

    def mark_verified(self, user_id: UUID, now: datetime) -> None:
        self.database.write()
        models.User.objects.filter(pk=user_id).update(is_verified=True, updated_at=now)

    def admin_exists(self) -> bool:
        return models.User.objects.filter(role=Role.ADMIN).exists()


def _changeable(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "password": user.password_hash,
        "is_verified": user.is_verified,
        "is_active": user.is_active,
        "role": user.role,
        "session_tier": user.session_tier,
        "max_sessions": user.max_sessions,
        "token_version": user.token_version,
        "updated_at": user.updated_at,
    }


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


@dataclass(frozen=True)
class DjangoSignInGuard:
    """`key` is not one of the rotated ones: a new key would forget every lock."""

    database: Database
    key: bytes = field(repr=False)

    def count(self, email: str) -> FailureCount:
        row = models.SignInGuard.objects.filter(pk=self._key(email)).first()
        return _count(row)

    def hold(self, email: str) -> FailureCount:
        self.database.write()
        rows = models.SignInGuard.objects.select_for_update().filter(pk=self._key(email))
        return _count(rows.first())

    def record_failure(self, email: str, now: datetime) -> FailureCount:
        key = self._key(email)
        self.database.write()
        # Made or locked in one statement: two first failures cannot count as one, and a sign-in
        # beside this one cannot clear the row before it is read.
        models.SignInGuard.objects.bulk_create(
            [models.SignInGuard(key=key, updated_at=now)],
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["updated_at"],
        )
        count = _count(models.SignInGuard.objects.get(pk=key)).after_failure(now)
        models.SignInGuard.objects.filter(pk=key).update(
            failures=count.failures, locked_until=count.locked_until, updated_at=now
        )
        return count

    def clear(self, email: str) -> None:
        self.database.write()
        models.SignInGuard.objects.filter(pk=self._key(email)).delete()

    def _key(self, email: str) -> bytes:
        return hmac.digest(self.key, email.encode(), hashlib.sha256)


def _count(row: models.SignInGuard | None) -> FailureCount:
    return FailureCount(row.failures, row.locked_until) if row else FailureCount()
