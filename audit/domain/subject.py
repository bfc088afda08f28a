"""Pseudonyms: on the trail a person is a `ref`, and what is personal is under a key of theirs.

Whoever destroys the key has erased the person, on the trail and in every copy of it.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.domain.entry import canonical
from core.keys import KeyRing, UnknownKeyError

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_BLIND_BYTES: Final = 8


class DamagedSubjectError(UnknownKeyError):
    """Somebody changed the row: it is not opened for anybody."""


@dataclass(frozen=True)
class Subject:
    ref: UUID
    key: bytes = field(repr=False)

    @classmethod
    def new(cls) -> "Subject":
        # Not in the order of making: a pseudonym tells nothing.
        return cls(uuid4(), secrets.token_bytes(_KEY_BYTES))

    def conceal(self, facts: Mapping[str, Any], entry_id: UUID) -> str | None:
        """AES-256-GCM, bound to its entry: nobody can move it to another one."""
        known = {name: fact for name, fact in facts.items() if fact is not None}
        if not known:
            return None
        return base64.b64encode(_encrypt(self.key, canonical(known), entry_id.bytes)).decode()

    def reveal(self, concealed: str, entry_id: UUID) -> dict[str, Any] | None:
        """None where it was made under another key, or changed."""
        try:
            raw = base64.b64decode(concealed, validate=True)
        except ValueError:
            return None
        text = _decrypt(self.key, raw, entry_id.bytes)
        if text is None:
            return None
        facts: dict[str, Any] = json.loads(text)
        return facts

    def blind(self, address: str) -> bytes:
        """The same for the same address, and of no use to who has not the key."""
        return KeyRing("", {"": self.key}).mac("", b"ip", address.encode())[:_BLIND_BYTES]

    def wrapped(self, name: str, keys: KeyRing) -> bytes:
        """Bound to the name: whoever swaps two people in the database opens neither."""
        wrapping = keys.mac(keys.current, b"audit.wrap")
        return wrapped_start(keys.current) + _encrypt(wrapping, self.key, _bound(self.ref, name))

    @classmethod
    def unwrapped(cls, ref: UUID, name: str, wrapped: bytes, keys: KeyRing) -> "Subject":
        """Raises `UnknownKeyError` where the key that wrapped it is not configured any more, and
        `DamagedSubjectError` where it was not wrapped so."""
        length = wrapped[0] if wrapped else 0
        key_id = wrapped[1 : 1 + length].decode(errors="replace")
        wrapping = keys.mac(key_id, b"audit.wrap")
        key = _decrypt(wrapping, wrapped[1 + length :], _bound(ref, name))
        if key is None:
            raise DamagedSubjectError(f"the key of {ref} was not wrapped for this name")
        return cls(ref, key)


def wrapped_start(key_id: str) -> bytes:
    """By which one sees under which key something was wrapped."""
    encoded = key_id.encode()
    return bytes([len(encoded)]) + encoded


def _bound(ref: UUID, name: str) -> bytes:
    return ref.bytes + name.encode()


class NamedSubject(NamedTuple):
    name: str
    subject: Subject


def named_user(user_id: UUID) -> str:
    return f"user:{user_id}"


def user_of(name: str) -> UUID | None:
    kind, _, value = name.partition(":")
    return UUID(value) if kind == "user" else None


def named_day(now: datetime) -> str:
    """Who is not known is, for a day, one and the same; its key is destroyed by a timer."""
    return f"day:{now:%Y-%m-%d}"


def named_month_of_addresses(now: datetime) -> str:
    """Whose key makes the addresses of a month findable without writing them down."""
    return f"ip:{now:%Y-%m}"


def _encrypt(key: bytes, text: bytes, bound_to: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, text, bound_to)


def _decrypt(key: bytes, raw: bytes, bound_to: bytes) -> bytes | None:
    try:
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        return None
