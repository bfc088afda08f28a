"""A line counts for its layer when a test of the right tier runs it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "users/__init__.py": "",
    "users/domain/__init__.py": "",
    "users/domain/thing.py": "def one():\n    return 1\n\n\ndef two():\n    return 2\n",
    "tests/unit/test_domain_thing.py": (
        "from users.domain.thing import one\n\n\ndef test_one(): assert one() == 1\n"
    ),
    "tests/integration/test_thing_adapter.py": (
        "from users.domain.thing import two\n\n\ndef test_two(): assert two() == 2\n"
    ),
}


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{folder}:{ROOT}",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.slow(reason="runs pytest and reads what it measured, in processes of their own")
def test_a_line_of_the_domain_that_no_unit_test_runs_is_not_covered(project: Path) -> None:
    options = [
        "-p",
        "pytest_cov",
        "-p",
        "tests.plugin.layers",
        "--rootdir=.",
        "--import-mode=importlib",
    ]
    ran = python(project, "pytest", *options, "--cov=users", "--cov-report=")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = python(project, "tests.plugin.layers")
    assert re.findall(r"^(domain|all) .*? ([\d.]+ %) +(.+)$", told.stdout, re.MULTILINE) == [
        ("domain", "75.00 %", "100 % missed"),
        ("all", "100.00 %", "90 %"),
    ]
    assert told.returncode == 1


def test_without_a_measurement_it_says_what_to_do(tmp_path: Path) -> None:
    told = python(tmp_path, "tests.plugin.layers")
    assert told.returncode == 3
    assert told.stderr.endswith("make test measures.\n")
