"""`manage.py` in a process of its own, on a SQLite database of the test's."""

import atexit
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any

import pytest

from core.settings import VARIABLES
from tests.plugin.services import ROOT

_NAME = "dashtam.sqlite3"


Done = subprocess.CompletedProcess[str]


def manage(path: Path, *command: str, typed: str = "") -> Done:
    return manage_in({"DATABASE_URL": f"sqlite:///{path}"}, *command, typed=typed)


def environment_of(**given: str) -> dict[str, str]:
    """For a process; nothing else is set, whatever a file `.env` says."""
    own = {"PATH": os.environ["PATH"], "SECRET_KEY": "of-this-test-of-this-test-of-this-test"}
    return dict.fromkeys(VARIABLES, "") | own | given


def manage_in(given: Mapping[str, str], *command: str, typed: str = "") -> Done:
    """On any database."""
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("in", "out", "err")]
        streams[0].write_text(typed)
        order = {
            "command": command,
            "environment": environment_of(**given),
            "streams": [str(stream) for stream in streams],
        }
        code = _carry_out(order)
        said = [stream.read_text() for stream in streams[1:]]
    return subprocess.CompletedProcess(command, code, *said)


def _carry_out(order: dict[str, Any]) -> int:
    asking, answering = _commander()
    asking.write(f"{json.dumps(order)}\n")
    asking.flush()
    return int(answering.readline())


@cache
def _commander() -> tuple[IO[str], IO[str]]:
    """Of this worker, until it ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.commanding"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.communicate)
    assert process.stdin
    assert process.stdout
    return process.stdin, process.stdout


def migrated(factory: pytest.TempPathFactory, folder: Path) -> Path:
    """A database in the folder: a copy of the one that was migrated in this run."""
    shutil.copytree(made_once(factory, "migrated", _migrate), folder, dirs_exist_ok=True)
    return folder / _NAME


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder that one worker of the run fills, to be copied by all."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, complete = shared / name, shared / f"{name}.complete"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            folder.mkdir()
            make(folder)
            complete.touch()
    return folder


def _migrate(folder: Path) -> None:
    done = manage(folder / _NAME, "migrate", "-v0")
    assert done.returncode == 0, done.stderr
