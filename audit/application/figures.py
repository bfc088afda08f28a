"""The trail in numbers, for whoever keeps an eye on an installation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from audit.application.reading import Reader
from audit.ports import Criteria, EventCounts
from core.actions import AuditAction, Phase

_MOST: Final = 5


class SignIns(NamedTuple):
    """One number for each step."""

    succeeded: list[int]
    failed: list[int]


class FailingSource(NamedTuple):
    """`address` is None where nobody can read any more what it was."""

    address: str | None
    failures: int
    last: UUID


@dataclass(frozen=True)
class Figures:
    counts: EventCounts
    reader: Reader

    def sign_ins(self, bounds: Sequence[datetime]) -> SignIns:
        steps = len(bounds) - 1
        found = {Phase.SUCCEEDED: [0] * steps, Phase.FAILED: [0] * steps}
        for outcomes in self.counts.outcomes(AuditAction.USER_LOGIN, bounds):
            found[outcomes.phase][outcomes.step] = outcomes.events
        return SignIns(found[Phase.SUCCEEDED], found[Phase.FAILED])

    def failing_sources(self, since: datetime, until: datetime) -> list[FailingSource]:
        """Of those from which most sign-ins failed."""
        found = self.counts.sources(AuditAction.USER_LOGIN, Phase.FAILED, (since, until), _MOST)
        last = {
            event.id: (event.source or {}).get("ip")
            for event in self.reader.among(Criteria(), [source.last for source in found])
        }
        return [
            FailingSource(last.get(source.last), source.events, source.last) for source in found
        ]
