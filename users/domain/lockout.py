"""When guessing is stopped. A count belongs to an address, known or not, or to whatever else a
claimant is known by: see `SignInGuard`."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

MAX_FAILURES: Final = 5
FIRST_LOCK: Final = timedelta(minutes=15)
LONGEST_LOCK: Final = timedelta(hours=24)
FAILURES_IN_A_ROW: Final = 100
"""NIST SP 800-63B-4 §3.2.2: after so many the password alone opens nothing any more."""


@dataclass(frozen=True)
class FailureCount:
    """Of failures in a row; only a success, or a new password, ends the row."""

    failures: int = 0
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        return self.failures >= FAILURES_IN_A_ROW or self._waits(now)

    def after_failure(self, now: datetime) -> "FailureCount":
        """Every fifth failure locks, for twice as long as the one before. Beyond a hundred every
        one does: the lock does not open by itself, but its owner is mailed again."""
        if self._waits(now):
            return self
        failures = self.failures + 1
        if failures % MAX_FAILURES and failures < FAILURES_IN_A_ROW:
            return replace(self, failures=failures)
        return FailureCount(failures, now + _lock(failures))

    def _waits(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until


def _lock(failures: int) -> timedelta:
    locks_before = min(failures, FAILURES_IN_A_ROW) // MAX_FAILURES - 1
    return min(FIRST_LOCK * (1 << locks_before), LONGEST_LOCK)
