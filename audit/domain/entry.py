"""One record of the trail: its id and its exact bytes."""

import hmac
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from core.actions import Phase
from core.ids import uuid7
from core.keys import KeyRing

_PHASE_BITS: Final = 0b11
_OUTCOME: Final = 0b01
_SOLE: Final = 0b10
_BITS: Final = {Phase.ATTEMPTED: 0b00, Phase.SOLE: _SOLE}
_LONGEST_TEXT: Final = 1024
_PURPOSE: Final = b"audit.entry"


def attempt_id(made: UUID | None = None) -> UUID:
    """The two lowest bits of an id tell its phase: 00 an attempt, 01 its outcome, 10 alone. Of an
    id that was `made` before, or of a new one."""
    return UUID(int=(made or uuid7()).int & ~_PHASE_BITS)


def outcome_id(attempt: UUID) -> UUID:
    """The primary key alone then lets every attempt have one outcome, and no second."""
    return UUID(int=attempt.int | _OUTCOME)


def sole_id(made: UUID | None = None) -> UUID:
    return UUID(int=attempt_id(made).int | _SOLE)


def tells_phase(entry_id: UUID, phase: Phase) -> bool:
    return entry_id.int & _PHASE_BITS == _BITS.get(phase, _OUTCOME)


class Projection(NamedTuple):
    """What stands in columns beside the entry, to search by: all of it can be read from the
    entry, and a difference is a finding."""

    id: UUID
    phase: int
    action: str
    actor_ref: UUID | None
    subject_ref: UUID | None
    resource_type: str | None
    resource_id: UUID | None
    correlation: UUID
    ip_bi: bytes | None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Persons appear as pseudonyms. `pii` tells who the subject is, and `source` where the actor
    came from, each under the key of the person; `ip_bi` lets a month's addresses be found.
    `error` is the class of the exception that stopped the action."""

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
    ip_bi: bytes | None = None
    context: Mapping[str, Any]
    pii: str | None = None
    source: str | None = None
    error: str | None = None

    def encoded(self) -> bytes:
        """Canonical JSON after RFC 8785: sorted keys, no spaces, NFC, no floats. These bytes are
        the evidence; nothing is ever proved about a second serialisation."""
        return canonical(
            {
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
                "ip_bi": self.ip_bi.hex() if self.ip_bi else None,
                "ctx": self.context,
                "pii": self.pii,
                "src": self.source,
                "err": self.error,
            }
        )

    @property
    def projection(self) -> Projection:
        return Projection(
            self.id,
            self.phase.value,
            self.action,
            self.actor,
            self.subject,
            self.resource_type,
            self.resource_id,
            self.correlation,
            self.ip_bi,
        )


def mac_of(entry: bytes, keys: KeyRing) -> bytes:
    """Until an entry is sealed, this alone tells whether somebody with the database changed it."""
    return keys.mac(keys.current, _PURPOSE, entry)


def is_authentic(entry: bytes, mac: bytes, keys: KeyRing) -> bool:
    """Under any of the keys: older entries were written under older ones."""
    return any(hmac.compare_digest(keys.mac(key_id, _PURPOSE, entry), mac) for key_id in keys.keys)


def abandoned(attempt: bytes, at: datetime) -> Entry:
    """In the place of the outcome of an attempt, from the attempt's own entry."""
    document = json.loads(attempt)
    begun = read_projection(document)
    return Entry(
        id=outcome_id(begun.id),
        at=at,
        action=begun.action,
        phase=Phase.ABANDONED,
        attempt=begun.id,
        actor=begun.actor_ref,
        subject=begun.subject_ref,
        resource_type=begun.resource_type,
        resource_id=begun.resource_id,
        correlation=begun.correlation,
        ip_bi=begun.ip_bi,
        context=document["ctx"],
    )


def read_projection(document: Mapping[str, Any]) -> Projection:
    """From a parsed entry. Raises `KeyError`, `TypeError` or `ValueError` where it is none."""
    kind, resource = document["resource"]
    return Projection(
        UUID(document["id"]),
        Phase[document["phase"]].value,
        document["action"],
        _id(document["actor"]),
        _id(document["subject"]),
        kind,
        _id(resource),
        UUID(document["corr"]),
        bytes.fromhex(document["ip_bi"]) if document["ip_bi"] else None,
    )


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None


_JSON: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(document: Mapping[str, Any]) -> bytes:
    text = _JSON.encode(_plain(document))
    # A lone surrogate has no UTF-8; as a JSON escape it has a form.
    return text.encode(errors="backslashreplace")


def clipped(value: Any) -> Any:
    """Whatever came from outside takes no more room than it needs."""
    if isinstance(value, str):
        return str(value)[:_LONGEST_TEXT]
    if isinstance(value, Mapping):
        return {str(key): clipped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clipped(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """In the order of how often they come: each record passes here, value by value."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return str(value) if value.isascii() else unicodedata.normalize("NFC", str(value))
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form on the trail.")
