"""One partition of the trail for each month, made ahead."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import psycopg
import pytest
from psycopg import sql

from audit.domain.entry import attempt_id
from core.ids import first_id_of
from tests.plugin.services import Services

MAKE = "SELECT audit_make_partition(%s)"
FAR = datetime(2041, 5, 17, 12, tzinfo=UTC)
INSERT = (
    "INSERT INTO audit_event (id, phase, action, correlation, entry, mac) VALUES"
    " (%s, 1, 'x', gen_random_uuid(), '{}', decode(repeat('00', 32), 'hex'))"
)
Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(transactional_db: None, services: Services) -> Iterator[Connection]:
    """Commits each statement; what it made is dropped again."""
    with psycopg.connect(services.database_url, autocommit=True) as connection:
        before = partitions(connection)
        yield connection
        for name in partitions(connection) - before:
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))


def partitions(connection: Connection) -> set[str]:
    listed = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass"
    return {name for (name,) in connection.execute(listed, ["audit_event"])}


def months_from(first: datetime, count: int) -> set[str]:
    months = [divmod(first.month - 1 + ahead, 12) for ahead in range(-1, count)]
    return {f"audit_event_{first.year + years}_{month + 1:02}" for years, month in months}


class TestPartitions:
    """Uses fixtures: connection."""

    def test_there_is_one_for_last_month_and_for_each_until_three_ahead(
        self, connection: Connection
    ) -> None:
        [(now,)] = connection.execute("SELECT now() AT TIME ZONE 'UTC'")
        assert months_from(now, 4) <= partitions(connection)

    def test_it_is_made_for_the_month_of_a_moment(self, connection: Connection) -> None:
        before = partitions(connection)
        assert connection.execute(MAKE, [FAR]).fetchone() == (True,)
        assert partitions(connection) - before == {"audit_event_2041_05"}

    def test_the_month_is_that_of_utc(self, connection: Connection) -> None:
        connection.execute("SET TimeZone = 'Pacific/Auckland'")
        connection.execute(MAKE, [datetime(2041, 4, 30, 23, 59, tzinfo=UTC)])
        assert "audit_event_2041_04" in partitions(connection)

    def test_its_bounds_are_the_ids_of_the_month(self, connection: Connection) -> None:
        connection.execute("SET TimeZone = 'America/New_York'")
        connection.execute(MAKE, [FAR])
        found = connection.execute(
            "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = %s",
            ["audit_event_2041_05"],
        ).fetchone()
        first, last = (first_id_of(datetime(2041, month, 1, tzinfo=UTC)) for month in (5, 6))
        assert found == (f"FOR VALUES FROM ('{first}') TO ('{last}')",)

    def test_there_is_no_partition_for_all_the_rest(self, connection: Connection) -> None:
        """Beside one, PostgreSQL detaches none concurrently."""
        found = connection.execute(
            "SELECT partdefid FROM pg_partitioned_table WHERE partrelid = 'audit_event'::regclass"
        ).fetchone()
        assert found == (0,)

    def test_to_make_it_again_changes_nothing(self, connection: Connection) -> None:
        connection.execute(MAKE, [FAR])
        before = partitions(connection)
        assert connection.execute(MAKE, [FAR]).fetchone() == (False,)
        assert partitions(connection) == before

    def test_several_at_once_make_one(self, connection: Connection, services: Services) -> None:
        together = Barrier(4, timeout=5)

        def make() -> bool:
            with psycopg.connect(services.database_url) as own:
                together.wait()
                [(made,)] = own.execute(MAKE, [FAR])
                return bool(made)

        with ThreadPoolExecutor(4) as threads:
            made = [each.result() for each in [threads.submit(make) for _ in range(4)]]
        assert sorted(made) == [False, False, False, True]

    def test_it_does_not_wait_for_those_who_write(
        self, connection: Connection, services: Services
    ) -> None:
        """Or all who write after them would wait behind it."""
        with psycopg.connect(services.database_url) as writer:
            writer.execute(INSERT, [attempt_id()])
            connection.execute("SET lock_timeout = '500ms'")
            assert connection.execute(MAKE, [FAR]).fetchone() == (True,)
            writer.rollback()

    def test_a_new_one_has_every_trigger(self, connection: Connection) -> None:
        connection.execute(MAKE, [FAR])
        found = connection.execute(
            "SELECT tgname, tgenabled FROM pg_trigger"
            " WHERE tgrelid = 'audit_event_2041_05'::regclass ORDER BY tgname"
        ).fetchall()
        assert found == [
            ("audit_event_accept", "O"),
            ("audit_event_append_only", "A"),
            ("audit_event_no_truncate", "A"),
        ]

    def test_a_new_one_has_every_constraint_and_index(self, connection: Connection) -> None:
        connection.execute(MAKE, [FAR])
        [(missing,)] = connection.execute(
            "SELECT count(*) FROM pg_index p WHERE p.indrelid = 'audit_event'::regclass"
            " AND NOT EXISTS (SELECT FROM pg_inherits i"
            "   JOIN pg_index c ON c.indexrelid = i.inhrelid"
            "   WHERE i.inhparent = p.indexrelid AND c.indrelid = 'audit_event_2041_05'::regclass)"
        )
        constraints = "SELECT count(*) FROM pg_constraint WHERE conrelid = %s::regclass"
        [(ours,)] = connection.execute(constraints, ["audit_event_2041_05"])
        [(theirs,)] = connection.execute(constraints, ["audit_event"])
        assert (missing, ours) == (0, theirs)

    def test_every_one_refuses_to_be_emptied(self, connection: Connection) -> None:
        connection.execute(MAKE, [FAR])
        for name in partitions(connection):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(name)))

    def test_not_everybody_may_make_one(self, connection: Connection) -> None:
        may = "SELECT has_function_privilege('public', 'audit_make_partition'::regproc, 'EXECUTE')"
        assert connection.execute(may).fetchone() == (False,)
