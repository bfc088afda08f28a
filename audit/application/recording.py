"""From a domain event to an entry of the trail."""

from dataclasses import dataclass, fields
from typing import Any, Final
from uuid import UUID

from audit.domain import subject as names
from audit.domain.entry import Entry, attempt_id, clipped, outcome_id, sole_id
from audit.domain.subject import Subject
from audit.ports import Subjects, Trail
from core.actions import OUTCOMES, Phase
from core.clock import SystemClock
from core.events import DomainEvent, EventMetadata
from core.ports import Clock

_OWN_PLACE: Final = {"event_id", "occurred_at", "user_id"}
_PERSON: Final = "user"


@dataclass(frozen=True)
class Recorder:
    trail: Trail
    subjects: Subjects
    clock: Clock = SystemClock()

    def record(
        self,
        event: DomainEvent,
        phase: Phase,
        metadata: EventMetadata,
        *,
        attempt: UUID | None = None,
        error: str | None = None,
        made: UUID | None = None,
    ) -> UUID:
        """The id of the entry; `attempt` is that of the attempt which this is the outcome of.
        `made` is an id to take, of a time that is not now."""
        entry_id = _id_for(phase, attempt, made)
        people = self._people(event, metadata)
        subject, actor = people.subject, people.actor
        payload = _payload(event)
        resource_id = event.resource_id
        if event.resource_type == _PERSON and resource_id is not None:
            resource_id = people.ref_of(resource_id)
        self.trail.append(
            Entry(
                id=entry_id,
                at=event.occurred_at,
                action=event.action,
                phase=phase,
                attempt=attempt if phase in OUTCOMES else None,
                actor=actor.ref if people.actor_is_known else None,
                subject=subject.ref,
                resource_type=event.resource_type,
                resource_id=resource_id,
                correlation=metadata.correlation,
                ip_bi=people.addresses.blind(metadata.ip_address) if metadata.ip_address else None,
                context=clipped(payload[False])
                | {"event": event.event_id, "door": metadata.door, "trace": metadata.trace_id},
                pii=subject.conceal(clipped(payload[True]), entry_id),
                source=actor.conceal(
                    {"ip": metadata.ip_address, "agent": metadata.user_agent}, entry_id
                ),
                error=error,
            )
        )
        return entry_id

    def _people(self, event: DomainEvent, metadata: EventMetadata) -> "_People":
        """No key is read that nothing is written under."""
        now = self.clock.now()
        actor = metadata.actor_id or (event.user_id if event.by_subject else None)
        people = [event.user_id, actor]
        if event.resource_type == _PERSON and event.resource_id is not None:
            people.append(event.resource_id)
        day, month = names.named_day(now), names.named_month_of_addresses(now)
        wanted = {names.named_user(user) if user else day for user in people}
        if metadata.ip_address:
            wanted.add(month)
        return _People(self.subjects.named(*sorted(wanted)), day, month, event.user_id, actor)


@dataclass(frozen=True)
class _People:
    """Of one event: whom it is about, who did it, and what its address is looked up by."""

    named: Any
    day: str
    month: str
    user_id: UUID | None
    actor_id: UUID | None

    @property
    def subject(self) -> Subject:
        return self._of(self.user_id)

    @property
    def actor(self) -> Subject:
        return self._of(self.actor_id)

    @property
    def actor_is_known(self) -> bool:
        return self.actor_id is not None

    @property
    def addresses(self) -> Subject:
        found: Subject = self.named[self.month]
        return found

    def ref_of(self, user_id: UUID) -> UUID:
        return self._of(user_id).ref

    def _of(self, user_id: UUID | None) -> Subject:
        found: Subject = self.named[names.named_user(user_id) if user_id else self.day]
        return found


def _id_for(phase: Phase, attempt: UUID | None, made: UUID | None) -> UUID:
    if phase is Phase.ATTEMPTED:
        return attempt_id(made)
    if phase in OUTCOMES and attempt is not None:
        return outcome_id(attempt)
    return sole_id(made)


def _payload(event: DomainEvent) -> dict[bool, dict[str, Any]]:
    """The event's own fields: personal ones under True, the others under False. What it is about
    has a place of its own, where a person is a pseudonym."""
    payload: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    for field in fields(event):
        value = getattr(event, field.name)
        if field.name not in _OWN_PLACE and value not in (None, event.resource_id):
            payload[field.metadata.get("personal", False)][field.name] = value
    return payload
