"""What the documents promise about the repository: commands, containers and the CI."""

import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.settings import VARIABLES

ROOT = Path(__file__).resolve().parents[2]


def read(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.fixture
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(read("docker-compose.yml"))
    return found


def test_make_alone_lists_what_there_is_to_do() -> None:
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(r"^run\s+\S", said, re.MULTILINE)
    assert re.search(r"^test\s+\S", said, re.MULTILINE)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "make test\n" in read("README.md")
    assert "\nmake test\n" in read(".ci/run")
    assert "\nmake check-static\n" in read(".ci/run")


def test_ci_also_runs_on_the_servers_of_the_system() -> None:
    assert "DASHTAM_TEST_BINARIES=system make test-services" in read(".ci/run")


@pytest.mark.parametrize(
    ("service", "name", "image", "port", "tmpfs"),
    [
        (
            "test-postgres",
            "dashtam-api-test-postgres",
            "postgres:17-alpine",
            "127.0.0.1:5433:5432",
            "/var/lib/postgresql/data",
        ),
        (
            "test-redis",
            "dashtam-api-test-redis",
            "valkey/valkey:8-alpine",
            "127.0.0.1:6380:6379",
            "/data",
        ),
    ],
)
def test_the_test_profile_keeps_its_names_and_ports_and_forgets_its_data(
    service: str, name: str, image: str, port: str, tmpfs: str, compose: dict[str, Any]
) -> None:
    found = compose["services"][service]
    assert found["container_name"] == name
    assert found["image"] == image
    assert found["ports"] == [port]
    assert found["tmpfs"] == [tmpfs]
    assert found["profiles"] == ["test"]
    assert "healthcheck" in found


def test_the_tests_run_in_a_container_of_their_own(compose: dict[str, Any]) -> None:
    app = compose["services"]["test-app"]
    assert app["container_name"] == "dashtam-api-test-app"
    assert set(app["environment"]) == {"TEST_DATABASE_URL", "TEST_REDIS_URL"}


def test_compose_runs_the_server_after_the_migrations(compose: dict[str, Any]) -> None:
    services = compose["services"]
    waits = services["web"]["depends_on"]["migrate"]
    assert waits == {"condition": "service_completed_successfully"}
    assert services["migrate"]["command"][-2:] == ["migrate", "--noinput"]
    assert services["postgres"]["image"] == "postgres:17-alpine"
    assert services["valkey"]["image"] == "valkey/valkey:8-alpine"


def test_containers_write_to_their_volumes_alone(compose: dict[str, Any]) -> None:
    services = [compose["services"][name] for name in ("web", "worker", "migrate")]
    assert all(each["read_only"] and each["tmpfs"] == ["/tmp"] for each in services)
    (folder,) = re.findall(r"\bAUDIT_FOLDER=(\S+)", read("Dockerfile"))
    (volume,) = compose["services"]["worker"]["volumes"]
    assert folder.startswith(f"{volume.partition(':')[2]}/")


@pytest.mark.conforms("A15")
def test_compose_holds_no_secret_and_listens_on_this_machine_only(
    compose: dict[str, Any],
) -> None:
    text = read("docker-compose.yml")
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert f"${{{name}:?" in text
    ports = [port for each in compose["services"].values() for port in each.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_variable_compose_asks_for_is_explained() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", read("docker-compose.yml")))
    explained = set(re.findall(r"^#?([A-Z_]+)=", read(".env.example"), re.MULTILINE))
    assert asked <= explained


def test_every_variable_of_the_example_is_one_that_is_read() -> None:
    explained = set(re.findall(r"^#?([A-Z_]+)=", read(".env.example"), re.MULTILINE))
    assert explained - {"POSTGRES_PASSWORD", "REDIS_PASSWORD"} <= set(VARIABLES)


def variables(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))


def resolved(environment: dict[str, str | None], given: dict[str, str]) -> dict[str, str]:
    """What Compose gives a container: `NAME:` is handed on, if it is set; `${NAME:?why}` has to be.

    Raises `KeyError` for one that has to be and is not.
    """
    handed_on = {name: given.get(name) for name in environment}
    made = {
        name: re.sub(r"\$\{([A-Z_]+):\?[^}]*\}", lambda found: given[found[1]], text)
        for name, text in environment.items()
        if text is not None
    }
    return {name: text for name, text in (handed_on | made).items() if text is not None}


@pytest.fixture
def filled_in() -> dict[str, str]:
    """.env.example with a value for what it leaves empty."""
    return {
        name: text or "filled-in-filled-in-filled-in-filled-in"
        for name, text in variables(read(".env.example")).items()
    }


@pytest.mark.parametrize("service", ["web", "migrate"])
def test_the_example_filled_in_is_all_that_the_containers_need(
    service: str, compose: dict[str, Any], filled_in: dict[str, str]
) -> None:
    environment = resolved(compose["services"][service]["environment"], filled_in)
    nothing = dict.fromkeys(VARIABLES, "")  # a .env of whoever runs the tests adds nothing
    started = subprocess.run(
        [sys.executable, "-c", "import config.production"],
        cwd=ROOT,
        env=nothing | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    assert environment["ALLOWED_HOSTS"] == filled_in["ALLOWED_HOSTS"]
    assert environment["PUBLIC_URL"] == filled_in["PUBLIC_URL"]


def test_compose_hands_on_everything_that_can_be_set(compose: dict[str, Any]) -> None:
    # ENVIRONMENT is for the settings module to say.
    assert set(compose["services"]["migrate"]["environment"]) == set(VARIABLES) - {"ENVIRONMENT"}


def test_compose_shows_the_owner_of_the_tables_to_who_migrates_and_to_nobody_else(
    compose: dict[str, Any],
) -> None:
    """Who takes over a process that serves requests must not find the owner's password there."""
    everything = set(compose["services"]["migrate"]["environment"])
    served = set(compose["services"]["web"]["environment"])
    assert everything - served == {"DATABASE_OWNER_URL"}


def test_every_variable_is_in_the_reference() -> None:
    explained = set(
        re.findall(r"^\| `([A-Z_0-9]+)` \|", read("docs/reference/settings.md"), re.MULTILINE)
    )
    assert set(VARIABLES) - {"ENVIRONMENT"} <= explained


def test_the_health_check_names_a_host_that_is_allowed() -> None:
    command = re.search(r"^HEALTHCHECK .* CMD (.*)$", read("Dockerfile"), re.MULTILINE)
    assert command
    [host] = re.findall(r"'Host': (.*?)\}", command[1])
    told = subprocess.run(
        [sys.executable, "-c", f"import os; print({host})"],
        env={"ALLOWED_HOSTS": " .example.com , accounts.example.org"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "example.com\n"


def test_the_images_get_what_the_tests_read_and_no_secret() -> None:
    named = [line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")]

    def is_sent(name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in named)

    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    read_by_tests = set(re.findall(r"(?:(?<![.\w])read\(|\bROOT / )\"([\w.-]+)", tests)) - {".env"}
    assert {"Makefile", "README.md", "docker-compose.yml", ".ci"} <= read_by_tests
    assert {name for name in read_by_tests if not is_sent(name)} == set()
    assert not any(map(is_sent, (".env", ".git", ".venv", "var")))


def test_the_image_runs_hash_locked_packages_as_an_ordinary_user() -> None:
    stages = read("Dockerfile").split("\nFROM ")
    assert all(
        "--require-hashes" in line
        for line in read("Dockerfile").splitlines()
        if "pip install" in line
    )
    assert "USER dashtam" in stages[-1]
    assert "/health/live" in stages[-1]
    assert "config.wsgi:application" in stages[-1]


def test_the_workflow_tests_pushes_and_pull_requests() -> None:
    workflow = yaml.safe_load(read(".github/workflows/test.yml"))
    steps = workflow["jobs"]["test"]["steps"]
    assert workflow[True] == ["push", "pull_request"]  # YAML 1.1 reads `on` as true
    assert [step["run"] for step in steps if "run" in step][:2] == [
        "make test",
        "make check-static",
    ]
    upload = next(step for step in steps if "codecov" in step.get("uses", ""))
    assert upload["with"]["fail_ci_if_error"] is False


@pytest.fixture
def nightly() -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(read(".github/workflows/nightly.yml"))
    return found


def test_the_long_runs_are_started_every_night_and_by_hand(nightly: dict[Any, Any]) -> None:
    assert nightly[True].keys() == {"schedule", "workflow_dispatch"}
    [schedule] = nightly[True]["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", schedule["cron"])
    steps = nightly["jobs"]["nightly"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["make nightly"]
    assert nightly["jobs"]["nightly"]["timeout-minutes"] < 360  # when GitHub ends a job


def test_no_workflow_may_write_to_the_repository() -> None:
    workflows = list((ROOT / ".github" / "workflows").glob("*.yml"))
    assert {path.name for path in workflows} == {"test.yml", "nightly.yml"}
    for path in workflows:
        assert yaml.safe_load(path.read_text())["permissions"] == {"contents": "read"}


def test_nightly_runs_all_that_takes_long() -> None:
    named = re.search(r"^NIGHTLY = (.*)$", read("Makefile"), re.MULTILINE)
    assert named
    long = {"test-random", "model", "fuzz-long", "faults", "kills", "races"}
    assert set(named[1].split()) >= long
    rules = re.findall(r"^([a-z][a-z -]*):", read("Makefile"), re.MULTILINE)
    assert set(named[1].split()) <= set(" ".join(rules).split())


def made_nightly(*targets: str) -> subprocess.CompletedProcess[str]:
    command = [
        "make",
        "--no-print-directory",
        "--old-file=ready",
        "nightly",
        f"NIGHTLY={' '.join(targets)}",
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_nightly_goes_on_after_what_fails_and_tells_it_last() -> None:
    done = made_nightly("nothing", "help", "neither")
    lines = done.stdout.splitlines()
    assert any(line.startswith("run ") for line in lines)
    assert lines[-1].endswith("failed: nothing neither")
    assert done.returncode != 0


def test_nightly_says_when_all_is_well() -> None:
    done = made_nightly("help")
    assert (done.stdout.splitlines()[-1].endswith("all is well"), done.returncode) == (True, 0)


def bootstrap(python: Path, target: str = "production") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["scripts/bootstrap", target],
        cwd=ROOT,
        env=os.environ | {"PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=False,
    )


def fake_python(folder: Path, script: str) -> Path:
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return python


def test_an_old_python_is_one_sentence(tmp_path: Path) -> None:
    old = fake_python(tmp_path, '[ "$1" = -V ] && echo Python 3.9.2 && exit; exit 1')
    done = bootstrap(old)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "Python 3.9.2" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_python_is_one_sentence(tmp_path: Path) -> None:
    done = bootstrap(tmp_path / "nothing")
    assert done.returncode == 1
    assert "not there" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_python_without_venv_is_one_sentence(tmp_path: Path) -> None:
    bare = fake_python(tmp_path, 'case "$2" in *ensurepip*) exit 1 ;; esac')
    done = bootstrap(bare)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.conforms("A27", "S4")
def test_no_module_of_the_product_takes_chance_from_elsewhere_than_the_system() -> None:
    """`secrets` is the system's generator; `random` can be guessed, and no id is a secret."""
    modules = [
        path
        for app in ("audit", "config", "core", "mail", "sessions_app", "users")
        for path in (ROOT / app).rglob("*.py")
    ]
    assert len(modules) > 100
    guessable = re.compile(
        r"^\s*(import random|from random import (?!SystemRandom$))", re.MULTILINE
    )
    found = {path.relative_to(ROOT) for path in modules if guessable.search(path.read_text())}
    # Made-up lives are to be the same each time; their salts are not among what is drawn so.
    assert {path for path in found if path.parts[:2] != ("config", "demo")} == set()
