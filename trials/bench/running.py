"""Every part runs in a process of its own, with a database of its own; only there Django is up."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import psycopg

from trials.places import TEMPLATE, Place, PostgresPlace

# What the command line says, a role may still change; the tests' server says `off`.
_DURABLE: Final = "ALTER ROLE CURRENT_USER SET synchronous_commit = on"


@dataclass(frozen=True)
class Room:
    """A process that stays: what it has set up is there at the next call."""

    executor: ProcessPoolExecutor
    folder: Path

    def do(self, work: str, *given: Any) -> Any:
        """`work` is `module.function` of this package: we cannot import what needs Django."""
        return self.executor.submit(_do, work, *given).result()


@contextmanager
def room(place: Place, name: str) -> Iterator[Room]:
    """With Django on the database of that name, which is made from the template."""
    place.copy(name)
    folder = place.folder / name
    folder.mkdir()
    with _process(place.url(name)) as executor:
        yield Room(executor, folder)
    place.drop(name)


def prepare(place: Place) -> None:
    """Makes the template that the others are copied from."""
    place.copy(TEMPLATE)
    with _process(place.url(TEMPLATE)) as executor:
        executor.submit(_migrate).result()


def wait_for_commits(place: Place) -> None:
    """The server of the tests answers before its log is written; a server that was given stays as
    it is."""
    if not isinstance(place, PostgresPlace) or "TEST_DATABASE_URL" in os.environ:
        return
    with psycopg.connect(place.server_url, autocommit=True) as server:
        server.execute(_DURABLE)


def _do(work: str, *given: Any) -> Any:
    module, _, name = work.partition(".")
    return getattr(import_module(f"{__package__}.{module}"), name)(*given)


def _process(url: str) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"), initializer=_set_up, initargs=(url,))


def _set_up(url: str) -> None:
    os.environ["TRIALS_DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "trials.bench.settings"
    import django

    django.setup()


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connections

    # What is compared has no migrations of ours.
    call_command("migrate", interactive=False, verbosity=0, run_syncdb=True)
    connections.close_all()
