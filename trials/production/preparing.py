"""Before anything runs: the files of the image, settings and a database."""

import os
import re
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.plugin.accounts import Account, account, is_reachable
from trials.places import ROOT
from trials.production.client import HOST
from trials.production.clusters import APPLICATION, Cluster
from trials.production.house import DATABASE, House

_NOT_SENT: Final = shutil.ignore_patterns("__pycache__")


def prepare(folder: Path, cluster: Cluster, redis_url: str) -> House:
    folder.chmod(0o711)
    house = House(folder, cluster, _environment(folder, cluster, redis_url), _account())
    _copy_as_the_image_does(house.tree)
    for each in (folder / "data", house.mails, house.tree / "staticfiles"):
        each.mkdir(mode=0o700)
        house.give(each)
    cluster.create(DATABASE)
    return house


def _environment(folder: Path, cluster: Cluster, redis_url: str) -> dict[str, str]:
    """All of it: nothing of whoever runs the trial reaches the installation."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.production",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "TOKEN_KEYS": new_key("1"),
        "AUDIT_KEYS": new_key("1"),
        "DATABASE_URL": cluster.url(DATABASE, APPLICATION),
        "REDIS_URL": redis_url,
        "EMAIL_URL": f"filemail://{folder / 'data' / 'mails'}",
        "ALLOWED_HOSTS": HOST,
        "PUBLIC_URL": f"https://{HOST}",
        "TRUSTED_PROXIES": "127.0.0.1/32",
        "AUDIT_FOLDER": str(folder / "data" / "audit"),
        "METRICS_TOKEN": secrets.token_hex(32),
    }


def new_key(key_id: str) -> str:
    return f"{key_id}:{secrets.token_urlsafe(32)}"


def _account() -> Account:
    """An ordinary user, where it can run our interpreter: root may write anywhere."""
    found = account()
    programs = (Path(sys.executable).resolve(), Path(sys.prefix))
    return found if all(is_reachable(each, found) for each in programs if found) else {}


def _copy_as_the_image_does(tree: Path) -> None:
    tree.mkdir()
    image = (ROOT / "Dockerfile").read_text().partition("AS production")[2]
    for name in re.findall(r"^COPY (\w[\w.]*) ", image, re.MULTILINE):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=_NOT_SENT)
        else:
            shutil.copy(ROOT / name, tree)


def make_read_only(tree: Path) -> None:
    for each in [tree, *tree.rglob("*")]:
        each.chmod(each.stat().st_mode & ~0o222)


def listed(tree: Path) -> Mapping[str, tuple[int, int]]:
    """Whatever is written there shows, by root too."""
    found = {str(each): each.stat() for each in tree.rglob("*")}
    return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in found.items()}
