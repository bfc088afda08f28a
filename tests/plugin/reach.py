"""What lies within a test's reach: for each audit event, what it may do and what to do instead.

`describe(event, args, free)` tells what is refused, or returns nothing; `free` is the folder in
which pytest makes every `tmp_path`.
"""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from tests.plugin.frames import INSTALLED, STDLIB

Args: TypeAlias = tuple[Any, ...]

_READABLE = (*INSTALLED, *STDLIB, "/usr/share/zoneinfo", "/dev/null", "/dev/urandom")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Services that run elsewhere for the tests, in a container beside this one say.
_SERVICES = tuple(
    host
    for name in ("TEST_DATABASE_URL", "TEST_REDIS_URL")
    if (host := urlsplit(os.environ.get(name, "")).hostname)
)


@dataclass(frozen=True)
class Rule:
    describe: Callable[[str, Args, str], str]
    why: str
    instead: str


def _does(what: str) -> Callable[[str, Args, str], str]:
    return lambda event, args, free: f"a unit test {what} ({event})"


def _opens_a_socket(event: str, args: Args, free: str) -> str:
    # An event loop wakes itself through a pair of local sockets.
    if event == "socket.__new__" and args[1] == socket.AF_UNIX:
        return ""
    return f"a unit test opens a socket ({event})"


def _outside(paths: Iterable[Any], *folders: str) -> str:
    for path in paths:
        if not isinstance(path, str | bytes | os.PathLike):
            continue  # a descriptor that was opened before
        full = os.path.abspath(os.fsdecode(path))
        if not any(full == folder or full.startswith(folder + os.sep) for folder in folders):
            return full
    return ""


def _reads(event: str, args: Args, free: str) -> str:
    path = _outside(args[:1], free, *_READABLE)
    return path and f"a unit test reads {path}"


def _writes(event: str, args: Args, free: str) -> str:
    relative = event.startswith("os.") and event != "os.truncate" and args[-1] not in (-1, None)
    if relative and isinstance(args[-1], int):
        return ""  # to an open folder, whose opening was judged
    path = _outside(args, free, os.devnull)
    return path and f"a unit test writes {path}"


def _opens(event: str, args: Args, free: str) -> str:
    writes = isinstance(args[2], int) and args[2] & _WRITES
    return (_writes if writes else _reads)(event, args[:1], free)


def _hosts(event: str, args: Args) -> list[str]:
    if event == "psycopg.connect":
        from psycopg.conninfo import conninfo_to_dict

        given = conninfo_to_dict(args[0])
        hosts = str(given.get("hostaddr") or given.get("host") or "").split(",")
        return [host for host in hosts if not host.startswith("/")]
    if event.startswith("socket.get"):
        return [os.fsdecode(args[0] or "")]
    # The address of a local socket is a path.
    return [args[1][0]] if isinstance(args[1], tuple) else []


def _is_near(host: str) -> bool:
    if host in {"", "localhost", socket.gethostname(), *_SERVICES}:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if address.is_loopback or address.is_unspecified:
        return True
    return any(host in socket.gethostbyname_ex(service)[2] for service in _SERVICES)


def _reaches_out(event: str, args: Args, free: str) -> str:
    far = [host for host in _hosts(event, args) if not _is_near(host)]
    return f"a test reaches {far[0]}" if far else ""


_ASKS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_SENDS = ("socket.connect", "socket.sendto", "socket.sendmsg")

_SOCKET = Rule(
    _opens_a_socket,
    "it must pass without a network, in no time",
    "use a fake of tests/fakes or move the test to tests/integration",
)
_PROCESS = Rule(
    _does("starts or signals a process"),
    "it must pass anywhere, in no time",
    "give the code a port and the test a fake, or move the test to tests/integration",
)
_DATABASE = Rule(
    _does("reaches a database"),
    "it decides in memory, in no time",
    "use a repository of tests/fakes or move the test to tests/integration",
)
_SLEEP = Rule(
    _does("sleeps"),
    "a test that waits by the clock is slow today and fails tomorrow",
    "advance the `clock` fixture, or wait for a condition in tests/integration",
)
_FILE = (
    "it must pass on any machine and leave nothing behind",
    "use tmp_path, or hand the code what the file says",
)
_FAR = Rule(
    _reaches_out,
    "tests must pass without a network and disturb nobody",
    "answer from a stub on 127.0.0.1",
)


def _table(*rows: tuple[Rule, tuple[str, ...]]) -> dict[str, Rule]:
    return {event: rule for rule, events in rows for event in events}


_STARTS = ("subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn")
_CHANGES = ("remove", "rename", "mkdir", "rmdir", "link", "symlink", "chmod", "chown", "truncate")

UNIT = _table(
    (_SOCKET, ("socket.__new__", "socket.bind", *_ASKS, *_SENDS)),
    (_PROCESS, (*_STARTS, "os.kill", "os.killpg")),
    (_DATABASE, ("sqlite3.connect", "psycopg.connect", "django.connect")),
    (_SLEEP, ("time.sleep", "asyncio.sleep")),
    (Rule(_opens, *_FILE), ("open",)),
    (Rule(_reads, *_FILE), ("os.listdir", "os.scandir")),
    (Rule(_writes, *_FILE), (*(f"os.{name}" for name in _CHANGES), "os.utime", "shutil.rmtree")),
)
ELSEWHERE = _table((_FAR, (*_SENDS, *_ASKS, "psycopg.connect")))
WATCHED = frozenset(UNIT) | frozenset(ELSEWHERE)
