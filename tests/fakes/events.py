"""An event of each phase, of an action that no product code knows."""

from dataclasses import dataclass
from typing import ClassVar

from core.actions import AuditAction, Phase
from core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class Attempted(DomainEvent):
    action: ClassVar[AuditAction] = AuditAction.TEST_ARRANGED
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class Succeeded(DomainEvent):
    action: ClassVar[AuditAction] = AuditAction.TEST_ARRANGED
    phase: ClassVar[Phase] = Phase.SUCCEEDED


@dataclass(frozen=True, kw_only=True)
class Failed(DomainEvent):
    action: ClassVar[AuditAction] = AuditAction.TEST_ARRANGED
    phase: ClassVar[Phase] = Phase.FAILED


@dataclass(frozen=True, kw_only=True)
class Sole(DomainEvent):
    """What a test puts in place is on record as this."""

    action: ClassVar[AuditAction] = AuditAction.TEST_ARRANGED
    phase: ClassVar[Phase] = Phase.SOLE
