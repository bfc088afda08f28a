"""Counting on the trail of PostgreSQL, by its index."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.adapters.keys import KeyFolder
from audit.domain.entry import Entry
from audit.ports import EventCounts
from audit.queries import lag
from audit.queries.counts import DjangoEventCounts
from tests.contracts.trail import HOURS, LOGIN, EventCountsContract
from tests.sql_trail import SqlTrail


@pytest.fixture
def insert(db: None, tmp_path: Path) -> Callable[..., None]:
    trail = SqlTrail(KeyFolder(tmp_path), [], [], "default")

    def insert(*entries: Entry) -> None:
        trail.execute("SELECT audit_make_partition(%s)", HOURS[0])
        trail.insert(*entries)

    return insert


@pytest.mark.contract(of=EventCounts)
class TestCounts(EventCountsContract):
    """Uses fixtures: insert."""

    @pytest.fixture
    def counts(self, db: None) -> EventCounts:
        return DjangoEventCounts()


def test_no_row_is_read(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT phase, ip_bi FROM audit_event WHERE action = %s AND id > %s",
            [LOGIN, "00000000-0000-7000-8000-000000000000"],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan" in plan


def test_what_waits_is_found_from_the_frontier_on_and_not_among_all(db: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        lag.waiting("default")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + captured[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Cond: (ROW(epoch, xid, seq) > " in plan
    assert "Join Filter" not in plan
