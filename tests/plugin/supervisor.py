"""Keeps the servers of one test run, and removes every trace of them when the run ends.

A process of its own, so that it outlives whatever ends the run: Ctrl-C, SIGTERM and SIGKILL of
pytest, and the end of the worker that happened to need the servers first.
"""

import json
import os
import select
import shutil
import signal
import sys
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

from tests.plugin.binaries import NoServersError
from tests.plugin.servers import Servers

ANSWER = "servers.json"


@dataclass(frozen=True)
class Order:
    """What a run wants; `owner` is the process with which everything ends."""

    folder: str
    owner: int
    database_url: str | None = None
    redis_url: str | None = None
    only_system: bool = False

    @property
    def token(self) -> str:
        """In the name of every database made on a server that is not ours."""
        return Path(self.folder).name.replace("-", "_")


@dataclass(frozen=True)
class Answer:
    """Where the servers are, or a sentence why there are none."""

    database_url: str = ""
    redis_url: str = ""
    error: str = ""


def main() -> None:
    order = Order(**json.load(sys.stdin))
    os.umask(0o022)  # what is private says so
    told_to_stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_stop.set())
    with ExitStack() as ends:
        ends.callback(shutil.rmtree, order.folder)
        _publish(serve(order, ends), Path(order.folder))
        # Only waiting may be interrupted: half-started servers would be left behind.
        ends.callback(signal.signal, signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        if not told_to_stop.is_set():
            wait_for_exit(order.owner)


def serve(order: Order, ends: ExitStack) -> Answer:
    folder = Path(order.folder)
    folder.chmod(0o711)  # the servers' own user passes through it
    try:
        servers = Servers(folder, order.only_system)
        ends.callback(servers.stop)
        if order.database_url:
            ends.callback(drop_databases, order.database_url, order.token)
        return Answer(
            redis_url=order.redis_url or servers.start_redis(),
            database_url=order.database_url or servers.start_postgres(),
        )
    except (NoServersError, OSError) as problem:
        return Answer(error=str(problem))


def drop_databases(url: str, token: str) -> None:
    """A server that was given keeps nothing of ours."""
    import psycopg
    from psycopg import sql

    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as server:
        ours = "SELECT datname FROM pg_database WHERE strpos(datname, %s) > 0"
        for (name,) in server.execute(ours, [token]).fetchall():
            server.execute(drop.format(sql.Identifier(name)))


def wait_for_exit(pid: int) -> None:
    """Returns when the process has ended, whoever its parent is."""
    with suppress(ProcessLookupError):
        if sys.platform == "linux":
            ended = os.pidfd_open(pid)
            select.select([ended], [], [])
            os.close(ended)
        else:
            while _is_there(pid):
                Event().wait(0.1)


def _is_there(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        os.kill(pid, 0)
        return True


def _publish(answer: Answer, folder: Path) -> None:
    with open(folder / ANSWER, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(asdict(answer), file)
    with suppress(OSError):  # whoever asked may be gone
        os.write(sys.stdout.fileno(), b"\n")


if __name__ == "__main__":
    main()
