"""`make bisect`: the test that spoils another one is found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALONE = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
SUITE = """
left_behind = []
def test_polluter(): assert not left_behind.append(1)
def test_victim(): assert not left_behind
def test_first(): assert True
def test_second(): assert True
"""


def bisect(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.plugin.bisect", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), ALONE: "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow(reason="runs pytest a few times, in processes of their own")
def test_the_polluter_is_named_where_the_order_shows_it(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    told = [bisect(tmp_path, seed) for seed in ("3", "1")]
    assert [each.returncode for each in told] == [0, 1]
    assert "the polluting test is: test_suite.py::test_polluter" in told[0].stdout
    assert told[1].stderr.startswith("Nothing fails in this order in one process.")


def test_without_a_seed_it_says_how_to_ask(tmp_path: Path) -> None:
    told = bisect(tmp_path, "")
    assert (told.returncode, told.stderr[:24]) == (2, "Say which order: make bi")
