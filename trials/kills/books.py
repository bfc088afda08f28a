"""The tables of one trial database, read by nobody's code but this."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple
from uuid import UUID

from trials.places import Place

_DOOR: Final = re.compile(r"trial-(\d+)")


class Finding(NamedTuple):
    kind: str
    """lost, orphan, double, open, missed, twice or seal; `trouble` is the trial's own."""
    what: str
    trial: int | None = None


class User(NamedTuple):
    id: UUID
    email: str
    is_verified: bool


class Token(NamedTuple):
    owner: UUID | None
    purpose: str
    is_spent: bool


class Session(NamedTuple):
    id: UUID
    owner: UUID
    generation: int
    ended: str | None
    """Why, where it has ended."""


class Checkpoint(NamedTuple):
    size: int
    root: bytes
    note: str


@dataclass(frozen=True)
class Books:
    """`names` are those of pseudonyms, `sealed` the ids of the leaves in order, `guards` the
    failures by the digest of the address."""

    entries: dict[UUID, bytes]
    names: dict[UUID, str]
    users: list[User]
    tokens: list[Token]
    sessions: list[Session]
    guards: dict[bytes, int]
    sealed: list[UUID]
    checkpoints: list[Checkpoint]

    @cached_property
    def documents(self) -> dict[UUID, dict[str, Any]]:
        """The entries, parsed: the columns beside them are not asked."""
        return {entry_id: json.loads(entry) for entry_id, entry in self.entries.items()}

    def in_phase(self, *phases: str) -> dict[UUID, dict[str, Any]]:
        return {key: each for key, each in self.documents.items() if each["phase"] in phases}

    def person(self, ref: UUID | None) -> UUID | None:
        """Whom a pseudonym stands for; what stands for nobody, as it is."""
        kind, _, person = self.names.get(ref, "").partition(":") if ref else ("", "", "")
        return UUID(person) if kind == "user" else ref

    def trial_of(self, entry_id: UUID) -> int | None:
        document = self.documents.get(entry_id)
        found = _DOOR.fullmatch(document["ctx"]["door"]) if document else None
        return int(found[1]) if found else None


def read_books(place: Place, name: str) -> Books:
    def read(statement: str) -> list[tuple[Any, ...]]:
        return place.read(name, statement)

    tiles = read("SELECT data FROM audit_tile WHERE kind = 1 ORDER BY idx")
    tiles += read("SELECT partial_ids FROM audit_frontier")
    ids = b"".join(bytes(data) for (data,) in tiles)
    checkpoints = read("SELECT size, root, note FROM audit_checkpoint ORDER BY size")
    tokens = read("SELECT user_id, purpose, spent_at FROM users_oneusetoken")
    sessions = read(
        "SELECT id, user_id, generation, CASE WHEN revoked_at IS NOT NULL"
        " THEN coalesce(revoked_reason, '') END FROM sessions_app_devicesession"
    )
    return Books(
        entries={
            _id(key): bytes(entry) for key, entry in read("SELECT id, entry FROM audit_event")
        },
        names={_id(ref): name for ref, name in read("SELECT ref, name FROM audit_subject") if name},
        users=[
            User(_id(key), email, bool(verified))
            for key, email, verified in read("SELECT id, email, is_verified FROM users_user")
        ],
        tokens=[
            Token(_id(owner) if owner else None, purpose, spent is not None)
            for owner, purpose, spent in tokens
        ],
        sessions=[Session(_id(key), _id(owner), *rest) for key, owner, *rest in sessions],
        guards={bytes(key): n for key, n in read("SELECT key, failures FROM users_signinguard")},
        sealed=[UUID(bytes=ids[at : at + 16]) for at in range(0, len(ids), 16)],
        checkpoints=[Checkpoint(size, bytes(root), note) for size, root, note in checkpoints],
    )


def _id(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
