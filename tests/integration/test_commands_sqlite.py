"""Commands as an operator types them, on the embedded default."""

import json
from pathlib import Path

import pytest

from tests.embedded import manage, migrated

PASSWORD = "SecurePass123!"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = migrated(tmp_path_factory, tmp_path_factory.mktemp("embedded"))
    made = manage(path, "create_admin", "--email", "root@example.com", typed=PASSWORD)
    assert made.returncode == 0
    return path


@pytest.mark.slow(reason="migrates a database of its own, in processes of their own")
class TestCommandsOnSqlite:
    """Uses fixtures: database."""

    def test_doctor_has_a_line_for_each_area_and_all_is_well(self, database: Path) -> None:
        lines = [
            json.loads(line)
            for line in manage(database, "doctor", "--json").stdout.split("\n")[:-1]
        ]
        found = {line["area"]: line["verdict"] for line in lines}
        assert {"token keys", "audit keys", "signing key", "seal", "worker", "clocks"} <= set(found)
        assert set(found.values()) == {"well"}

    @pytest.mark.parametrize(
        ("typed", "code"),
        [
            (("users", "list", "--role", "admin"), 0),
            (("users", "show", "nobody@example.com"), 1),
            (("users", "lock", "root@example.com"), 3),
            (("users", "deactivate", "root@example.com", "--reason", "x"), 1),
            (("sessions", "list"), 0),
            (("rotate_tokens", "--reason", "x", "--yes"), 3),
        ],
        ids=["done", "nobody", "no reason", "last admin", "nothing", "nobody's"],
    )
    def test_each_ends_with_an_honest_code(
        self, database: Path, typed: tuple[str, ...], code: int
    ) -> None:
        ran = manage(database, *typed)
        assert (ran.returncode, "Traceback" in ran.stderr) == (code, False)
        assert bool(ran.stderr) is (code > 0 or typed == ("sessions", "list"))
