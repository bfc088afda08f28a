"""The rows of the trail. Migrations make the tables with their triggers; nothing changes a row."""

from typing import Any, Final
from uuid import UUID

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import ExpressionWrapper
from django.db.models.expressions import RawSQL
from django.db.models.sql.compiler import SQLCompiler

from audit.domain.subject import named_user
from core.actions import Phase

_IS_SEALED: Final = {
    "postgresql": "(audit_event.epoch, audit_event.xid, audit_event.seq) <= (SELECT cursor_epoch,"
    " cursor_xid::text::xid8, cursor_seq FROM audit_frontier)",
    "sqlite": "audit_event.seq <= (SELECT cursor_seq FROM audit_frontier)",
}


@models.BinaryField.register_lookup
class Holds(models.Lookup):
    """Whether these bytes are somewhere in the column: it reads them all."""

    lookup_name = "holds"

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        column, column_values = self.process_lhs(compiler, connection)
        text, values = self.process_rhs(compiler, connection)
        if connection.vendor == "postgresql":
            return f"position({text} in {column}) > 0", (*values, *column_values)
        return f"instr({column}, {text}) > 0", (*column_values, *values)


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def for_user(self, user_id: UUID) -> "AuditEventQuerySet":
        """What happened to this person's account, by whomever."""
        return self.filter(subject_ref__in=refs_of(named_user(user_id)))

    def with_seal(self) -> "AuditEventQuerySet":
        """`is_sealed`: the sealer has come past it."""
        sealed = RawSQL(_IS_SEALED[connections[self.db].vendor], [])  # noqa: S611  no values in it
        return self.annotate(is_sealed=ExpressionWrapper(sealed, models.BooleanField()))


class Appended(models.Model):
    """Django would save, and the database would refuse: this says why."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("The trail is written by domain events alone.")

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("The trail is append-only.")


class AuditEvent(Appended):
    id = models.UUIDField(primary_key=True, editable=False)
    recorded_at = models.DateTimeField()
    phase = models.SmallIntegerField(choices=[(phase.value, phase.name) for phase in Phase])
    action = models.CharField(max_length=64)
    actor_ref = models.UUIDField(null=True)
    subject_ref = models.UUIDField(null=True)
    resource_type = models.CharField(max_length=32, null=True)
    resource_id = models.UUIDField(null=True)
    correlation = models.UUIDField()
    ip_bi = models.BinaryField(null=True)
    entry = models.BinaryField()
    mac = models.BinaryField()

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "audit_event"
        verbose_name = "event"

    def __str__(self) -> str:
        return f"{self.action} {Phase(self.phase).name}"


class AuditSubject(Appended):
    ref = models.UUIDField(primary_key=True, editable=False)
    name = models.CharField(max_length=64, null=True)
    key_wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "audit_subject"

    def __str__(self) -> str:
        return str(self.ref)


class AuditCheckpoint(Appended):
    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    first_id = models.UUIDField()
    last_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "audit_checkpoint"

    def __str__(self) -> str:
        return f"checkpoint of {self.size} entries"


def refs_of(*names: str) -> "models.QuerySet[AuditSubject, UUID]":
    return AuditSubject.objects.filter(name__in=names).values_list("ref", flat=True)
