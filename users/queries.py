"""What is read of accounts, for lists and exports."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from users import models
from users.domain.lockout import FAILURES_IN_A_ROW
from users.domain.tokens import Purpose
from users.domain.user import User
from users.mapping import user_entity
from users.ports import DeviceSummary, TokenSummary, UserCriteria


def locked_now(now: datetime) -> Q:
    """Of accounts: strangers, or a device or a session of theirs, cannot sign in on them."""
    return Q(Exists(_locks(now).filter(user=OuterRef("pk"))))


def count_accounts() -> int:
    return models.User.objects.count()


class DjangoUserDirectory:
    def page(self, criteria: UserCriteria, before: UUID | None, size: int) -> list[User]:
        rows = models.User.objects.all()
        if criteria.email is not None:
            rows = rows.alias(address=Lower("email")).filter(address=criteria.email.lower())
        if criteria.role is not None:
            rows = rows.filter(role=criteria.role)
        if criteria.is_active is not None:
            rows = rows.filter(is_active=criteria.is_active)
        if criteria.email_part is not None:
            rows = rows.filter(email__icontains=criteria.email_part)
        if criteria.locked_at is not None:
            rows = rows.filter(locked_now(criteria.locked_at))
        if before is not None:
            rows = rows.filter(pk__lt=before)
        return [user_entity(row) for row in rows.order_by("-pk")[:size]]


def user_id_of(text: str) -> UUID | None:
    """Of an id, whether or not there is such a user, or of an address, in any case."""
    try:
        return UUID(text)
    except ValueError:
        found = DjangoUserDirectory().page(UserCriteria(email=text), None, 1)
        return found[0].id if found else None


def locked_among(user_ids: Collection[UUID], now: datetime) -> set[UUID]:
    """Whom strangers, or a device of theirs, cannot sign in as."""
    rows = _locks(now).filter(user__in=user_ids)
    return set(rows.values_list("user_id", flat=True))


def count_locks(user_id: UUID, now: datetime) -> int:
    """The one of the strangers and those of single devices, sessions and links."""
    return _locks(now).filter(user=user_id).count()


def _locks(now: datetime) -> QuerySet[models.SignInGuard]:
    """As `FailureCount.is_locked` has it, for the database."""
    return models.SignInGuard.objects.filter(
        Q(failures__gte=FAILURES_IN_A_ROW) | Q(locked_until__gt=now)
    )


class DjangoAccountRecords:
    def tokens_of(self, user_id: UUID) -> list[TokenSummary]:
        rows = models.OneUseToken.objects.filter(user_id=user_id).order_by("-pk")
        return [
            TokenSummary(Purpose(row.purpose), row.expires_at, row.spent_at, row.email)
            for row in rows
        ]

    def devices_of(self, user_id: UUID) -> list[DeviceSummary]:
        rows = models.DevicePass.objects.filter(user_id=user_id).order_by("-pk")
        return [DeviceSummary(row.created_at, row.last_used_at, row.expires_at) for row in rows]
