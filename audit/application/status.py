"""The trail at a glance."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

FORGOTTEN: Final = timedelta(minutes=5)
"""Since when an attempt should have its outcome: the worker looks every half minute."""


@dataclass(frozen=True, kw_only=True)
class Seals:
    """Told at once, however long the trail is. Ages are in seconds, and `waits` is of the oldest of
    the events that wait."""

    size: int
    sealed_ago: float | None
    waiting: int
    waits: float


@dataclass(frozen=True, kw_only=True)
class TrailStatus(Seals):
    """`outside` is the size that the file outside the database says, `anchors` the size that each
    anchor has got."""

    open_attempts: int
    outside: int | None
    keys: tuple[str, ...]
    anchors: Mapping[str, int]

    @property
    def warnings(self) -> list[str]:
        """What numbers alone tell; the system checks know more."""
        found = []
        if self.outside is None and self.size:
            found.append("No checkpoint is kept outside the database (AUDIT_FOLDER).")
        if self.outside is not None and self.outside > self.size:
            found.append(
                f"{self.outside} events were sealed once, and {self.size} are left: the database"
                " is older than the checkpoint outside of it."
            )
        if self.open_attempts:
            found.append(
                f"{self.open_attempts} attempts have had no outcome for five minutes: is"
                " `manage.py worker` running?"
            )
        empty = [name for name, size in self.anchors.items() if not size]
        return [*found, *(f"{name} has no checkpoint yet." for name in empty)]
