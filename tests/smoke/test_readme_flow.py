"""The README, as a newcomer would follow it: `make run`'s server, and the five calls by curl."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.embedded import environment_of

ROOT = Path(__file__).resolve().parents[2]
_PAUSE = Event()


class Server:
    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.home = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self.log = folder / "server.log"
        self.data = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **variables: str) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=environment_of(
                    PORT=self.home.rpartition(":")[2],
                    DATABASE_URL=f"sqlite:///{self.data / 'first look.sqlite3'}",
                    PYTHONUNBUFFERED="1",
                    **variables,
                ),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)

    def printed(self) -> str:
        return self.log.read_text()

    def mailed_token(self) -> str:
        """The worker sends within a second or two."""
        for _ in range(200):
            if found := re.findall(r"^(dsh_once_\S+)$", self.printed(), re.MULTILINE):
                return str(found[-1])
            _PAUSE.wait(0.05)
        pytest.fail(f"No mail was printed:\n{self.printed()}")

    def _wait_until_ready(self) -> None:
        for _ in range(1000):
            assert self.process is not None
            assert self.process.poll() is None, self.printed()
            try:
                with urlopen(f"{self.home}/health/ready"):
                    return
            except URLError:
                _PAUSE.wait(0.05)
        pytest.fail(f"The server did not start:\n{self.printed()}")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.stop()


def five_calls() -> list[str]:
    text = (ROOT / "README.md").read_text().partition("## The first five calls")[2]
    return [
        re.sub("^   ", "", block, flags=re.MULTILINE)
        for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    ]


@pytest.mark.slow(reason="starts the server of `make run`")
def test_the_five_calls_of_the_readme_work_as_printed(server: Server) -> None:
    server.start()
    register, verify, sign_in, ask, sign_out = (
        block.replace("http://127.0.0.1:8000", server.home) for block in five_calls()
    )
    assert json.loads(run(register))["email"] == "ada@example.com"
    token = server.mailed_token()
    session = "\n".join([verify.replace("dsh_once_…", token), sign_in, ask])
    me, sessions = documents(run(session))
    assert me["is_verified"] is True
    assert sessions["results"][0]["device"] == "curl"
    (refused,) = documents(run("\n".join([sign_in, sign_out])))
    assert refused["code"] == "invalid_token"


@pytest.mark.slow(reason="starts the server of `make run` twice")
def test_a_second_run_keeps_the_data_and_renews_the_link(server: Server) -> None:
    server.start()
    register, verify, sign_in, ask, _ = (
        block.replace("http://127.0.0.1:8000", server.home) for block in five_calls()
    )
    run(register)
    token = server.mailed_token()
    first_link = re.findall(r"/setup#(dsh_once_\S+)", server.printed())
    server.stop()
    server.start()
    me, _ = documents(run("\n".join([verify.replace("dsh_once_…", token), sign_in, ask])))
    assert me["email"] == "ada@example.com"
    assert re.findall(r"/setup#(dsh_once_\S+)", server.printed()) != first_link


def run(script: str) -> str:
    """As a newcomer's shell would; `-e` and the exit code tell what broke."""
    finished = subprocess.run(
        ["bash", "-euc", script], capture_output=True, text=True, timeout=30, check=True
    )
    return finished.stdout


def documents(text: str) -> list[dict[str, Any]]:
    """The JSON documents that stand in a row."""
    decoder, found, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        found.append(document)
        rest = rest[end:].strip()
    return found
