"""What happens to the trail itself."""

from dataclasses import dataclass
from typing import ClassVar

from core.actions import AuditAction, Phase
from core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class SubjectErased(DomainEvent):
    """The last that is recorded under this pseudonym."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_SUBJECT_ERASED
    phase: ClassVar[Phase] = Phase.SOLE


@dataclass(frozen=True, kw_only=True)
class PseudonymsExpired(DomainEvent):
    """Of people who were never known, and of the index of addresses."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_SUBJECT_ERASED
    phase: ClassVar[Phase] = Phase.SOLE
    keys: int


@dataclass(frozen=True, kw_only=True)
class TrailExported(DomainEvent):
    """Leaves `first` to `last`, the last one not included."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_EXPORTED
    phase: ClassVar[Phase] = Phase.SOLE
    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class DatabaseTrusted(DomainEvent):
    """The file outside was lost; from here on it says again what the database says."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_DATABASE_TRUSTED
    phase: ClassVar[Phase] = Phase.SOLE
    size: int
