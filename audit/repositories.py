"""Appending to the trail: one plain INSERT on the connection of the unit of work."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connections

from audit.domain.entry import Entry

_INSERT: Final = """
INSERT INTO audit_event
    (id, phase, action, actor_ref, subject_ref, resource_type, resource_id, correlation, entry)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True)
class DjangoTrail:
    alias: str

    def append(self, entry: Entry) -> None:
        connection = connections[self.alias]
        values: list[Any] = [
            entry.id,
            entry.phase.value,
            entry.action,
            entry.actor,
            entry.subject,
            entry.resource_type,
            entry.resource_id,
            entry.correlation,
            entry.encoded(),
        ]
        if not connection.features.has_native_uuid_field:  # as Django's UUIDField stores it
            values = [value.hex if isinstance(value, UUID) else value for value in values]
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, values)
