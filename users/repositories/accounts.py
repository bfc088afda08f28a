"""Accounts over Django's ORM. Each write first joins the open unit of work."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower

from core.database import Database
from core.errors import ConflictError
from core.result import Failure, Result, Success
from users import models
from users.domain.errors import EMAIL_TAKEN
from users.domain.roles import Role
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
