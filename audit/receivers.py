"""Where every domain event becomes a record. An error here stops the change that it is about."""

from typing import Any

from audit import wiring
from audit.application.erasing import EraseSubject
from core.actions import OUTCOMES, Phase
from core.events import DomainEvent, EventMetadata
from core.signals import trail
from core.unit_of_work import UnitOfWork


def record_event(
    sender: type[DomainEvent],
    event: DomainEvent,
    phase: Phase,
    session: UnitOfWork,
    metadata: EventMetadata,
    error: str | None = None,
    **_: Any,
) -> None:
    attempt = session.attempt_id if phase in OUTCOMES else None
    entry_id = wiring.recorder(session.alias).record(
        event, phase, metadata, attempt=attempt, error=error
    )
    if phase is Phase.ATTEMPTED:
        session.attempt_id = entry_id
    if event.erases_subject and event.user_id is not None:
        # Afterwards, and in the same transaction: the record itself still has their pseudonym.
        wiring.erasing().handle(EraseSubject(user_id=event.user_id))


def connect() -> None:
    trail.connect(record_event, dispatch_uid="audit.record_event")
