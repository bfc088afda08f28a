"""From a domain event to an entry of the trail."""

from dataclasses import dataclass, fields
from typing import Any, Final
from uuid import UUID

from audit.domain.entry import Entry, attempt_id, outcome_id, sole_id
from audit.ports import Trail
from core.actions import OUTCOMES, Phase
from core.events import DomainEvent, EventMetadata

_OWN_PLACE: Final = {"event_id", "occurred_at", "user_id"}


@dataclass(frozen=True)
class Recorder:
    trail: Trail

    def record(
        self,
        event: DomainEvent,
        phase: Phase,
        metadata: EventMetadata,
        *,
        attempt: UUID | None = None,
        error: str | None = None,
    ) -> UUID:
        """The id of the entry; `attempt` is that of the attempt which this is the outcome of."""
        entry_id = _id_for(phase, attempt)
        payload = _payload(event)
        self.trail.append(
            Entry(
                id=entry_id,
                at=event.occurred_at,
                action=event.action,
                phase=phase,
                attempt=attempt if phase in OUTCOMES else None,
                actor=metadata.actor_id or (event.user_id if event.by_subject else None),
                subject=event.user_id,
                resource_type=event.resource_type,
                resource_id=event.resource_id,
                correlation=metadata.correlation,
                context={
                    **payload[False],
                    "event": event.event_id,
                    "door": metadata.door,
                    "trace": metadata.trace_id,
                },
                personal={
                    **payload[True],
                    "ip": metadata.ip_address,
                    "agent": metadata.user_agent,
                },
                error=error,
            )
        )
        return entry_id


def _id_for(phase: Phase, attempt: UUID | None) -> UUID:
    if phase is Phase.ATTEMPTED:
        return attempt_id()
    if phase in OUTCOMES and attempt is not None:
        return outcome_id(attempt)
    return sole_id()


def _payload(event: DomainEvent) -> dict[bool, dict[str, Any]]:
    """The event's own fields: personal ones under True, the others under False."""
    payload: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    for field in fields(event):
        if field.name not in _OWN_PLACE:
            personal = field.metadata.get("personal", False)
            payload[personal][field.name] = getattr(event, field.name)
    return payload
