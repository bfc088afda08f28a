"""That a trail holds what was made up is the first thing that it says of it."""

from dataclasses import dataclass
from typing import ClassVar

from core.actions import AuditAction, Phase
from core.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class DemoSeeded(DomainEvent):
    """All accounts at example.com, and every event of them that is older than this one."""

    action: ClassVar[AuditAction] = AuditAction.DEMO_SEEDED
    phase: ClassVar[Phase] = Phase.SOLE
    people: int
    seed: int
