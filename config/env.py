"""The environment that a settings module stands on: a `.env` file, or defaults of its own."""

import fcntl
import os
import secrets
from pathlib import Path

from environ import Env

from core.settings import VARIABLES

ROOT = Path(__file__).resolve().parent.parent


def read_dotenv() -> None:
    """What the process was given wins over the file."""
    if (ROOT / ".env").is_file():
        Env.read_env(str(ROOT / ".env"))


def default(**values: str) -> None:
    """For what is not set, or set to nothing, as in a copy of `.env.example`."""
    for name, value in values.items():
        if not os.environ.get(name):
            os.environ[name] = value


def only(**values: str) -> None:
    """Forgets what the shell says: a test must never reach the database of its developer."""
    for name in VARIABLES:
        os.environ.pop(name, None)
    os.environ.update(values)


def private_folder(path: Path) -> Path:
    """Addresses and password hashes are for nobody else on this machine."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def embedded_secret(path: Path) -> str:
    """The key of an embedded installation, made at its first start and kept beside its data."""
    with open(os.open(path, os.O_CREAT | os.O_RDWR, 0o600), "r+") as file:
        # Two first starts at once must come to the same key, and neither read an empty file.
        fcntl.flock(file, fcntl.LOCK_EX)
        secret = file.read()
        if not secret:
            secret = secrets.token_urlsafe(48)
            file.write(secret)
        return secret
