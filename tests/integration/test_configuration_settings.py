"""The settings modules in processes of their own, and the checks at start."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks

from core.settings import VARIABLES
from core.signals import trail
from sessions_app.domain.session import IDLE_LIMIT

ROOT = Path(__file__).resolve().parents[2]
# Set to nothing, so that a .env file of whoever runs the tests adds nothing.
NOTHING = dict.fromkeys(VARIABLES, "")
PRODUCTION = NOTHING | {
    "DJANGO_SETTINGS_MODULE": "config.production",
    "SECRET_KEY": "s" * 32,
    "DATABASE_URL": "postgres://dashtam:hunter2@db.example.com/dashtam",
    "REDIS_URL": "redis://:hunter2@cache.example.com/0",
    "EMAIL_URL": "smtp+tls://user:hunter2@mail.example.com:587",
    "ALLOWED_HOSTS": "accounts.example.com",
    "PUBLIC_URL": "https://accounts.example.com",
    "CORS_ORIGINS": "https://app.example.com",
}
WANTED = (
    "DEBUG",
    "DATABASES",
    "SECRET_KEY",
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_AGE",
    "CSRF_COOKIE_DOMAIN",
    "CSRF_COOKIE_HTTPONLY",
    "CSRF_COOKIE_SAMESITE",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "EMAIL_HOST",
    "EMAIL_PORT",
    "EMAIL_USE_TLS",
    "EMAIL_BACKEND",
    "CACHES",
    "SECURE_HSTS_SECONDS",
    "CORS_ALLOWED_ORIGINS",
)
TELL = f"""
import json, sys
from pathlib import Path
from config import env
env.ROOT = Path(sys.argv[1])
from django.conf import settings
print(json.dumps({{name: getattr(settings, name) for name in {WANTED}}}, default=str))
"""

Process = subprocess.CompletedProcess[str]


def start(*arguments: str, **variables: str) -> Process:
    inherited = {name: text for name, text in os.environ.items() if name.startswith("COVERAGE_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=inherited | {"PATH": os.environ["PATH"]} | variables,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def told(home: Path, **variables: str) -> dict[str, Any]:
    """The settings of a process whose installation is in `home`."""
    process = start("-c", TELL, str(home), **variables)
    assert process.returncode == 0, process.stderr
    found: dict[str, Any] = json.loads(process.stdout)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty installation, with a `.env` that knows one variable."""
    home = tmp_path_factory.mktemp("installation")
    (home / ".env").write_text("DEFAULT_FROM_EMAIL=Ada <ada@example.com>\n")
    return home


@pytest.fixture(scope="module")
def refused() -> Process:
    """A start of production with one variable unsafe, one unreadable and the others missing."""
    broken = NOTHING | {"SECRET_KEY": "hunter2", "LOG_LEVEL": "LOUD"}
    return start("manage.py", "check", **broken | {"DJANGO_SETTINGS_MODULE": "config.production"})


class TestRefusedProduction:
    """Uses `refused`."""

    def test_it_does_not_start(self, refused: Process):
        assert refused.returncode == 3

    @pytest.mark.conforms("A15", "L17")
    @pytest.mark.parametrize(
        "name", ["DATABASE_URL", "REDIS_URL", "EMAIL_URL", "ALLOWED_HOSTS", "PUBLIC_URL"]
    )
    def test_it_names_every_missing_variable(self, refused: Process, name: str):
        assert f"  - {name} is not set: " in refused.stderr

    def test_it_names_the_unsafe_variable_in_the_same_message(self, refused: Process):
        assert "  - SECRET_KEY is shorter than 32 characters: " in refused.stderr

    def test_it_names_the_unreadable_variable_in_the_same_message(self, refused: Process):
        assert "  - LOG_LEVEL cannot be read: " in refused.stderr

    def test_it_shows_no_traceback(self, refused: Process):
        assert refused.stderr.splitlines()[0] == "Dashtam is not configured:"

    def test_it_does_not_quote_a_secret(self, refused: Process):
        assert "hunter2" not in refused.stderr + refused.stdout

    @pytest.mark.slow(reason="starts a process")
    @pytest.mark.parametrize("command", ["serve", "migrate", "create_admin"])
    def test_no_command_shows_a_traceback(self, command: str):
        variables = NOTHING | {"DJANGO_SETTINGS_MODULE": "config.production"}
        process = start("manage.py", command, **variables)
        assert (process.returncode, process.stderr.splitlines()[0]) == (
            3,
            "Dashtam is not configured:",
        )

    @pytest.mark.slow(reason="starts a process")
    def test_a_command_waits_neither_for_the_api_nor_for_the_panel_to_be_loaded(self):
        tell = "import django, sys; django.setup(); print(*sys.modules)"
        process = start("-c", tell, **PRODUCTION | {"DJANGO_SETTINGS_MODULE": "config.production"})
        assert process.returncode == 0, process.stderr
        loaded = set(process.stdout.split())
        assert "sessions_app.wiring" in loaded
        api = {"rest_framework", "drf_spectacular.utils", "users.api.devices"}
        panel = {"unfold.admin", "sessions_app.door", "users.admin"}
        assert loaded.isdisjoint(api | panel)

    @pytest.mark.slow(reason="starts a process")
    @pytest.mark.parametrize("server", ["config.wsgi", "config.asgi"])
    def test_no_request_waits_for_a_page_to_be_loaded(self, server: str):
        process = start("-c", f"import {server}, sys; print(*sys.modules)", **PRODUCTION)
        assert process.returncode == 0, process.stderr
        assert {"users.api.views", "users.admin", "audit.panel"} <= set(process.stdout.split())


@pytest.fixture(scope="module")
def production(home: Path) -> dict[str, Any]:
    return told(home, **PRODUCTION)


class TestProduction:
    """Uses `production`: what a complete environment makes of the settings."""

    @pytest.mark.conforms("L18")
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DEBUG", False),
            ("SESSION_COOKIE_SECURE", True),
            ("CSRF_COOKIE_SECURE", True),
            ("SECURE_HSTS_SECONDS", 31536000),
            ("CORS_ALLOWED_ORIGINS", ["https://app.example.com"]),
            ("ALLOWED_HOSTS", ["accounts.example.com"]),
            ("CSRF_TRUSTED_ORIGINS", ["https://accounts.example.com"]),
            ("EMAIL_HOST", "mail.example.com"),
            ("EMAIL_PORT", 587),
            ("EMAIL_USE_TLS", True),
        ],
    )
    def test_it_is_what_the_environment_says(
        self, production: dict[str, Any], name: str, value: object
    ):
        assert production[name] == value

    @pytest.mark.conforms("S33")
    def test_cookies_go_to_this_host_alone_over_tls_and_to_no_script(
        self, production: dict[str, Any]
    ):
        for cookie in ("SESSION_COOKIE", "CSRF_COOKIE"):
            found = [production[f"{cookie}_{name}"] for name in ("SECURE", "HTTPONLY", "DOMAIN")]
            assert [*found, production[f"{cookie}_SAMESITE"]] == [True, True, None, "Lax"]
        assert production["SESSION_COOKIE_PATH"] == "/admin/"
        assert production["SESSION_COOKIE_AGE"] == IDLE_LIMIT.total_seconds()

    def test_the_database_is_postgresql(self, production: dict[str, Any]):
        database = production["DATABASES"]["default"]
        assert (database["ENGINE"], database["HOST"]) == (
            "django.db.backends.postgresql",
            "db.example.com",
        )

    def test_nobody_waits_for_ever_for_a_database_that_does_not_answer(
        self, production: dict[str, Any]
    ):
        assert production["DATABASES"]["default"]["OPTIONS"] == {"connect_timeout": 5}

    def test_without_an_owner_there_is_one_database(self, production: dict[str, Any]):
        assert production["DATABASES"].keys() == {"default"}

    @pytest.mark.slow(reason="starts a process")
    def test_an_owner_has_a_connection_of_its_own_to_the_same_database(self, home: Path):
        owner = "postgres://owner:hunter3@db.example.com/dashtam"
        databases = told(home, **PRODUCTION | {"DATABASE_OWNER_URL": owner})["DATABASES"]
        assert databases["default"]["USER"] == "dashtam"
        assert (databases["owner"]["USER"], databases["owner"]["NAME"]) == ("owner", "dashtam")
        assert databases["owner"]["ATOMIC_REQUESTS"] is False

    def test_no_transaction_is_wrapped_around_a_request(self, production: dict[str, Any]):
        assert production["DATABASES"]["default"]["ATOMIC_REQUESTS"] is False

    @pytest.mark.slow(reason="starts a process")
    def test_another_environment_s_name_does_not_soften_it(self, home: Path):
        process = start(
            "-c", TELL, str(home), **PRODUCTION | {"ENVIRONMENT": "testing", "SECRET_KEY": "short"}
        )
        assert "SECRET_KEY is shorter than 32 characters" in process.stderr


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A new installation and two starts of it, with nothing said."""
    home = tmp_path_factory.mktemp("embedded")
    return home, [told(home, DJANGO_SETTINGS_MODULE="config.local") for _ in range(2)]


Embedded = tuple[Path, list[dict[str, Any]]]


class TestEmbedded:
    """Uses `embedded`: two starts of an installation with nothing said."""

    def test_the_database_is_a_file_beside_the_key(self, embedded: Embedded):
        home, starts = embedded
        database = starts[0]["DATABASES"]["default"]
        assert (database["ENGINE"], database["NAME"]) == (
            "django.db.backends.sqlite3",
            str(home / "var" / "dashtam.sqlite3"),
        )

    def test_the_key_is_kept_from_start_to_start(self, embedded: Embedded):
        home, starts = embedded
        kept = (home / "var" / "secret-key").read_text()
        assert [found["SECRET_KEY"] for found in starts] == [kept, kept]

    def test_nobody_else_can_read_the_key(self, embedded: Embedded):
        path = embedded[0] / "var" / "secret-key"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_no_browser_is_told_to_insist_on_https(self, embedded: Embedded):
        assert embedded[1][0]["SECURE_HSTS_SECONDS"] == 0

    def test_no_other_origin_is_let_in(self, embedded: Embedded):
        assert embedded[1][0]["CORS_ALLOWED_ORIGINS"] == []

    def test_debug_is_off(self, embedded: Embedded):
        assert embedded[1][0]["DEBUG"] is False

    def test_mail_is_printed(self, embedded: Embedded):
        expected = "mail.console.EmailBackend"
        assert embedded[1][0]["EMAIL_BACKEND"] == expected

    @pytest.mark.slow(reason="starts a process")
    def test_a_mail_in_ones_own_words_takes_the_place_of_ours(self, tmp_path: Path):
        own = tmp_path / "users" / "mail" / "verification.txt"
        own.parent.mkdir(parents=True)
        own.write_text("Welcome\n{{ token }}")
        process = start(
            "-c",
            "import django; django.setup()\n"
            "from django.template.loader import render_to_string\n"
            "print(render_to_string('users/mail/verification.txt', {'token': 'dsh_once_x'}))",
            DJANGO_SETTINGS_MODULE="config.local",
            DATABASE_URL=f"sqlite:///{tmp_path}/dashtam.sqlite3",
            SECRET_KEY="only-for-tests-only-for-tests-only-for-tests",
            TEMPLATES_FOLDER=str(tmp_path),
        )
        assert process.stdout == "Welcome\ndsh_once_x\n", process.stderr

    def test_no_cache_server_is_needed(self, embedded: Embedded):
        backend = embedded[1][0]["CACHES"]["default"]["BACKEND"]
        assert backend == "django.core.cache.backends.locmem.LocMemCache"

    @pytest.mark.slow(reason="starts a process")
    def test_a_key_that_is_given_is_taken(self, tmp_path: Path):
        given = told(tmp_path, DJANGO_SETTINGS_MODULE="config.local", SECRET_KEY="given")
        assert (given["SECRET_KEY"], (tmp_path / "var" / "secret-key").exists()) == (
            "given",
            False,
        )


@pytest.fixture(scope="module")
def testing(home: Path) -> dict[str, Any]:
    developer = {name: f"{name} of the developer" for name in VARIABLES}
    return told(home, **developer | {"DJANGO_SETTINGS_MODULE": "config.test"})


class TestTesting:
    """Uses `testing`: a start of `config.test` in the shell of a developer."""

    def test_the_developer_s_database_is_never_used(self, testing: dict[str, Any]):
        database = testing["DATABASES"]["default"]
        assert (database["HOST"], database["PORT"]) == ("127.0.0.1", 5433)
        assert testing["DATABASES"].keys() == {"default"}

    def test_nothing_of_the_developer_s_is_used(self, testing: dict[str, Any]):
        assert "of the developer" not in json.dumps(testing)

    @pytest.mark.slow(reason="starts a process")
    def test_a_database_for_tests_can_be_named(self, home: Path):
        found = told(
            home,
            DJANGO_SETTINGS_MODULE="config.test",
            TEST_DATABASE_URL="postgres://ada@tests.example.com/own",
        )
        assert found["DATABASES"]["default"]["HOST"] == "tests.example.com"


def ids() -> list[str | None]:
    return [message.id for message in run_checks() if str(message.id).startswith("core.")]


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def change(what: str) -> None:
        if what == "atomic requests":
            monkeypatch.setitem(settings.DATABASES["default"], "ATOMIC_REQUESTS", True)
        else:
            monkeypatch.setattr(trail, "receivers", [])

    return change


class TestChecks:
    """Uses `change`."""

    def test_these_settings_pass(self):
        assert ids() == []

    @pytest.mark.parametrize(
        ("what", "expected"), [("atomic requests", ["core.E001"]), ("no receiver", ["core.E002"])]
    )
    def test_what_would_break_a_promise_is_refused_at_start(
        self, change: Callable[[str], None], what: str, expected: list[str]
    ):
        change(what)
        assert ids() == expected
