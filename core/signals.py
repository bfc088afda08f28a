"""The bus: domain events as Django signals.

`Signal.send`, never `send_robust`: a receiver that fails, audit's above all, stops the change.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.dispatch import Signal

from core import context, unit_of_work
from core.events import DomainEvent, EventMetadata
from core.ports import Event, UnitOfWorkProtocol

domain_event = Signal()
"""`sender` is the event's class: contexts hear exactly the type that they subscribed to."""

trail = Signal()
"""Every event, last: audit's receiver writes the record. With event, phase, session, metadata
and, where an exception stopped the handler, the name of its class as `error`."""


@dataclass(frozen=True)
class SignalEventBus:
    """An event belongs to a unit of work: the given one, or the one that is open here."""

    events: Signal = field(default=domain_event)
    records: Signal = field(default=trail)

    def publish(
        self,
        event: DomainEvent,
        *,
        session: UnitOfWorkProtocol | None = None,
        metadata: EventMetadata | None = None,
    ) -> None:
        unit = session or unit_of_work.current()
        with unit.recording(event) as phase:
            self.events.send(sender=type(event), event=event)
            self.records.send(
                sender=type(event),
                event=event,
                phase=phase,
                session=unit,
                metadata=metadata or context.current(),
            )

    def subscribe(self, event_type: type[Event], handler: Callable[[Event], None]) -> None:
        """Once per handler. Strongly held: a closure would vanish with its first collection."""

        def receive(sender: type[Event], event: Event, **_: Any) -> None:
            handler(event)

        self.events.connect(receive, sender=event_type, weak=False, dispatch_uid=handler)
