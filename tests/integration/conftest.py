"""A sealed trail is dear to make: the tests of a module share one, in a savepoint each."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from audit.adapters.keys import KeyFolder
from tests.sql_trail import SqlTrail, emptied_on_postgresql
from tests.undone import undone


@pytest.fixture(scope="module")
def _original_trail(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[SqlTrail, Path]]:
    """In a transaction that is rolled back, with all that was done to triggers and tables."""
    folder = tmp_path_factory.mktemp("original")
    with django_db_blocker.unblock(), undone():
        emptied_on_postgresql()
        trail = SqlTrail.sealed("default", KeyFolder(folder))
        with django_db_blocker.block():
            yield trail, folder


@pytest.fixture
def sealed_trail(
    _original_trail: tuple[SqlTrail, Path], django_db_blocker: DjangoDbBlocker, tmp_path: Path
) -> Iterator[SqlTrail]:
    """Without `db`, which would close the connection that this transaction is open on."""
    original, folder = _original_trail
    shutil.copytree(folder, tmp_path / "audit")
    keeper = KeyFolder(tmp_path / "audit")
    with django_db_blocker.unblock(), undone():
        yield replace(original, keeper=keeper, notes=[*original.notes])
