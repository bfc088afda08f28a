"""The spelling of tokens: a prefix that secret scanners know, then base64url without padding."""

import base64
import binascii


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
