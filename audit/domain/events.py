"""What happens to the trail itself."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from core.actions import AuditAction, Phase
from core.events import DomainEvent, personal


@dataclass(frozen=True, kw_only=True)
class TrailEvent(DomainEvent):
    phase: ClassVar[Phase] = Phase.SOLE


@dataclass(frozen=True, kw_only=True)
class Reading(TrailEvent):
    """By `user_id`, of what happened to `resource_id` where one user was asked about: whoever is
    looked into does not find it among their own events."""

    resource_type: ClassVar[str | None] = "user"
    whose: UUID | None = None
    asked_for: dict[str, str] = personal(default_factory=dict)

    @property
    def resource_id(self) -> UUID | None:
        return self.whose


@dataclass(frozen=True, kw_only=True)
class TrailViewed(Reading):
    action: ClassVar[AuditAction] = AuditAction.AUDIT_VIEWED


@dataclass(frozen=True, kw_only=True)
class EventsExported(Reading):
    """Readable, one after the other."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_EXPORTED


@dataclass(frozen=True, kw_only=True)
class EventViewed(TrailEvent):
    """A single one, with its proof."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_VIEWED
    resource_type: ClassVar[str | None] = "event"
    event: UUID

    @property
    def resource_id(self) -> UUID | None:
        return self.event


@dataclass(frozen=True, kw_only=True)
class TrailViewRefused(TrailEvent):
    """Somebody without the right tried to read."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_VIEW_REFUSED
    by_subject: ClassVar[bool] = True
    path: str


@dataclass(frozen=True, kw_only=True)
class TrailExported(TrailEvent):
    """Leaves `first` to `last`, the last one not included."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_EXPORTED
    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class TrailPruned(TrailEvent):
    """The rows below the id `before` were moved to archives, of which the newest has the leaves
    `first` to `last`; `manifest` is the SHA-256 of its manifest. Their hashes stay."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_PRUNED
    month: str
    before: UUID
    first: int
    last: int
    manifest: str | None


@dataclass(frozen=True, kw_only=True)
class SubjectErased(TrailEvent):
    """The last that is recorded under this pseudonym."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_SUBJECT_ERASED


@dataclass(frozen=True, kw_only=True)
class PseudonymsExpired(TrailEvent):
    """Of people who were never known, and of the index of addresses."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_SUBJECT_ERASED
    refs: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class KeyRotated(TrailEvent):
    """`vkey` is the new public key; the checkpoint that follows is signed by both."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_KEY_ROTATED
    vkey: str


@dataclass(frozen=True, kw_only=True)
class EpochBegun(TrailEvent):
    """The database was restored into another cluster, whose transaction ids begin anew."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_EPOCH_BEGUN
    epoch: int


@dataclass(frozen=True, kw_only=True)
class DatabaseTrusted(TrailEvent):
    """The file outside was lost; from here on it says again what the database says."""

    action: ClassVar[AuditAction] = AuditAction.AUDIT_DATABASE_TRUSTED
    size: int
