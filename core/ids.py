"""Identifiers: version 7 UUIDs (RFC 9562 §5.7), in order of making within a process.

They always take the wall clock, under a frozen clock too: on the trail they tell the order in
which things were recorded.
"""

import secrets
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """48 bits of Unix milliseconds, then a 12-bit fraction of them, then 62 random bits."""
    global _last
    with _lock:
        ticks = max(time.time_ns() * 4096 // 1_000_000, _last + 1)
        _last = ticks
    milliseconds, fraction = divmod(ticks, 4096)
    return UUID(
        int=milliseconds << 80 | 7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    )
