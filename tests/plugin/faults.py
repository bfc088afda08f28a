"""Dependencies that fail on purpose, where they are reached: at the socket, in the driver, in the
stream. The product's own code stays as it is."""

import os
import select
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from itertools import count
from logging import StreamHandler, getLogger
from pkgutil import resolve_name
from threading import Thread
from typing import Any, Final, TextIO
from unittest.mock import patch

import psycopg
from django.db import close_old_connections, connections
from django.test import override_settings

from core import container
from core.keys import KeyRing
from core.signals import domain_event

HOST: Final = "127.0.0.1"
NO_REDIS: Final = b"+nonsense\r\n" * 50
NO_WORDS: Final = b"HTTP/1.1 400 Bad Request\r\n\r\n"
_PATIENCE: Final = 0.1

Act = Callable[[], object]


def _named(*arguments: Any) -> str:
    """Of a command of Redis: `SET`."""
    return str(arguments[1]).lower()


CALLS: Final = {
    "cache": ("redis:Redis", "execute_command"),
    "database": ("psycopg:Cursor", "execute"),
    "logger": ("logging:StreamHandler", "emit"),
    "recorder": ("audit.wiring", "recorder"),
    "secrets": ("core.secrets:EnvironmentSecrets", "get_secret"),
}
"""What `at` and `fail` count: every statement passes the one, every record the other. A command of
Redis may be named: `cache.set`."""


class Faults:
    """Until `over`, or until the test ends."""

    def __init__(self) -> None:
        self._ends = ExitStack()
        self.asked: dict[str, int] = {}
        """How often each call was made that `at` and `fail` wait for."""
        self._due: dict[str, int] = {}

    def over(self) -> None:
        self._ends.close()
        self.asked, self._due = {}, {}

    @property
    def missed(self) -> list[str]:
        """The calls that were not made so often that one of them would have failed."""
        return [call for call, nth in self._due.items() if self.asked[call] < nth]

    def fail(self, call: str, *, nth: int = 1, error: BaseException) -> None:
        """From its nth call on."""
        self.at(call, nth, _raising(error), again=True)

    def at(self, call: str, nth: int, act: Act, *, again: bool = False) -> None:
        """Before its nth call; before all that follow it, too, with `again`."""
        name, _, command = call.partition(".")
        owner, method = resolve_name(CALLS[name][0]), CALLS[name][1]
        real, numbers = getattr(owner, method), count(1)
        self.asked[call], self._due[call] = 0, nth

        def counted(*args: Any, **kwargs: Any) -> Any:
            if not command or _named(*args) == command:
                self.asked[call] = number = next(numbers)
                if number == nth or (again and number > nth):
                    act()
            return real(*args, **kwargs)

        self._ends.enter_context(patch.object(owner, method, counted))

    # Who is there instead.

    def nobody(self) -> int:
        """A port that stays ours and is closed: whoever connects is refused."""
        closed = self._ends.enter_context(socket.socket())
        closed.bind((HOST, 0))
        return _port(closed)

    def silent(self) -> int:
        """The kernel accepts for us, and nobody ever answers."""
        return _port(self._listening())

    def babbling(self, words: bytes) -> int:
        """Says the same to everybody, whatever was asked."""
        server, callers = self._listening(), self._ends.enter_context(ExitStack())

        def babble() -> None:
            with suppress(OSError):  # the end of the listening socket
                while True:
                    caller = callers.enter_context(server.accept()[0])
                    caller.sendall(words)

        thread = Thread(target=babble)
        thread.start()
        self._ends.callback(thread.join)
        self._ends.callback(server.shutdown, socket.SHUT_RDWR)
        return _port(server)

    def _listening(self) -> socket.socket:
        server = self._ends.enter_context(socket.socket())
        server.bind((HOST, 0))
        server.listen(64)
        return server

    # Whom the product is led to.

    def cache_at(self, port: int) -> None:
        elsewhere = replace(container.get_settings(), redis_url=f"redis://{HOST}:{port}/0")
        self._ends.callback(container.reset)
        self._ends.enter_context(container.override(get_settings=elsewhere))
        container.reset()

    def database_at(self, port: int) -> None:
        connection = connections["default"]
        connection.close()
        self._ends.callback(connection.close)
        elsewhere = {"HOST": HOST, "PORT": str(port)}
        self._ends.enter_context(patch.dict(connection.settings_dict, elsewhere))

    def mail_at(self, port: int) -> None:
        smtp = "django.core.mail.backends.smtp.EmailBackend"
        where = {"EMAIL_HOST": HOST, "EMAIL_PORT": port, "EMAIL_TIMEOUT": _PATIENCE}
        self._ends.enter_context(override_settings(EMAIL_BACKEND=smtp, **where))

    def hears(self, port: int, *, nth: int = 1) -> None:
        """A receiver of events that hands each of them on to a server, from the nth on."""
        numbers = count(1)

        def hand_on(**_: Any) -> None:
            if next(numbers) >= nth:
                with socket.create_connection((HOST, port), _PATIENCE) as server:
                    server.settimeout(_PATIENCE)
                    int(server.recv(64))

        domain_event.connect(hand_on, weak=False)
        self._ends.callback(domain_event.disconnect, hand_on)

    # What breaks on the way.

    def blocked_table(self, table: str) -> None:
        """Somebody holds it, and a statement may wait for a tenth of a second."""
        ours = connections["default"]
        ours.ensure_connection()
        other = self._ends.enter_context(_other_connection())
        other.execute(f'LOCK TABLE "{table}" IN ACCESS EXCLUSIVE MODE')
        self._ends.callback(ours.close)
        with ours.cursor() as cursor:
            cursor.execute("SET statement_timeout = '100ms'")

    def cut_connection(self) -> None:
        """By the server, as when it is restarted."""
        ours = connections["default"].connection
        kill = f"SELECT pg_terminate_backend({ours.info.backend_pid})"
        with _other_connection() as other:
            other.pgconn.exec_(kill.encode())  # past the cursor, whose calls are counted
        _wait_for_the_end_of(ours)
        # As a server does between two requests; the test client does not.
        self._ends.callback(close_old_connections)

    def other_keys(self, name: str) -> None:
        """`token_keys` or `audit_keys`: as after a restart with other ones."""
        others = {name: KeyRing("other", {"other": b"o" * 32})}
        elsewhere = replace(container.get_settings(), **others)  # type: ignore[arg-type]
        self._ends.enter_context(container.override(get_settings=elsewhere))

    def log_to(self, stream: TextIO) -> None:
        """Lines, and whatever says that they cannot be written."""
        for handler in getLogger().handlers:
            if isinstance(handler, StreamHandler) and "pytest" not in type(handler).__module__:
                self._ends.enter_context(patch.object(handler, "stream", stream))
        self._ends.enter_context(patch.object(sys, "stderr", stream))

    def pipe(self) -> tuple[int, TextIO]:
        """Its reading end, and a stream that writes each line at once."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        stream = os.fdopen(writer, "w", buffering=1)
        self._ends.callback(_close, reader, stream)
        return reader, stream

    def full_pipe(self) -> TextIO:
        """Nobody reads."""
        _, stream = self.pipe()
        with suppress(BlockingIOError):
            while True:
                os.write(stream.fileno(), bytes(4096))
        return stream


def _close(reader: int, stream: TextIO) -> None:
    for close in (partial(os.close, reader), stream.close):
        with suppress(OSError):
            close()


def _raising(error: BaseException) -> Act:
    def act() -> None:
        raise error

    return act


def _port(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def _wait_for_the_end_of(connection: psycopg.Connection) -> None:
    """PostgreSQL's own way to wait looks ten times a second."""
    ends = select.poll()
    ends.register(connection.fileno(), getattr(select, "POLLRDHUP", 0))
    assert ends.poll(5000), "the server did not end the connection"


def _other_connection() -> psycopg.Connection:
    """To the same database."""
    ours = connections["default"]
    return psycopg.connect(ours.connection.info.dsn, password=ours.settings_dict["PASSWORD"])
