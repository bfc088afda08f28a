"""Passwords that were found in breaches, by the range search of Have I Been Pwned: the source
learns five of the forty characters of a SHA-1, which some thousand passwords share (k-anonymity).
"""

import hashlib
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from core import container

_PREFIX: Final = 5
_TIMEOUT: Final = 2.0
"""Seconds; somebody is waiting for an answer."""
_MOST_BYTES: Final = 1_000_000


@dataclass(frozen=True)
class BreachRanges:
    """`url` ends where the five characters follow, as in `https://api.pwnedpasswords.com/range/`;
    or is a folder of such answers, `file:///var/lib/pwned/` with files `0018A` or `0018A.txt`."""

    url: str

    def holds(self, plaintext: str) -> bool:
        """False also where the source does not answer: nobody can choose a password otherwise
        while it is away. That it did not is in the log."""
        digest = hashlib.sha1(plaintext.encode(), usedforsecurity=False).hexdigest().upper()
        prefix, suffix = digest[:_PREFIX], digest[_PREFIX:]
        try:
            found = self._range(prefix)
        except (OSError, HTTPException, ValueError) as error:
            container.get_logger().warning(
                "breached_passwords_not_checked", error=type(error).__name__
            )
            return False
        counts = dict(line.strip().upper().partition(":")[::2] for line in found.splitlines())
        # With padding asked for, made-up lines are counted 0.
        return counts.get(suffix, "0") not in ("0", "")

    def _range(self, prefix: str) -> str:
        parts = urlsplit(self.url)
        if parts.scheme == "file":
            folder = Path(unquote(parts.path))
            named = folder / f"{prefix}.txt"
            return (named if named.exists() else folder / prefix).read_text("ascii", "replace")
        headers = {"User-Agent": "Dashtam", "Add-Padding": "true"}
        request = Request(self.url + prefix, headers=headers)  # noqa: S310  the setting allows http(s)
        with urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            return _read(answer, monotonic() + _TIMEOUT).decode("ascii", "replace")


def _read(answer: Any, until: float) -> bytes:
    """The timeout of a socket is for each piece: one that drips would hold us for ever."""
    body = bytearray()
    while len(body) < _MOST_BYTES and (piece := answer.read1(_MOST_BYTES)):
        body += piece
        if monotonic() > until:
            raise TimeoutError
    return bytes(body)
