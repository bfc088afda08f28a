"""As whom the servers run: as ourselves, or as nobody when we are root."""

import os
import pwd
import stat
from pathlib import Path
from typing import TypedDict

from tests.plugin.binaries import NoServersError


class Account(TypedDict, total=False):
    """As whom `subprocess` runs a server; empty: as whoever we are."""

    user: int
    group: int
    extra_groups: list[int]


def account() -> Account:
    """PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known.get("nobody")
    if entry is None:
        raise NoServersError("PostgreSQL refuses to run as root, and there is no user nobody.")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def is_reachable(path: Path, run_as: Account) -> bool:
    """By the permission bits along the path; what is below is taken to be like its top."""
    real = path.resolve()
    return all(_passes(each, run_as) for each in [real, *real.parents])


def _passes(path: Path, run_as: Account) -> bool:
    found = path.stat()
    if found.st_uid == run_as["user"]:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == run_as["group"]:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
