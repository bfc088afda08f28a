"""What is read of the trail: pages of events, and whom they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connections
from django.db.models import Q

from audit.domain.subject import NamedSubject, Subject, named_user
from audit.models import AuditEvent, AuditEventQuerySet, AuditSubject, refs_of
from audit.ports import Criteria, Recorded
from core.ids import first_id_of
from core.keys import KeyRing, UnknownKeyError

_ADDRESSES: Final = "ip:"
_COUNTED: Final = 20_000
_WAITING: Final = {
    "postgresql": """
        SELECT count(*), extract(epoch FROM clock_timestamp() - min(recorded_at)) FROM (
            SELECT e.recorded_at FROM audit_frontier f JOIN audit_event e
            ON (e.epoch, e.xid, e.seq) > (f.cursor_epoch, f.cursor_xid::text::xid8, f.cursor_seq)
            ORDER BY e.epoch, e.xid, e.seq LIMIT %s
        ) AS waiting
    """,
    "sqlite": """
        SELECT count(*), (julianday('now') - julianday(min(recorded_at))) * 86400 FROM (
            SELECT e.recorded_at FROM audit_frontier f JOIN audit_event e ON e.seq > f.cursor_seq
            ORDER BY e.seq LIMIT %s
        ) AS waiting
    """,
}

_SEALED_AGO: Final = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp() - created_at)"
    " FROM audit_checkpoint ORDER BY size DESC LIMIT 1",
    "sqlite": "SELECT (julianday('now') - julianday(created_at)) * 86400"
    " FROM audit_checkpoint ORDER BY size DESC LIMIT 1",
}


@dataclass(frozen=True)
class DjangoSubjectDirectory:
    keys: KeyRing

    def by_ref(self, *refs: UUID) -> list[NamedSubject]:
        return self._read(ref__in=refs)

    def by_name(self, *names: str) -> list[NamedSubject]:
        return self._read(name__in=names)

    def of_addresses(self) -> list[NamedSubject]:
        """One for each month of which addresses can still be searched for."""
        return self._read(name__startswith=_ADDRESSES)

    def _read(self, **condition: Any) -> list[NamedSubject]:
        rows = AuditSubject.objects.filter(**condition).values_list("name", "ref", "key_wrapped")
        found = [self._opened(name, ref, wrapped) for name, ref, wrapped in rows]
        return [each for each in found if each is not None]

    def _opened(self, name: str | None, ref: UUID, wrapped: Any) -> NamedSubject | None:
        """None for one that was erased, and for one that does not open: what is under its key
        cannot be read, and everything else can. `audit_verify` names it."""
        if name is None or wrapped is None:
            return None
        try:
            return NamedSubject(name, Subject.unwrapped(ref, name, bytes(wrapped), self.keys))
        except UnknownKeyError:
            return None


@dataclass(frozen=True)
class DjangoRecordedEvents:
    subjects: DjangoSubjectDirectory

    def newest(self, criteria: Criteria, before: UUID | None, size: int) -> list[Recorded]:
        rows = self._matching(criteria)
        if before is not None:
            rows = rows.filter(pk__lt=before)
        return _recorded(rows.order_by("-pk")[:size])

    def oldest(self, criteria: Criteria, after: UUID | None, size: int) -> list[Recorded]:
        rows = self._matching(criteria)
        if after is not None:
            rows = rows.filter(pk__gt=after)
        return _recorded(rows.order_by("pk")[:size])

    def among(self, criteria: Criteria, ids: Sequence[UUID]) -> list[Recorded]:
        return _recorded(self._matching(criteria).filter(pk__in=ids).order_by("pk"))

    def find(self, entry_id: UUID) -> Recorded | None:
        found = _recorded(AuditEvent.objects.filter(pk=entry_id))
        return found[0] if found else None

    def _matching(self, criteria: Criteria) -> AuditEventQuerySet:
        exact = {
            "resource_type": criteria.resource_type,
            "action": criteria.action,
            "correlation": criteria.correlation,
            # An id begins with the millisecond in which it was made.
            "pk__gte": first_id_of(criteria.since) if criteria.since else None,
            "pk__lt": first_id_of(criteria.until) if criteria.until else None,
            "phase__in": [phase.value for phase in criteria.phases] or None,
            "ip_bi__in": self._blinded(criteria.ip) if criteria.ip else None,
        }
        rows = AuditEvent.objects.filter(
            **{name: value for name, value in exact.items() if value is not None}
        )
        if criteria.subject:
            rows = rows.filter(subject_ref__in=refs_of(named_user(criteria.subject)))
        if criteria.actor:
            rows = rows.filter(actor_ref__in=refs_of(named_user(criteria.actor)))
        if criteria.resource_id:
            person = Q(resource_id__in=refs_of(named_user(criteria.resource_id)))
            rows = rows.filter(Q(resource_id=criteria.resource_id) | person)
        return rows

    def _blinded(self, address: str) -> list[bytes]:
        return [each.subject.blind(address) for each in self.subjects.of_addresses()]


class Waiting(NamedTuple):
    """For their seal. `longest` is in seconds, by the clock of the database."""

    events: int
    longest: float


def waiting(alias: str) -> Waiting:
    """Counts no more than what two seals take."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(_WAITING[connection.vendor], [_COUNTED])
        count, longest = cursor.fetchone()
    return Waiting(count, max(0.0, float(longest or 0)))


def sealed_ago(alias: str) -> float | None:
    """Seconds since the last checkpoint was signed."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(_SEALED_AGO[connection.vendor])
        row = cursor.fetchone()
    return max(0.0, float(row[0])) if row else None


def _recorded(rows: AuditEventQuerySet) -> list[Recorded]:
    found = rows.with_seal().values_list("entry", "recorded_at", "is_sealed")  # type: ignore[misc]
    return [Recorded(bytes(entry), at, sealed) for entry, at, sealed in found]
