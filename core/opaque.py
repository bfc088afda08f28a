"""The spelling of tokens: a prefix that secret scanners know, then base64url without padding."""

import base64
import binascii
from typing import Final
from uuid import UUID

_ID_BYTES: Final = 16
_MAC_BYTES: Final = 32


def spelled(prefix: str, raw: bytes) -> str:
    return prefix + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read(prefix: str, text: str, length: int) -> bytes | None:
    """The bytes behind the prefix; None unless there are `length` of them, in their one spelling:
    a decoder that forgives would give one token several."""
    if not text.startswith(prefix) or not text.isascii():
        return None
    body = text[len(prefix) :]
    try:
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except binascii.Error:
        return None
    return raw if len(raw) == length and spelled(prefix, raw) == text else None


def read_id(prefix: str, text: str) -> UUID | None:
    """Which row a token speaks of that is an id and a MAC; None when it is no such token."""
    raw = read(prefix, text, _ID_BYTES + _MAC_BYTES)
    return UUID(bytes=raw[:_ID_BYTES]) if raw else None
