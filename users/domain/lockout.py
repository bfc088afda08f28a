"""When guessing is stopped. The count belongs to an address, known or not: see `SignInGuard`."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

MAX_FAILURES: Final = 5
LOCK_DURATION: Final = timedelta(minutes=15)


@dataclass(frozen=True)
class FailureCount:
    failures: int = 0
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until

    def after_failure(self, now: datetime) -> "FailureCount":
        """The fifth failure locks. A lock that is over has spent the failures before it."""
        if self.is_locked(now):
            return self
        counted = self if self.locked_until is None else FailureCount()
        failures = counted.failures + 1
        locked_until = now + LOCK_DURATION if failures >= MAX_FAILURES else None
        return replace(counted, failures=failures, locked_until=locked_until)
