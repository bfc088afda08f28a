"""How much of it there is on the trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.db import connections

from audit.ports import Outcomes, Source
from core.actions import Phase
from core.ids import first_id_of

# One range of the index for each step: joined with the steps, all that there ever was is read.
_OUTCOMES: Final = """
    SELECT {step}, phase, count(*) FROM audit_event
    WHERE action = %s AND id >= %s AND id < %s AND phase IN (2, 3) GROUP BY phase
"""
# As text: PostgreSQL has no `max` of a uuid before version 18.
_SOURCES: Final = """
    SELECT count(*), max({text}) FROM audit_event e
    WHERE e.action = %s AND e.id >= %s AND e.id < %s AND e.phase = %s AND e.ip_bi IS NOT NULL
    GROUP BY e.ip_bi ORDER BY 1 DESC, 2 DESC LIMIT %s
"""


@dataclass(frozen=True)
class DjangoEventCounts:
    """From `audit_event_action` alone, which has all that is asked for."""

    alias: str = "default"

    def outcomes(self, action: str, bounds: Sequence[datetime]) -> list[Outcomes]:
        ids = [self._stored(first_id_of(bound)) for bound in bounds]
        steps = range(len(ids) - 1)
        statement = " UNION ALL ".join(_OUTCOMES.format(step=step) for step in steps)
        ranges = chain.from_iterable((action, *ids[step : step + 2]) for step in steps)
        rows = self._rows(statement, [*ranges])
        return [Outcomes(step, Phase(phase), count) for step, phase, count in rows]

    def sources(
        self, action: str, phase: Phase, bounds: tuple[datetime, datetime], most: int
    ) -> list[Source]:
        low, high = (self._stored(first_id_of(bound)) for bound in bounds)
        statement = _SOURCES.format(text="e.id::text" if self._is_postgresql else "e.id")
        rows = self._rows(statement, [action, low, high, phase.value, most])
        return [Source(count, UUID(last)) for count, last in rows]

    def _stored(self, entry_id: UUID) -> UUID | str:
        return entry_id if self._is_postgresql else entry_id.hex

    @property
    def _is_postgresql(self) -> bool:
        return connections[self.alias].vendor == "postgresql"

    def _rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with connections[self.alias].cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
