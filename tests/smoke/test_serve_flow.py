"""`manage.py serve` on a terminal of its own: both of its processes end, whoever ends them."""

import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from tests.embedded import environment_of, migrated
from tests.plugin.services import ROOT

_PAUSE = Event()


class Terminal:
    """A window in which somebody typed `manage.py serve`."""

    def __init__(self, database: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.window, inside = pty.openpty()
        self.log = database.parent / "stderr.log"
        with self.log.open("wb") as log:
            self.server = subprocess.Popen(
                # The new session's first process to open a terminal owns it.
                ["sh", "-c", f'exec "$0" manage.py serve <{os.ttyname(inside)}', sys.executable],
                cwd=ROOT,
                env=environment_of(DATABASE_URL=f"sqlite:///{database}", PORT=str(self.port)),
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        os.close(inside)

    def press_ctrl_c(self) -> None:
        os.write(self.window, b"\x03")

    def close(self) -> None:
        if self.window >= 0:
            os.close(self.window)
            self.window = -1

    def wait_until_it_listens(self) -> None:
        for _ in range(1000):
            if self.listens():
                return
            _PAUSE.wait(0.03)
        pytest.fail(f"The server did not start:\n{self.log.read_text()}")

    def listens(self) -> bool:
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def terminal(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    terminal = Terminal(migrated(tmp_path_factory, tmp_path))
    with terminal.server:
        yield terminal
        terminal.close()
        with suppress(ProcessLookupError):
            os.killpg(terminal.server.pid, signal.SIGKILL)


def press_ctrl_c(terminal: Terminal) -> None:
    terminal.press_ctrl_c()


def press_ctrl_c_and_terminate(terminal: Terminal) -> None:
    terminal.press_ctrl_c()
    terminal.server.terminate()
    terminal.press_ctrl_c()


def hang_up(terminal: Terminal) -> None:
    terminal.server.send_signal(signal.SIGHUP)


def close(terminal: Terminal) -> None:
    terminal.close()


def terminate(terminal: Terminal) -> None:
    terminal.server.terminate()


def kill(terminal: Terminal) -> None:
    terminal.server.kill()


@pytest.mark.parametrize(
    "end", [press_ctrl_c, press_ctrl_c_and_terminate, hang_up, close, terminate, kill]
)
@pytest.mark.slow(reason="starts the server of `make run`")
def test_the_server_ends_with_its_worker_and_without_a_traceback(
    end: Callable[[Terminal], None], terminal: Terminal
) -> None:
    terminal.wait_until_it_listens()
    end(terminal)
    # Both hold its output: it is at its end when both are gone.
    terminal.server.communicate(timeout=10)
    assert terminal.server.returncode == (-signal.SIGKILL if end is kill else 0)
    assert not terminal.listens()
    assert terminal.log.read_text() == ""
