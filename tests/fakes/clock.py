from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.ports import Clock


@dataclass
class FakeClock:
    """Stands still until it is told to advance."""

    implements = Clock
    current: datetime = datetime(2024, 1, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.current

    def advance(self, step: timedelta) -> datetime:
        self.current += step
        return self.current
