"""What a person's export holds of this context."""

from typing import Any
from uuid import UUID

from sessions_app import models

_SESSION = (
    "id",
    "kind",
    "device",
    "ip_address",
    "location",
    "created_at",
    "last_seen_at",
    "revoked_at",
    "revoked_reason",
)
_TOKEN = ("id", "name", "scope", "created_at", "expires_at", "last_used_at", "revoked_at")


def sessions_of(user_id: UUID) -> list[dict[str, Any]]:
    rows = models.DeviceSession.objects.filter(user_id=user_id).order_by("-pk")
    return list(rows.values(*_SESSION))


def personal_tokens_of(user_id: UUID) -> list[dict[str, Any]]:
    rows = models.PersonalToken.objects.filter(user_id=user_id).order_by("-pk")
    return list(rows.values(*_TOKEN))
