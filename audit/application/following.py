"""The trail as it grows, for whoever watches."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from audit.application.reading import Reader, SeenEvent
from audit.domain.log import Cursor
from audit.ports import Commits, Criteria

_AT_ONCE: Final = 500


@dataclass
class Follower:
    """In the order of the commits: an outcome has the time of its attempt in its id, and would
    come too late for whoever followed the ids."""

    commits: Commits
    reader: Reader
    criteria: Criteria
    _cursor: Cursor = Cursor(0, 0, 0)
    _shown: frozenset[UUID] = field(default=frozenset())

    def begin(self, count: int) -> list[SeenEvent]:
        """The last ones that are there, from the oldest."""
        self._cursor = self.commits.newest()
        found = self.reader.newest(self.criteria, None, count)[::-1] if count else []
        # What was committed since the cursor was read would be shown twice.
        self._shown = frozenset(event.id for event in found)
        return found

    def more(self) -> list[SeenEvent]:
        """What has come since. Call it again while it gives something."""
        rows = self.commits.unsealed(self._cursor, _AT_ONCE)
        if not rows:
            return []
        self._cursor = rows[-1].cursor
        ids = [row.id for row in rows if row.id not in self._shown]
        return self.reader.among(self.criteria, ids)
