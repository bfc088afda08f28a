"""Runs `manage.py` for `tests.embedded`: each command in a fork of this process, which has imported
libraries, and nothing of ours. Orders are lines of JSON on stdin, exit codes lines on stdout."""

import json
import os
import runpy
import sys
from importlib import import_module

# Half of the time in which a command starts.
_LIBRARIES = (
    "asyncio",
    "cryptography.hazmat.primitives.ciphers.aead",
    "django.contrib.admin.apps",
    "django.core.mail",
    "django.core.management",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.db.models",
    "django.views.debug",
    "environ",
    "limits",
    "maxminddb",
    "redis",
    "rich.progress",
    "structlog",
    "ua_parser",
)


def main() -> None:
    for library in _LIBRARIES:
        import_module(library)
    for order in sys.stdin:
        child = os.fork()
        if not child:
            _become(**json.loads(order))
            return
        status = os.waitpid(child, 0)[1]
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(command: list[str], environment: dict[str, str], streams: list[str]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(os.open(stream, os.O_RDWR | os.O_CREAT), number)
    sys.stdin = os.fdopen(0)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["manage.py", *command]
    runpy.run_path("manage.py", run_name="__main__")


if __name__ == "__main__":
    main()
