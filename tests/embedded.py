"""`manage.py` in a process of its own, on a SQLite database of the test's."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.services import ROOT

_NAME = "dashtam.sqlite3"


def manage(path: Path, *command: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": f"sqlite:///{path}",
            "SECRET_KEY": "of-this-test-of-this-test-of-this-test",
        },
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


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
