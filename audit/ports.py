from typing import Protocol

from audit.domain.entry import Entry


class Trail(Protocol):
    def append(self, entry: Entry) -> None:
        """Raises when it cannot: what cannot be recorded must not happen."""
        ...
