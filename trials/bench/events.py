"""A change of a row as the trail records it: by a person, about that person, with an address that
is personal. As long as what the house's own events carry."""

from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from core.actions import AuditAction, Phase
from core.events import DomainEvent, EventMetadata, personal

SOMEBODY: Final = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
REQUEST: Final = EventMetadata(
    ip_address="192.0.2.1",
    user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    actor_id=SOMEBODY,
    door="api",
)


@dataclass(frozen=True, kw_only=True)
class ItemEvent(DomainEvent):
    action: ClassVar[AuditAction] = AuditAction.TEST_ARRANGED
    resource_type: ClassVar[str | None] = "user"
    user_id: UUID | None = SOMEBODY
    email: str = personal(default="somebody@example.com")
    count: int = 0

    @property
    def resource_id(self) -> UUID | None:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class ItemChangeAttempted(ItemEvent):
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class ItemChangeSucceeded(ItemEvent):
    phase: ClassVar[Phase] = Phase.SUCCEEDED


@dataclass(frozen=True, kw_only=True)
class ItemChanged(ItemEvent):
    phase: ClassVar[Phase] = Phase.SOLE
