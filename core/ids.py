"""Identifiers: version 7 UUIDs (RFC 9562 §5.7), in order of making within a process.

They always take the wall clock, under a frozen clock too: on the trail they tell the order in
which things were recorded.
"""

import secrets
import threading
import time
from datetime import datetime, timedelta
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


def first_id_of(moment: datetime) -> UUID:
    """No id of this millisecond is smaller: ids from `moment` on are these and above."""
    return _lowest(int(moment.timestamp() * 1000))


def first_id_since(age: timedelta) -> UUID:
    """By the wall clock, as the ids themselves."""
    return _lowest(time.time_ns() // 1_000_000 - int(age.total_seconds() * 1000))


def _lowest(milliseconds: int) -> UUID:
    return UUID(int=max(milliseconds, 0) << 80)
