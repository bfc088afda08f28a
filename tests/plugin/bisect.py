"""Which test spoils another one? `make bisect SEED=…` runs the tests in that order until one fails,
and halves what ran before it until one test is left."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FINDER = "detect_test_pollution"


def ran_until_failure(seed: str, results: Path, *pytest_args: str) -> dict[str, bool]:
    """Each test that ran, in order, and whether it passed. One process: the order of several
    depends on their speed."""
    order = ["-p", "randomly", f"--randomly-seed={seed}", "--exitfirst"]
    watched = ["-p", FINDER, f"--dtp-results-output-file={results}"]
    subprocess.run([sys.executable, "-m", "pytest", *order, *watched, *pytest_args], check=False)
    found: dict[str, bool] = json.loads(results.read_text()) if results.exists() else {}
    return found


def main(seed: str, *pytest_args: str) -> int:
    if not seed:
        sys.stderr.write(
            "Say which order: make bisect SEED=123, as the end of the run printed it.\n"
        )
        return 2
    with tempfile.TemporaryDirectory() as folder:
        ran = ran_until_failure(seed, Path(folder) / "results.json", *pytest_args)
        failed = [test for test, passed in ran.items() if not passed]
        if not failed:
            sys.stderr.write(
                "Nothing fails in this order in one process. What fails with several only, fails by"
                " time or by what they share: a file, a port, a database.\n"
            )
            return 1
        before = Path(folder) / "before.txt"
        before.write_text("".join(f"{test}\n" for test in ran))
        program = Path(sys.executable).with_name("detect-test-pollution")
        finder = [str(program), "--failing-test", failed[0]]
        return subprocess.run([*finder, "--testids-file", str(before)], check=False).returncode


if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""
    sys.exit(main(*sys.argv[1:]))
