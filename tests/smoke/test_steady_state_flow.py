"""A request with an access token costs one SQL statement and one MAC, on both databases."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedded import migrated
from tests.plugin.services import ROOT, Services
from tests.steady import cost_of_a_request


def test_on_postgresql(transactional_db: None, services: Services) -> None:
    statements, macs = cost_of_a_request()
    assert (len(statements), macs) == (1, 1), statements


@pytest.mark.slow(reason="a process of its own")
def test_on_sqlite(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.local",
        "DATABASE_URL": f"sqlite:///{migrated(tmp_path_factory, tmp_path)}",
        "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
        "EMAIL_URL": "memorymail://",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.steady"],
        env=environment,
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "1 1\n"
