"""Databases for trials: a server of our own, or files; each trial database is a copy of one that
was migrated once. Nothing here needs Django."""

import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.plugin.supervisor import ANSWER, Answer, Order

ROOT: Final = Path(__file__).resolve().parent.parent
TEMPLATE: Final = "dashtam_trials"
_ENOUGH_ROOM: Final = 2 * 1024**3


class NoPlaceError(Exception):
    """One sentence that says what is missing."""


class Place(Protocol):
    """`folder` is for whatever belongs to the trials and to nobody else."""

    @property
    def folder(self) -> Path: ...

    def url(self, name: str) -> str: ...

    def copy(self, name: str) -> None: ...

    def drop(self, name: str) -> None: ...

    def read(self, name: str, statement: str) -> list[tuple[Any, ...]]:
        """By a connection of its own, which no product code has touched."""
        ...


@dataclass(frozen=True)
class PostgresPlace:
    folder: Path
    server_url: str
    token: str
    """In the name of each database: a server that was given is emptied by it."""

    def url(self, name: str) -> str:
        return urlunsplit(urlsplit(self.server_url)._replace(path=f"/{self._database(name)}"))

    def copy(self, name: str) -> None:
        """Of the template, or, for the template itself, of nothing."""
        source = "template0" if name == TEMPLATE else self._database(TEMPLATE)
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._run(statement.format(self._identifier(name), sql.Identifier(source)))

    def drop(self, name: str) -> None:
        statement = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        self._run(statement.format(self._identifier(name)))

    def read(self, name: str, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.server_url, autocommit=True) as server:
            server.execute(statement)

    def _identifier(self, name: str) -> sql.Identifier:
        return sql.Identifier(self._database(name))

    def _database(self, name: str) -> str:
        return f"{self.token}_{name}"


@dataclass(frozen=True)
class SqlitePlace:
    folder: Path

    def url(self, name: str) -> str:
        return f"sqlite:///{self._file(name)}"

    def copy(self, name: str) -> None:
        if name != TEMPLATE:
            shutil.copy(self._file(TEMPLATE), self._file(name))

    def drop(self, name: str) -> None:
        for file in self.folder.glob(f"{name}.sqlite3*"):
            file.unlink()

    def read(self, name: str, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._file(name))) as connection:
            return connection.execute(statement).fetchall()

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite3"


@contextmanager
def place(database: str) -> Iterator[Place]:
    """Raises `NoPlaceError`."""
    with tempfile.TemporaryDirectory(prefix="dashtam-trials-", dir=_roomy_folder()) as own:
        folder = Path(own)
        if database == "sqlite":
            yield SqlitePlace(folder)
            return
        with _servers("redis://nobody.invalid") as (answer, token):  # none is started
            yield PostgresPlace(folder, answer.database_url, token)


@contextmanager
def shared_place() -> Iterator[tuple[Place, str]]:
    """On PostgreSQL, and the URL of a Valkey or Redis. Raises `NoPlaceError`."""
    with (
        tempfile.TemporaryDirectory(prefix="dashtam-trials-", dir=_roomy_folder()) as own,
        _servers(os.environ.get("TEST_REDIS_URL")) as (answer, token),
    ):
        yield PostgresPlace(Path(own), answer.database_url, token), answer.redis_url


@contextmanager
def _servers(redis_url: str | None) -> Iterator[tuple[Answer, str]]:
    """Kept by the supervisor of the tests, which outlives us and removes every trace; or those of
    TEST_DATABASE_URL and `redis_url`."""
    order = Order(
        folder=str(_roomy_folder() / f"dashtam-{secrets.token_hex(6)}"),
        owner=os.getpid(),
        database_url=os.environ.get("TEST_DATABASE_URL"),
        redis_url=redis_url,
        only_system=os.environ.get("DASHTAM_TEST_BINARIES") == "system",
    )
    folder = Path(order.folder)
    folder.mkdir(mode=0o711)
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "tests.plugin.supervisor"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"LC_ALL": "C"},
        start_new_session=True,  # Ctrl-C is for us: it sees our end
        text=True,
    )
    try:
        answer = _ordered(order, supervisor)
        if answer.error:
            raise NoPlaceError(answer.error)
        yield answer, order.token
    finally:
        supervisor.terminate()
        supervisor.wait()


def _ordered(order: Order, supervisor: subprocess.Popen[str]) -> Answer:
    assert supervisor.stdin
    assert supervisor.stdout
    with supervisor.stdin, supervisor.stdout:
        json.dump(asdict(order), supervisor.stdin)
        supervisor.stdin.close()
        supervisor.stdout.readline()
    return Answer(**json.loads((Path(order.folder) / ANSWER).read_text()))


def _roomy_folder() -> Path:
    """In memory where there is room: a killed process and a lost power supply are two things."""
    memory = Path("/dev/shm")  # noqa: S108  what is made there is private and has a random name
    if memory.is_dir() and shutil.disk_usage(memory).free >= _ENOUGH_ROOM:
        return memory
    return Path(tempfile.gettempdir())
