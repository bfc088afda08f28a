"""What a test may do to the database in passing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is done within is rolled back."""
    block: Any = transaction.atomic()
    block._from_testcase = True  # as Django's TestCase has it: a durable block may lie within
    with block:
        yield
        transaction.set_rollback(True)
