"""A request with an access token costs one SQL statement and one MAC, on both databases."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.services import Services
from tests.steady import cost_of_a_request

ROOT = Path(__file__).parents[2]


def test_on_postgresql(transactional_db: None, services: Services) -> None:
    statements, macs = cost_of_a_request()
    assert (len(statements), macs) == (1, 1), statements


@pytest.mark.slow(reason="makes a database, and starts twice")
def test_on_sqlite(tmp_path: Path) -> None:
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.local",
        "DATABASE_URL": f"sqlite:///{tmp_path}/dashtam.sqlite3",
        "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
        "EMAIL_URL": "memorymail://",
        "PYTHONPATH": str(ROOT),
    }
    said = [
        subprocess.run(
            [sys.executable, *command],
            env=environment,
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for command in ([ROOT / "manage.py", "migrate", "-v0"], ["-m", "tests.steady"])
    ]
    assert said[-1] == "1 1\n"
