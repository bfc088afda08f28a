"""The installation: its folders, its environment and its processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import MappingProxyType
from typing import Any, Final

from tests.plugin.accounts import Account
from trials.production.client import Client
from trials.production.clusters import Cluster
from trials.production.proxy import Proxy

DATABASE: Final = "dashtam"
_WEB_PROCESSES: Final = 3
_START: Final = 40.0
_PAUSE: Final = Event()
_BINARIES: Final = Path(sys.executable).parent


class Broken(Exception):
    """A promise was; one sentence says what was seen."""


def expect(truth: bool, seen: str) -> None:
    if not truth:
        raise Broken(seen)


@dataclass
class House:
    folder: Path
    cluster: Cluster
    environment: dict[str, str]
    run_as: Account
    ports: list[int] = field(default_factory=list)
    web: list[subprocess.Popen[bytes]] = field(default_factory=list)
    worker: subprocess.Popen[bytes] | None = None
    proxy: Proxy | None = None
    kept: dict[str, Any] = field(default_factory=dict)
    """What one step leaves to a later one."""

    @property
    def tree(self) -> Path:
        return self.folder / "app"

    @property
    def audit(self) -> Path:
        return self.folder / "data" / "audit"

    @property
    def mails(self) -> Path:
        return self.folder / "data" / "mails"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def manage(
        self,
        *command: str,
        typed: str = "",
        exits: int = 0,
        given: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        done = subprocess.run(  # noqa: S603  ourselves
            [sys.executable, "manage.py", *command],
            cwd=self.tree,
            env={**self.environment, **given},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            **self.run_as,
        )
        said = f"{done.stdout}{done.stderr}".strip()
        expect(
            done.returncode == exits,
            f"manage.py {' '.join(command)}: exit code {done.returncode}, not {exits}\n{said}",
        )
        return said

    def give(self, path: Path) -> None:
        """To the user whom the processes run as."""
        for each in [path, *path.rglob("*")] if self.run_as else []:
            os.chown(each, self.run_as["user"], self.run_as["group"])

    def start(self) -> None:
        self.ports = [_free_port() for _ in range(_WEB_PROCESSES)]
        self.web = [self._serve(port) for port in self.ports]
        self.start_worker()
        self.proxy = Proxy(self.ports)
        for number in range(_WEB_PROCESSES):
            self._await_ready(number)

    def restart_web(self, number: int) -> None:
        _end(self.web[number])
        self.web[number] = self._serve(self.ports[number])
        self._await_ready(number)

    def start_worker(self) -> None:
        self.worker = self._start(sys.executable, "manage.py", "worker")

    def stop_worker(self) -> None:
        if self.worker:
            _end(self.worker)

    def stop(self) -> None:
        processes = [*self.web, *([self.worker] if self.worker else [])]
        for process in processes:
            process.terminate()
        for process in processes:
            _await_end(process)
        if self.proxy:
            self.proxy.stop()

    def client(self, address: str) -> Client:
        assert self.proxy
        return Client(self.proxy.port, address)

    def _serve(self, port: int) -> subprocess.Popen[bytes]:
        """As the image does, with fewer workers; AUDIT_FOLDER is a volume of the worker alone."""
        arguments = "--interface wsgi --host 127.0.0.1 --workers 1 --blocking-threads 4"
        return self._start(
            str(_BINARIES / "granian"),
            *arguments.split(),
            f"--port={port}",
            "config.wsgi:application",
            given={"AUDIT_FOLDER": str(self.tree / "no-volume")},
        )

    def _start(
        self, *command: str, given: Mapping[str, str] = MappingProxyType({})
    ) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603  ourselves
                command,
                cwd=self.tree,
                env={**self.environment, **given},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self.run_as,
            )

    def _await_ready(self, number: int) -> None:
        until = time.monotonic() + _START
        while time.monotonic() < until:
            expect(self.web[number].poll() is None, f"A web process ended:\n{self.log}")
            try:
                if Client(self.ports[number]).ask("GET", "/health/ready").status == 200:
                    return
            except OSError:
                pass
            _PAUSE.wait(0.05)
        raise Broken(f"Web process {number + 1} was not ready after {_START:.0f} s:\n{self.log}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    _await_end(process)


def _await_end(process: subprocess.Popen[bytes]) -> None:
    """Told once: a second SIGTERM would cut its tidying up short."""
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # granian, stopped while it starts, leaves its worker behind.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
