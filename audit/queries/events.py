"""What is read of the trail: pages of events, and whom they are about."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import BinaryField, Q
from django.db.models.functions import Substr

from audit.domain.subject import NamedSubject, Subject, named_user, wrapped_start
from audit.models import AuditEvent, AuditEventQuerySet, AuditSubject, refs_of
from audit.ports import Criteria, Recorded
from core.ids import first_id_of
from core.keys import KeyRing, UnknownKeyError

_ADDRESSES: Final = "ip:"


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

    def count_unreadable(self) -> int:
        """How many are wrapped under a key that is not there."""
        rows = AuditSubject.objects.filter(key_wrapped__isnull=False)
        for number, start in enumerate(map(wrapped_start, self.keys.keys)):
            beginning = Substr("key_wrapped", 1, len(start), output_field=BinaryField())
            rows = rows.alias(**{f"start{number}": beginning}).exclude(**{f"start{number}": start})
        return rows.count()

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
        exact: dict[str, Any] = {
            "resource_type": criteria.resource_type,
            "action": criteria.action,
            "correlation": criteria.correlation,
            # An id begins with the millisecond in which it was made.
            "pk__gte": first_id_of(criteria.since) if criteria.since else None,
            "pk__lt": first_id_of(criteria.until) if criteria.until else None,
            "phase__in": [phase.value for phase in criteria.phases] or None,
            "ip_bi__in": self._blinded(criteria.ip) if criteria.ip else None,
        }
        if criteria.trace:
            exact["entry__holds"] = f'"trace":{json.dumps(criteria.trace)}'.encode()
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


def _recorded(rows: AuditEventQuerySet) -> list[Recorded]:
    found = rows.with_seal().values_list("entry", "recorded_at", "is_sealed")  # type: ignore[misc]
    return [Recorded(bytes(entry), at, sealed) for entry, at, sealed in found]
