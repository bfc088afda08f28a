from collections.abc import Callable

from core.events import DomainEvent, EventMetadata
from core.ports import Event, EventBusProtocol, UnitOfWorkProtocol


class StubEventBus:
    """Keeps what was published, in order; delivers nothing."""

    implements = EventBusProtocol

    def __init__(self) -> None:
        self.published_events: list[DomainEvent] = []

    def publish(
        self,
        event: DomainEvent,
        *,
        session: UnitOfWorkProtocol | None = None,
        metadata: EventMetadata | None = None,
    ) -> None:
        self.published_events.append(event)

    def subscribe(self, event_type: type[Event], handler: Callable[[Event], None]) -> None:
        """Nobody hears anything here."""

    @property
    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.published_events]
