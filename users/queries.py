"""What is read of accounts, for lists and exports."""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from users import models
from users.domain.lockout import FAILURES_IN_A_ROW
from users.domain.tokens import Purpose
from users.domain.user import User
from users.mapping import user_entity
from users.ports import DeviceSummary, TokenSummary, UserCriteria


def locked_now(now: datetime) -> Q:
    """As `FailureCount.is_locked` has it, for the database: of strangers, of a device or of a
    session of the account."""
    locked = models.SignInGuard.objects.filter(user=OuterRef("pk"))
    never_opens = Q(failures__gte=FAILURES_IN_A_ROW)
    return Q(Exists(locked.filter(Q(locked_until__gt=now) | never_opens)))


class DjangoUserDirectory:
    def page(self, criteria: UserCriteria, before: UUID | None, size: int) -> list[User]:
        rows = models.User.objects.all()
        if criteria.email is not None:
            rows = rows.alias(address=Lower("email")).filter(address=criteria.email.lower())
        if criteria.role is not None:
            rows = rows.filter(role=criteria.role)
        if criteria.is_active is not None:
            rows = rows.filter(is_active=criteria.is_active)
        if before is not None:
            rows = rows.filter(pk__lt=before)
        return [user_entity(row) for row in rows.order_by("-pk")[:size]]


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
