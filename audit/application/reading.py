"""What was recorded, for people: who somebody was is told again, as long as their key is there."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from audit.application.proving import Proof, Prover
from audit.domain.entry import read_projection
from audit.domain.events import EventsExported, EventViewed, TrailViewed
from audit.domain.subject import NamedSubject, named_day, named_user, user_of
from audit.ports import Criteria, Recorded, RecordedEvents, SubjectDirectory
from core.actions import Phase
from core.errors import DomainError, ErrorCode, NotFoundError
from core.ports import EventBusProtocol
from core.result import Failure, Result, Success

NO_SUCH_EVENT: Final = NotFoundError(
    ErrorCode.EVENT_NOT_FOUND, "There is no event of this id on the trail.", resource_type="event"
)
_PEOPLE: Final = frozenset({"subject", "actor", "resource_id", "phases"})
"""Of criteria: who is erased must not stand in the records of those who asked for them."""
_OWN_PLACE: Final = frozenset({"event", "door", "trace"})
_AT_ONCE: Final = 500
_OF_A_PERSON: Final = frozenset(Phase) - {Phase.ATTEMPTED}


@dataclass(frozen=True)
class Person:
    """`user_id` is None where nobody knows who it was, or may know it any more."""

    ref: UUID
    user_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class SeenEvent:
    """`source` tells where the actor came from, `personal` who the subject is. `is_erased` where
    something of it was recorded and cannot be read any more."""

    id: UUID
    at: str
    recorded_at: datetime
    action: str
    phase: str
    attempt: UUID | None
    correlation: UUID
    actor: Person | None
    subject: Person | None
    resource_type: str | None
    resource: Person | None
    door: str | None
    trace_id: str | None
    context: Mapping[str, Any]
    source: Mapping[str, Any] | None = field(repr=False)
    personal: Mapping[str, Any] | None = field(repr=False)
    is_erased: bool
    error: str | None
    is_sealed: bool
    entry: bytes = field(repr=False)

    def as_document(self) -> dict[str, object]:
        """As programs read it, over HTTP and from commands."""
        resource = {"type": self.resource_type, **_told(self.resource)} if self.resource else None
        return {
            "id": str(self.id),
            "at": self.at,
            "recorded_at": self.recorded_at.isoformat(),
            "action": self.action,
            "phase": self.phase,
            "attempt": str(self.attempt) if self.attempt else None,
            "correlation": str(self.correlation),
            "actor": _told(self.actor) if self.actor else None,
            "subject": _told(self.subject) if self.subject else None,
            "resource": resource,
            "door": self.door,
            "trace_id": self.trace_id,
            "details": dict(self.context),
            "source": self.source,
            "personal": self.personal,
            "is_erased": self.is_erased,
            "error": self.error,
            "is_sealed": self.is_sealed,
        }


@dataclass(frozen=True, kw_only=True)
class Reader:
    events: RecordedEvents
    subjects: SubjectDirectory

    def newest(self, criteria: Criteria, before: UUID | None, size: int) -> list[SeenEvent]:
        return self._seen(self.events.newest(criteria, before, size))

    def oldest(self, criteria: Criteria, after: UUID | None, size: int) -> list[SeenEvent]:
        return self._seen(self.events.oldest(criteria, after, size))

    def among(self, criteria: Criteria, ids: Sequence[UUID]) -> list[SeenEvent]:
        """In the order of `ids`."""
        found = {event.id: event for event in self._seen(self.events.among(criteria, ids))}
        return [found[each] for each in ids if each in found]

    def find(self, entry_id: UUID) -> SeenEvent | None:
        found = self.events.find(entry_id)
        return self._seen([found])[0] if found else None

    def known(self, user_id: UUID | None) -> UUID | None:
        """Asking about somebody must not make a pseudonym for them."""
        if user_id is None:
            return None
        return user_id if self.subjects.by_name(named_user(user_id)) else None

    def stream(self, criteria: Criteria, after: UUID | None = None) -> Iterator[SeenEvent]:
        """From the oldest to the newest, a few at a time: it holds no transaction. The first page
        is read at once: what cannot be read is told before an answer has begun."""
        return self._pages(criteria, self.oldest(criteria, after, _AT_ONCE))

    def _pages(self, criteria: Criteria, page: list[SeenEvent]) -> Iterator[SeenEvent]:
        while page:
            yield from page
            page = self.oldest(criteria, page[-1].id, _AT_ONCE)

    def _seen(self, recorded: Sequence[Recorded]) -> list[SeenEvent]:
        documents = [(row, json.loads(row.entry)) for row in recorded]
        refs = {ref for _, document in documents for ref in _refs(document)}
        days = {named_day(row.recorded_at) for row in recorded}
        known = {each.subject.ref: each for each in self.subjects.by_ref(*refs)}
        unknown = {each.name: each for each in self.subjects.by_name(*days)}
        return [
            _event(row, document, known, unknown.get(named_day(row.recorded_at)))
            for row, document in documents
        ]


@dataclass(frozen=True, kw_only=True)
class ViewEvents:
    """`viewer` is the user who looks; None at the command line, where there are no users."""

    criteria: Criteria
    before: UUID | None = None
    size: int
    viewer: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ViewEventsHandler:
    """Newest first. That somebody looks is on record before they see anything."""

    reader: Reader
    event_bus: EventBusProtocol

    def handle(self, query: ViewEvents) -> Result[list[SeenEvent], DomainError]:
        criteria = query.criteria
        self.event_bus.publish(
            TrailViewed(
                user_id=query.viewer,
                whose=self.reader.known(criteria.subject or criteria.actor or criteria.resource_id),
                asked_for=told(criteria),
            )
        )
        return Success(self.reader.newest(criteria, query.before, query.size))


@dataclass(frozen=True, kw_only=True)
class ViewEvent:
    id: UUID
    viewer: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ViewEventHandler:
    """One event with its proof, or without one as long as it is not sealed."""

    reader: Reader
    prover: Prover
    event_bus: EventBusProtocol

    def handle(self, query: ViewEvent) -> Result[tuple[SeenEvent, Proof | None], DomainError]:
        self.event_bus.publish(EventViewed(user_id=query.viewer, event=query.id))
        event = self.reader.find(query.id)
        if event is None:
            return Failure(NO_SUCH_EVENT)
        if not event.is_sealed:
            return Success((event, None))
        proved = self.prover.prove(query.id, event.entry)
        if isinstance(proved, Failure):
            return proved
        return Success((event, proved.value))


@dataclass(frozen=True, kw_only=True)
class ExportEvents:
    criteria: Criteria
    after: UUID | None = None
    viewer: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ExportEventsHandler:
    """Oldest first; what comes out of it is read when it is asked for, after the record."""

    reader: Reader
    event_bus: EventBusProtocol

    def handle(self, query: ExportEvents) -> Result[Iterable[SeenEvent], DomainError]:
        criteria = query.criteria
        self.event_bus.publish(
            EventsExported(
                user_id=query.viewer,
                whose=self.reader.known(criteria.subject or criteria.actor or criteria.resource_id),
                asked_for=told(criteria),
            )
        )
        return Success(self.reader.stream(criteria, query.after))


def own_activity(reader: Reader, user_id: UUID, before: UUID | None, size: int) -> list[SeenEvent]:
    """What happened to one's own account: outcomes, and what needed no attempt. An attempt of
    somebody who was not known yet is nobody's."""
    return reader.newest(Criteria(subject=user_id, phases=_OF_A_PERSON), before, size)


def told(criteria: Criteria) -> dict[str, str]:
    """For the record, where the person asked about has a place of its own."""
    asked = {
        each.name: getattr(criteria, each.name)
        for each in fields(criteria)
        if each.name not in _PEOPLE
    }
    texts = {name: str(value) for name, value in asked.items() if value is not None}
    if criteria.phases:
        texts["phases"] = ",".join(sorted(phase.name for phase in criteria.phases))
    return texts


def _told(person: Person) -> dict[str, str | None]:
    return {"ref": str(person.ref), "user_id": str(person.user_id) if person.user_id else None}


def _refs(document: Mapping[str, Any]) -> Iterator[UUID]:
    kind, resource = document["resource"]
    for ref in (document["actor"], document["subject"], resource if kind == "user" else None):
        if ref:
            yield UUID(ref)


def _event(
    row: Recorded,
    document: Mapping[str, Any],
    known: Mapping[UUID, NamedSubject],
    unknown: NamedSubject | None,
) -> SeenEvent:
    columns = read_projection(document)
    context = document["ctx"]
    subject = known.get(columns.subject_ref) if columns.subject_ref else None
    actor = known.get(columns.actor_ref) if columns.actor_ref else unknown
    personal = _revealed(document["pii"], subject, columns.id)
    source = _revealed(document["src"], actor, columns.id)
    return SeenEvent(
        id=columns.id,
        at=document["at"],
        recorded_at=row.recorded_at,
        action=columns.action,
        phase=document["phase"],
        attempt=UUID(document["attempt"]) if document["attempt"] else None,
        correlation=columns.correlation,
        actor=_person(columns.actor_ref, known),
        subject=_person(columns.subject_ref, known),
        resource_type=columns.resource_type,
        resource=_person(columns.resource_id, known),
        door=context.get("door"),
        trace_id=context.get("trace"),
        context={name: value for name, value in context.items() if name not in _OWN_PLACE},
        source=source,
        personal=personal,
        is_erased=[personal, source].count(None) > [document["pii"], document["src"]].count(None),
        error=document["err"],
        is_sealed=row.is_sealed,
        entry=row.entry,
    )


def _person(ref: UUID | None, known: Mapping[UUID, NamedSubject]) -> Person | None:
    if ref is None:
        return None
    return Person(ref, user_of(known[ref].name) if ref in known else None)


def _revealed(
    concealed: str | None, person: NamedSubject | None, entry_id: UUID
) -> Mapping[str, Any] | None:
    if concealed is None or person is None:
        return None
    return person.subject.reveal(concealed, entry_id)
