"""Keys that derive tokens (HMAC-SHA-256), each with an id so that they can be rotated."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field


class UnknownKeyError(LookupError):
    """A row was made under a key that is no longer configured."""


@dataclass(frozen=True)
class KeyRing:
    """New tokens are made under `current`; older keys verify until their tokens are gone."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    def mac(self, key_id: str, *parts: bytes) -> bytes:
        """Each part carries its length, so that no two lists of parts read the same."""
        try:
            key = self.keys[key_id]
        except KeyError:
            raise UnknownKeyError(key_id) from None
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(key, message, hashlib.sha256)
