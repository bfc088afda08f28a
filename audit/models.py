"""The rows of the trail. Migrations make the tables with their triggers; nothing changes a row."""

from typing import Any
from uuid import UUID

from django.db import models

from core.actions import Phase


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def for_user(self, user_id: UUID) -> "AuditEventQuerySet":
        """What happened to this person's account, by whomever."""
        return self.filter(subject_ref=user_id)


class AuditEvent(models.Model):
    id = models.UUIDField(primary_key=True, editable=False)
    recorded_at = models.DateTimeField()
    phase = models.SmallIntegerField(choices=[(phase.value, phase.name) for phase in Phase])
    action = models.CharField(max_length=64)
    actor_ref = models.UUIDField(null=True)
    subject_ref = models.UUIDField(null=True)
    resource_type = models.CharField(max_length=32, null=True)
    resource_id = models.UUIDField(null=True)
    correlation = models.UUIDField()
    entry = models.BinaryField()

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "audit_event"
        verbose_name = "event"

    def __str__(self) -> str:
        return f"{self.action} {Phase(self.phase).name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("The trail is written by domain events alone.")

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("The trail is append-only.")
