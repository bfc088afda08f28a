"""Attempts without an outcome, and the fence between a sweeper and a business that is late."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.domain.entry import Entry, mac_of
from audit.repositories.trail import INSERT, as_stored
from core.ids import first_id_since
from core.keys import KeyRing

_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '50ms'"
_LOCKED: Final = "55P03"
"""PostgreSQL's lock_not_available."""
OUTCOME: Final = {
    "postgresql": "(left(a.id::text, 35) || translate(right(a.id::text, 1), '048c', '159d'))::uuid",
    "sqlite": "substr(a.id, 1, 31) || substr('1-5-9-d-', instr('0-4-8-c-', substr(a.id, 32)), 1)",
}
_RECENT: Final = timedelta(hours=1)


@dataclass
class DjangoOpenAttempts:
    """Looks at everything once, then at what is recent. The worker makes one anew each day: an id
    may be a day old when it is recorded."""

    alias: str
    keys: KeyRing
    _since: UUID = UUID(int=0)

    def without_outcome(self, patience: timedelta) -> list[bytes]:
        connection = self._connection
        until, recent = first_id_since(patience), first_id_since(_RECENT)
        with connection.cursor() as database:
            database.execute(
                "SELECT a.entry FROM audit_event a WHERE a.phase = 1 AND a.id >= %s AND a.id < %s"  # noqa: S608
                " AND NOT EXISTS (SELECT 1 FROM audit_event o"
                f" WHERE o.id = {OUTCOME[connection.vendor]}) ORDER BY a.id",
                [self._stored(self._since), self._stored(until)],
            )
            found = [bytes(entry) for (entry,) in database.fetchall()]
        if not found:
            self._since = recent
        return found

    def close(self, outcome: Entry) -> bool:
        raw = outcome.encoded()
        values = [*outcome.projection, raw, mac_of(raw, self.keys)]
        try:
            with transaction.atomic(using=self.alias, durable=True):
                self._insert([self._stored(value) for value in values])
        except IntegrityError:  # the outcome is there
            return False
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != _LOCKED:
                raise
            return False  # it is just being written
        return True

    def _insert(self, values: list[Any]) -> None:
        with self._connection.cursor() as database:
            if self._connection.vendor == "postgresql":
                database.execute(_LOCK_TIMEOUT)
            database.execute(INSERT, values)

    def _stored(self, value: object) -> Any:
        return value if self._connection.vendor == "postgresql" else as_stored(value)

    @property
    def _connection(self) -> BaseDatabaseWrapper:
        return connections[self.alias]
