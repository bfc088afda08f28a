"""Attempts that nobody finished: ABANDONED is recorded in the place of their outcome.

The primary key lets an attempt have one outcome. So this proves that the change did not commit:
had it, the place would be taken; and a business that is only late rolls back.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from audit.domain.entry import abandoned
from audit.ports import OpenAttempts
from core.clock import SystemClock
from core.ports import Clock

PATIENCE: Final = timedelta(seconds=60)


@dataclass(frozen=True)
class Sweeper:
    attempts: OpenAttempts
    clock: Clock = SystemClock()

    def sweep(self, patience: timedelta = PATIENCE) -> int:
        """How many attempts were abandoned."""
        now = self.clock.now()
        found = self.attempts.without_outcome(patience)
        return sum(self.attempts.close(abandoned(entry, now)) for entry in found)
