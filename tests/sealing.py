"""A trail of PostgreSQL to seal. What was committed stays: the tree begins anew for each test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from audit.application.sealing import Sealer
from audit.domain.checkpoint import Checkpoint
from audit.ports import Keeper
from audit.queries import lag
from audit.repositories.sealed import DjangoSealedLog
from core import container
from tests.factories import arranged

SLOW = "a seal waits for the transactions that run in the databases of other workers"
_PAUSE = threading.Event()
_SEALS = ("audit_tile", "audit_checkpoint", "audit_anchor")


def forget_the_seals() -> None:
    with switched_off("audit_frontier", *_SEALS):
        for table in _SEALS:
            execute(f"TRUNCATE {table}")
        execute(
            "UPDATE audit_frontier SET size = 0, partials = '', partial_ids = '',"
            " cursor_epoch = 0, cursor_xid = 0, cursor_seq = 0"
        )


def empty_the_trail() -> None:
    forget_the_seals()
    with switched_off(*event_tables(), "audit_subject"):
        execute("TRUNCATE audit_event, audit_subject")


def event_tables() -> list[str]:
    return [
        table
        for (table,) in execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'audit_event'::regclass UNION ALL SELECT 'audit_event'"
        )
    ]


@contextmanager
def switched_off(*tables: str) -> Iterator[None]:
    """As only the owner of the tables can."""
    triggers = execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
        " AND tgenabled = 'A' AND tgrelid::regclass::text = ANY(%s)",
        [list(tables)],
    )
    for table, trigger in triggers:
        execute(f"ALTER TABLE ONLY {table} DISABLE TRIGGER {trigger}")
    yield
    for table, trigger in triggers:
        execute(f"ALTER TABLE ONLY {table} ENABLE ALWAYS TRIGGER {trigger}")


def make_sealer(keeper: Keeper, **over: Any) -> Sealer:
    keys = container.get_settings().audit_keys
    return Sealer(log=DjangoSealedLog("default"), keeper=keeper, mac_keys=keys, **over)


def record(count: int) -> None:
    for _ in range(count):
        with arranged():
            pass


def seal(sealer: Sealer) -> Checkpoint:
    """A transaction that runs in another database of the same server delays it."""
    last = None
    for _ in range(1000):
        last = sealer.seal_all() or last
        if last and not lag.waiting("default").events:
            return last
        _PAUSE.wait(0.01)
    pytest.fail("Something was never sealed.")


def execute(statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
