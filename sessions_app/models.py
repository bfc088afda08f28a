"""The rows. They change through repositories alone; the entities are in `domain`."""

from django.conf import settings
from django.db import models

from sessions_app.domain.personal_token import Scope
from sessions_app.domain.session import EndReason, SessionKind


class DeviceSession(models.Model):
    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="device_sessions"
    )
    kind = models.CharField(max_length=16, choices=[(kind, kind) for kind in SessionKind])
    device = models.CharField(max_length=128)
    ip_address = models.GenericIPAddressField(null=True)
    location = models.CharField(max_length=128, null=True)
    created_at = models.DateTimeField()
    authenticated_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    generation = models.PositiveIntegerField()
    generation_began_at = models.DateTimeField()
    first_used_at = models.DateTimeField(null=True)
    key_id = models.CharField(max_length=16)
    previous_key_id = models.CharField(max_length=16, null=True)
    previous_ends_at = models.DateTimeField(null=True)
    salt = models.BinaryField(max_length=32)
    version = models.PositiveIntegerField()
    rotation = models.BigIntegerField(default=0)
    marks = models.JSONField(default=list)
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(
        max_length=32, null=True, choices=[(reason, reason) for reason in EndReason]
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["user", "id"],
                condition=models.Q(revoked_at__isnull=True),
                name="live_sessions_of_user",
            )
        ]

    def __str__(self) -> str:
        return f"{self.device} since {self.created_at:%Y-%m-%d %H:%M}"


class PersonalToken(models.Model):
    """No column here, and no key alone, yields the token's text."""

    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="personal_tokens"
    )
    name = models.CharField(max_length=64)
    scope = models.CharField(max_length=16, choices=[(scope, scope) for scope in Scope])
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    key_id = models.CharField(max_length=16)
    salt = models.BinaryField(max_length=32)
    version = models.PositiveIntegerField()
    rotation = models.BigIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class TokenRotation(models.Model):
    """Ends what began before it, at `effective_at`: of one person, or of everybody. Rows are
    numbered in the order of the rotations, and never change."""

    number = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True)
    effective_at = models.DateTimeField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"rotation {self.number}"
