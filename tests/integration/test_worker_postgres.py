"""`manage.py worker`: what keeps it going."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection

from config.management.commands import worker
from core.jobs import Job


@pytest.mark.slow(reason="a connection of its own is opened twice")
def test_a_database_that_was_restarted_is_found_again(transactional_db: None) -> None:
    def backend() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return cursor.fetchone()[0]

    def end(backend: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 1000)", [backend])

    run = worker._reconnected(Job("ask", 1, backend))
    with ThreadPoolExecutor(1) as elsewhere:
        first = elsewhere.submit(run).result()
        end(first)
        with pytest.raises(OperationalError):
            elsewhere.submit(run).result()
        second = elsewhere.submit(run).result()
        elsewhere.submit(lambda: connection.close()).result()
    assert second != first
