"""`manage.py` in a process of its own, on a SQLite database of the test's."""

import os
import subprocess
import sys
from pathlib import Path

from tests.plugin.services import ROOT


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
