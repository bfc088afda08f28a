"""What sign-in remembers over Django's ORM: failures in a row, and devices that are known."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import F

from core.database import Database
from users import models
from users.domain.device_pass import DevicePass
from users.domain.lockout import FailureCount


@dataclass(frozen=True)
class DjangoSignInGuard:
    """`key` is not one of the rotated ones: a new key would forget every lock."""

    database: Database
    key: bytes = field(repr=False)

    def count(self, counted: str) -> FailureCount:
        row = models.SignInGuard.objects.filter(pk=self._key(counted)).first()
        return _count(row)

    def hold(self, counted: str) -> FailureCount:
        self.database.write()
        rows = models.SignInGuard.objects.select_for_update().filter(pk=self._key(counted))
        return _count(rows.first())

    def record_failure(
        self, counted: str, now: datetime, owner: UUID | None = None
    ) -> tuple[FailureCount, FailureCount]:
        key = self._key(counted)
        self._make_or_hold(models.SignInGuard(key=key, updated_at=now, user_id=owner))
        before = _count(models.SignInGuard.objects.get(pk=key))
        after = before.after_failure(now)
        models.SignInGuard.objects.filter(pk=key).update(
            failures=after.failures, locked_until=after.locked_until, updated_at=now
        )
        return before, after

    def lock(self, counted: str, until: datetime, now: datetime, owner: UUID) -> None:
        key = self._key(counted)
        self._make_or_hold(models.SignInGuard(key=key, updated_at=now, user_id=owner))
        models.SignInGuard.objects.filter(pk=key).update(locked_until=until)

    def _make_or_hold(self, row: models.SignInGuard) -> None:
        """In one statement: two first failures cannot count as one, and a sign-in beside this one
        cannot clear the row before it is read."""
        self.database.write()
        models.SignInGuard.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["updated_at", "user"],
        )

    def clear_all_of(self, owner: UUID) -> None:
        self.database.write()
        models.SignInGuard.objects.filter(user_id=owner).delete()

    def clear(self, counted: str) -> None:
        self.database.write()
        models.SignInGuard.objects.filter(pk=self._key(counted)).delete()

    def count_quiet(self, before: datetime) -> int:
        return models.SignInGuard.objects.filter(updated_at__lt=before).count()

    def purge(self, before: datetime) -> int:
        self.database.write()
        return models.SignInGuard.objects.filter(updated_at__lt=before).delete()[0]

    def _key(self, counted: str) -> bytes:
        return hmac.digest(self.key, counted.encode(), hashlib.sha256)


def _count(row: models.SignInGuard | None) -> FailureCount:
    return FailureCount(row.failures, row.locked_until) if row else FailureCount()


@dataclass(frozen=True)
class DjangoDevicePassRepository:
    database: Database

    def find(self, pass_id: UUID) -> DevicePass | None:
        row = models.DevicePass.objects.filter(pk=pass_id).first()
        return _device_pass(row) if row else None

    def save(self, device_pass: DevicePass) -> None:
        self.database.write()
        models.DevicePass.objects.create(
            id=device_pass.id,
            user_id=device_pass.user_id,
            salt=device_pass.salt,
            created_at=device_pass.created_at,
            last_used_at=device_pass.last_used_at,
            expires_at=device_pass.expires_at,
        )

    def update(self, device_pass: DevicePass) -> None:
        self.database.write()
        models.DevicePass.objects.filter(pk=device_pass.id).update(
            last_used_at=device_pass.last_used_at,
            expires_at=device_pass.expires_at,
        )

    def forget_surplus(self, user_id: UUID, *, keep: int) -> None:
        self.database.write()
        passes = models.DevicePass.objects.filter(user_id=user_id)
        kept = passes.order_by(F("last_used_at").desc(nulls_last=True), "-pk")[:keep]
        passes.exclude(pk__in=kept.values("pk")).delete()

    def forget_all_of(self, user_id: UUID, *, except_for: UUID | None = None) -> int:
        self.database.write()
        passes = models.DevicePass.objects.filter(user_id=user_id)
        others = passes.exclude(pk=except_for) if except_for else passes
        return others.delete()[0]

    def count_expired(self, before: datetime) -> int:
        return models.DevicePass.objects.filter(expires_at__lt=before).count()

    def purge(self, before: datetime) -> int:
        self.database.write()
        return models.DevicePass.objects.filter(expires_at__lt=before).delete()[0]


def _device_pass(row: models.DevicePass) -> DevicePass:
    return DevicePass(
        id=row.id,
        user_id=row.user_id,
        salt=bytes(row.salt),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
    )
