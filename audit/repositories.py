"""Appending to the trail: one plain INSERT on the connection of the unit of work."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connections

from audit.domain.entry import Entry
from core.actions import Phase

_INSERT: Final = """
INSERT INTO audit_event
    (id, phase, action, actor_ref, subject_ref, resource_type, resource_id, correlation, entry)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# The triggers on protected tables look for this id when the transaction commits.
_INSERT_AND_MARK: Final = f"""
WITH event AS ({_INSERT} RETURNING id)
SELECT set_config('dashtam.event', id::text, true) FROM event
"""  # noqa: S608  no value is part of the text


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
        marks = connection.vendor == "postgresql" and entry.phase is not Phase.ATTEMPTED
        with connection.cursor() as cursor:
            cursor.execute(_INSERT_AND_MARK if marks else _INSERT, values)
