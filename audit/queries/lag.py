"""What waits for its seal, and since when."""

from typing import Final, NamedTuple

from django.db import connections

COUNTED: Final = 20_000
# No join with the frontier: PostgreSQL would then compare it with every row of the trail.
_WAITING: Final = {
    "postgresql": """
        SELECT count(*), extract(epoch FROM clock_timestamp() - min(recorded_at)) FROM (
            SELECT e.recorded_at FROM audit_event e WHERE (e.epoch, e.xid, e.seq)
                > (SELECT cursor_epoch, cursor_xid::text::xid8, cursor_seq FROM audit_frontier)
            ORDER BY e.epoch, e.xid, e.seq LIMIT %s
        ) AS waiting
    """,
    "sqlite": """
        SELECT count(*), (julianday('now') - julianday(min(recorded_at))) * 86400 FROM (
            SELECT e.recorded_at FROM audit_frontier f JOIN audit_event e ON e.seq > f.cursor_seq
            ORDER BY e.seq LIMIT %s
        ) AS waiting
    """,
}

_SEALED_AGO: Final = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp() - created_at)"
    " FROM audit_checkpoint ORDER BY size DESC LIMIT 1",
    "sqlite": "SELECT (julianday('now') - julianday(created_at)) * 86400"
    " FROM audit_checkpoint ORDER BY size DESC LIMIT 1",
}
_SEALED: Final = "SELECT size FROM audit_checkpoint ORDER BY size DESC LIMIT 1"


class Waiting(NamedTuple):
    """For their seal. `longest` is in seconds, by the clock of the database."""

    events: int
    longest: float


def waiting(alias: str) -> Waiting:
    """Counts no more than what two seals take."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(_WAITING[connection.vendor], [COUNTED])
        count, longest = cursor.fetchone()
    return Waiting(count, max(0.0, float(longest or 0)))


def sealed_ago(alias: str) -> float | None:
    """Seconds since the last checkpoint was signed."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(_SEALED_AGO[connection.vendor])
        row = cursor.fetchone()
    return max(0.0, float(row[0])) if row else None


def sealed(alias: str) -> int:
    """Events under the last checkpoint, of all that ever were."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_SEALED)
        row = cursor.fetchone()
    return int(row[0]) if row else 0
