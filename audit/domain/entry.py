"""One record of the trail: its id and its exact bytes."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from core.actions import Phase
from core.ids import uuid7

_PHASE_BITS: Final = 0b11
_OUTCOME: Final = 0b01
_SOLE: Final = 0b10
_LONGEST_TEXT: Final = 1024


def attempt_id() -> UUID:
    """The two lowest bits of an id tell its phase: 00 an attempt, 01 its outcome, 10 alone."""
    return UUID(int=uuid7().int & ~_PHASE_BITS)


def outcome_id(attempt: UUID) -> UUID:
    """The primary key alone then lets every attempt have one outcome, and no second."""
    return UUID(int=attempt.int | _OUTCOME)


def sole_id() -> UUID:
    return UUID(int=attempt_id().int | _SOLE)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`personal` tells who somebody is and is kept apart from `context`. `error` is the class
    of the exception that stopped the action."""

    id: UUID
    at: datetime
    action: str
    phase: Phase
    attempt: UUID | None
    actor: UUID | None
    subject: UUID | None
    resource_type: str | None
    resource_id: UUID | None
    correlation: UUID
    context: Mapping[str, Any]
    personal: Mapping[str, Any]
    error: str | None = None

    def encoded(self) -> bytes:
        """Canonical JSON after RFC 8785: sorted keys, no spaces, NFC, no floats. These bytes are
        the evidence; nothing is ever proved about a second serialisation."""
        document = {
            "v": 1,
            "id": self.id,
            "at": self.at,
            "action": self.action,
            "phase": self.phase.name,
            "attempt": self.attempt,
            "actor": self.actor,
            "subject": self.subject,
            "resource": [self.resource_type, self.resource_id],
            "corr": self.correlation,
            "ctx": self.context,
            "pii": self.personal,
            "err": self.error,
        }
        text = json.dumps(
            _plain(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        # A lone surrogate has no UTF-8; as a JSON escape it has a form.
        return text.encode("utf-8", "backslashreplace")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", str(value)[:_LONGEST_TEXT])
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    raise TypeError(f"{type(value).__name__} has no canonical form on the trail.")
