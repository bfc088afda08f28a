"""Starts a PostgreSQL and a Valkey or Redis of our own, on ports where nobody else listens."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.plugin.accounts import Account, account, is_reachable
from tests.plugin.binaries import NoServersError, postgres_folder, redis_program

POSTGRES_PORT = 5433
REDIS_PORT = 6380
ATTEMPTS = 5
# Nothing here has to survive a crash, and ERROR lines are what tests provoke.
POSTGRES_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "100",
    "max_wal_size": "128MB",
    "log_min_messages": "log",
}
VALKEY_OPTIONS = {
    "bind": "127.0.0.1",
    "databases": "256",
    "save": '""',
    "appendonly": "no",
    "daemonize": "no",
}


@dataclass
class Servers:
    folder: Path
    only_system: bool = False
    run_as: Account = field(default_factory=account)
    running: list[tuple[subprocess.Popen[bytes], signal.Signals]] = field(default_factory=list)

    def start_postgres(self) -> str:
        programs = self._within_reach(postgres_folder(self.only_system).resolve().parent) / "bin"
        data, password = self._initdb(programs / "initdb")
        command: list[str | Path] = [programs / "postgres", "-D", data]
        for name, value in POSTGRES_OPTIONS.items():
            command += ["-c", f"{name}={value}"]
        port = self._listen(
            lambda port: self._start([*command, "-p", str(port)], b"ready to accept"),
            POSTGRES_PORT,
        )
        return f"postgres://dashtam:{password}@127.0.0.1:{port}/postgres"

    def start_redis(self) -> str:
        program = self._within_reach(redis_program(self.only_system))
        password = secrets.token_hex(16)
        options = VALKEY_OPTIONS | {"requirepass": password, "dir": str(self._private("redis"))}
        lines = [f"{name} {value}" for name, value in options.items()]

        def start(port: int) -> None:
            config = "\n".join([*lines, f"port {port}"])
            self._start([program, "-"], b"eady to accept connections", config)

        return f"redis://:{password}@127.0.0.1:{self._listen(start, REDIS_PORT)}/0"

    def stop(self) -> None:
        """At once: there is nothing to save."""
        for process, ending in self.running:
            process.send_signal(ending)
        for process, _ in self.running:
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _initdb(self, initdb: Path) -> tuple[Path, str]:
        """A cluster with a password: on a shared machine others reach the port too."""
        home, password = self._private("postgres"), secrets.token_hex(16)
        secret = home / "password"
        secret.write_text(password)
        self._give(secret)
        command: list[str | Path] = [initdb, "-D", home / "data", "--username=dashtam"]
        command += [
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=home, **self.run_as
        )
        if done.returncode:
            raise NoServersError(f"initdb failed: {done.stderr.strip()}")
        return home / "data", password

    def _listen(self, start: Callable[[int], None], port: int) -> int:
        """The port wanted, or a free one when someone has it: their server is never used."""
        for _ in range(ATTEMPTS):
            try:
                start(port)
            except PortIsBusyError:
                port = _free_port()
            else:
                return port
        raise NoServersError(f"No free port on 127.0.0.1 in {ATTEMPTS} attempts.")

    def _start(self, command: list[str | Path], ready: bytes, config: str = "") -> None:
        """Returns when the server itself says that it listens."""
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            **self.run_as,
        )
        # SIGQUIT is PostgreSQL's immediate shutdown; killed, it would leave its children.
        ending = signal.SIGKILL if config else signal.SIGQUIT
        self.running.append((process, ending))
        assert process.stdin
        assert process.stdout
        with process.stdin:
            process.stdin.write(config.encode())
        log = _read_until(ready, process.stdout)
        if log is None:
            threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
            return
        process.stdout.close()
        process.wait()
        if b"ddress already in use" in log:
            raise PortIsBusyError
        raise NoServersError(f"{command[0]} did not start: {log.decode(errors='replace')}")

    def _private(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        self._give(folder)
        return folder

    def _give(self, path: Path) -> None:
        if self.run_as:
            os.chown(path, self.run_as["user"], self.run_as["group"])

    def _within_reach(self, programs: Path) -> Path:
        """The programs, or a copy when the unprivileged user cannot get at them."""
        if not self.run_as or is_reachable(programs, self.run_as):
            return programs
        room = self.folder / "programs"
        copy = room / programs.parent.name / programs.name
        copy.parent.mkdir(parents=True)
        if programs.is_dir():
            shutil.copytree(programs, copy, ignore=shutil.ignore_patterns("include"))
        else:
            shutil.copy(programs, copy)
        # A wheel keeps the libraries of its programs beside its package.
        libraries = programs.parent.with_name(f"{programs.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, room / libraries.name)
        for path in [room, *room.rglob("*")]:
            self._give(path)
        return copy


class PortIsBusyError(Exception):
    pass


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _read_until(ready: bytes, output: IO[bytes]) -> bytes | None:
    """None when the word was said, else all that was."""
    log = []
    for line in output:
        if ready in line:
            return None
        log.append(line)
    return b"".join(log)


def _drain(output: IO[bytes]) -> None:
    """A server whose log nobody reads would stand still on a full pipe."""
    with output:
        for _ in output:
            pass
