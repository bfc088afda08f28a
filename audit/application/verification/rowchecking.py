"""What one row says of itself, sealed or not: its MAC, its columns, its phase."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from audit.domain.entry import is_authentic, tells_phase
from audit.domain.findings import Finding, Kind
from audit.ports import Stored
from core.actions import Phase
from core.keys import KeyRing

DIFFERENT_CLOCKS: Final = timedelta(minutes=5)
_COLUMNS: Final = 9
_PHASES: Final = {phase.name: phase.value for phase in Phase}
_TOLD_BY: Final = {
    digit: frozenset(phase.value for phase in Phase if tells_phase(UUID(int=int(digit, 16)), phase))
    for digit in "0123456789abcdef"
}
"""By the last digit of the id."""
# What `json` and the reading of a document raise for whatever else may stand in its place.
_UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class RowCheck:
    mac_keys: KeyRing

    def findings(self, row: Stored, leaf: int | None) -> Sequence[Finding]:
        """Nearly always none, and asked for each row: what is found is worked out afterwards."""
        try:
            document = json.loads(row.entry.decode())
            columns = columns_of(document)
            apart = abs(datetime.fromisoformat(document["at"]) - row.recorded_at)
        except _UNREADABLE:
            return [*self._of_mac(row, leaf), _unreadable(row, leaf)]
        if (
            row[:_COLUMNS] == columns
            and row.phase in _TOLD_BY.get(row.id[-1:], ())
            and apart <= DIFFERENT_CLOCKS
            and self._is_ours(row)
        ):
            return ()
        return [*self._of_mac(row, leaf), *_of_columns(row, columns, apart, leaf)]

    def _is_ours(self, row: Stored) -> bool:
        return is_authentic(row.entry, row.mac, self.mac_keys)

    def _of_mac(self, row: Stored, leaf: int | None) -> Iterator[Finding]:
        if not self._is_ours(row):
            yield Finding(Kind.MAC, "the row's MAC is not that of its entry", leaf, id_of(row))


def columns_of(document: Mapping[str, Any]) -> tuple[Any, ...]:
    """As they should stand beside a parsed entry. Raises whatever reading something else does."""
    resource_type, resource_id = document["resource"]
    return (
        document["id"],
        _PHASES[document["phase"]],
        document["action"],
        document["actor"],
        document["subject"],
        resource_type,
        resource_id,
        document["corr"],
        document["ip_bi"],
    )


def written_id(row: Stored) -> str:
    """The one that the entry says, whatever its row says; empty where it says none."""
    try:
        return str(json.loads(row.entry.decode())["id"])
    except _UNREADABLE:
        return ""


def id_of(row: Stored) -> UUID | None:
    """SQLite lets anybody put anything where an id belongs."""
    try:
        return UUID(row.id)
    except ValueError:
        return None


def _of_columns(
    row: Stored, columns: tuple[Any, ...], apart: timedelta, leaf: int | None
) -> Iterator[Finding]:
    names = [
        name
        for name, here, written in zip(Stored._fields, row, columns, strict=False)
        if here != written
    ]
    if names:
        yield Finding(Kind.COLUMN, ", ".join(names), leaf, id_of(row))
    if row.phase not in _TOLD_BY.get(row.id[-1:], ()):
        yield Finding(Kind.BAD_PHASE, "the id tells another phase", leaf, id_of(row))
    if apart > DIFFERENT_CLOCKS:
        yield Finding(Kind.CLOCK, f"the clocks were {apart} apart", leaf, id_of(row))


def _unreadable(row: Stored, leaf: int | None) -> Finding:
    return Finding(Kind.NOT_AN_ENTRY, "the entry cannot be read", leaf, id_of(row))
