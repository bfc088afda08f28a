"""`core.settings` and `config.env`: what is read from the environment, and what is refused."""

import os
import stat
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from threading import Barrier, Thread
from unittest.mock import patch

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from core.keys import KeyRing
from core.quotas import read_quotas
from core.settings import VARIABLES, Environment, Settings, get_settings

Environ = Callable[..., Settings]

SECRET = "s" * 32
MINIMAL = {"ENVIRONMENT": "testing", "SECRET_KEY": SECRET, "DATABASE_URL": "sqlite://:memory:"}
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": SECRET,
    "DATABASE_URL": "postgres://dashtam:password@db/dashtam",
    "REDIS_URL": "redis://cache/0",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "ALLOWED_HOSTS": "accounts.example.com",
    "PUBLIC_URL": "https://accounts.example.com",
}


def refusal(environ: Environ, **variables: str) -> str:
    with pytest.raises(ImproperlyConfigured) as refused:
        environ(**variables)
    return str(refused.value)


def test_settings_from_env(environ: Environ):
    """Unit test for configuration loading."""
    with patch.dict(
        os.environ,
        {
            "ENVIRONMENT": "testing",
            "DATABASE_URL": "postgresql://test",
            "SECRET_KEY": SECRET,
        },
        clear=True,
    ):
        get_settings.cache_clear()
        settings = get_settings()
        assert settings.environment == Environment.TESTING
        assert settings.database_url == "postgresql://test"


class TestReading:
    """Uses `environ`: settings read from exactly the given variables."""

    def test_settings_are_read_once(self, environ: Environ):
        first = environ(**MINIMAL)
        assert get_settings() is first

    def test_settings_are_read_again_after_the_cache_is_cleared(self, environ: Environ):
        environ(**MINIMAL)
        os.environ["LOG_LEVEL"] = "ERROR"
        get_settings.cache_clear()
        assert get_settings().log_level == "ERROR"

    def test_what_is_not_said_has_the_documented_default(self, environ: Environ):
        settings = environ(**MINIMAL)
        assert settings == Settings(
            environment=Environment.TESTING,
            secret_key=SECRET,
            database_url="sqlite://:memory:",
            token_keys=settings.token_keys,
            audit_keys=settings.audit_keys,
            audit_folder="var/audit",
            audit_unknown_days=30,
            audit_ip_days=90,
            audit_anchors=(),
            audit_anchor_every=60,
            database_owner_url=None,
            guard_key=settings.guard_key,
            redis_url=None,
            email_url="consolemail://",
            default_from_email="Dashtam <dashtam@localhost>",
            allowed_hosts=("localhost", "127.0.0.1", "[::1]"),
            public_url="http://127.0.0.1:8000",
            password_min_length=12,
            argon2_memory_kib=19456,
            argon2_time_cost=2,
            argon2_parallelism=1,
            argon2_concurrency=4,
            registration_reveals_taken=False,
            trusted_proxies=(),
            cors_origins=(),
            rate_limits={},
            log_level="INFO",
            log_json=False,
            db_echo=False,
        )

    @pytest.mark.parametrize(
        ("variable", "text", "value"),
        [
            ("REDIS_URL", "redis://cache/1", "redis://cache/1"),
            ("EMAIL_URL", "memorymail://", "memorymail://"),
            ("DEFAULT_FROM_EMAIL", "Ada <ada@example.com>", "Ada <ada@example.com>"),
            ("ALLOWED_HOSTS", "one.example, two.example,", ("one.example", "two.example")),
            ("PUBLIC_URL", "https://example.com/", "https://example.com"),
            ("PASSWORD_MIN_LENGTH", "15", 15),
            ("GEOIP_DATABASE", "/srv/city.mmdb", "/srv/city.mmdb"),
            ("TEMPLATES_FOLDER", "/srv/templates", "/srv/templates"),
            ("BREACHED_PASSWORDS_URL", "file:///srv/pwned/", "file:///srv/pwned/"),
            ("PASSWORD_MIN_LENGTH", "8", 8),
            ("ARGON2_MEMORY_KIB", "8", 8),
            ("ARGON2_TIME_COST", "1", 1),
            ("ARGON2_PARALLELISM", "2", 2),
            ("ARGON2_CONCURRENCY", "9", 9),
            ("REGISTRATION_REVEALS_TAKEN", "true", True),
            ("LOG_LEVEL", " debug ", "DEBUG"),
            ("LOG_JSON", "Yes", True),
            ("DB_ECHO", "on", True),
            ("SECRET_KEY", "$" + SECRET, "$" + SECRET),
            ("AUDIT_FOLDER", "/srv/audit", "/srv/audit"),
            ("AUDIT_UNKNOWN_DAYS", "7", 7),
            ("AUDIT_IP_DAYS", "14", 14),
            ("AUDIT_ANCHORS", "file:/srv/anchor, stdout", ("file:/srv/anchor", "stdout")),
            ("AUDIT_ANCHOR_EVERY", "5", 5),
            (
                "TRUSTED_PROXIES",
                "10.0.0.0/8, 2001:db8::7",
                (ip_network("10.0.0.0/8"), ip_network("2001:db8::7")),
            ),
            ("CORS_ORIGINS", "https://a.example:8443", ("https://a.example:8443",)),
            ("RATE_LIMITS", "api=5/second", {"api": read_quotas("5/second")}),
        ],
    )
    def test_a_variable_becomes_the_field_of_its_name(
        self, environ: Environ, variable: str, text: str, value: object
    ):
        settings = environ(**MINIMAL | {variable: text})
        assert getattr(settings, variable.lower()) == value

    @pytest.mark.parametrize("text", ["true", "Yes", " on ", "1"])
    def test_a_yes_is_true(self, environ: Environ, text: str):
        assert environ(**MINIMAL, LOG_JSON=text).log_json is True

    @pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
    def test_every_level_of_logging_is_known(self, environ: Environ, level: str):
        assert environ(**MINIMAL, LOG_LEVEL=level.lower()).log_level == level

    @pytest.mark.parametrize("text", ["false", "No", "off", "0"])
    def test_a_no_is_false(self, environ: Environ, text: str):
        assert environ(**PRODUCTION, LOG_JSON=text).log_json is False

    @pytest.mark.parametrize(
        "variable",
        ["REDIS_URL", "LOG_LEVEL", "TOKEN_KEYS", "DB_ECHO", "AUDIT_KEYS", "DATABASE_OWNER_URL"],
    )
    def test_an_empty_variable_is_not_set(self, environ: Environ, variable: str):
        assert environ(**MINIMAL | {variable: ""}) == environ(**MINIMAL)

    @pytest.mark.parametrize(
        ("variables", "is_json"), [(MINIMAL, False), (PRODUCTION, True)], ids=["testing", "prod"]
    )
    def test_logs_are_json_in_production_unless_said_otherwise(
        self, environ: Environ, variables: dict[str, str], is_json: bool
    ):
        assert environ(**variables).log_json is is_json

    @pytest.mark.parametrize("environment", list(Environment))
    def test_each_environment_is_known_by_its_name(
        self, environ: Environ, environment: Environment
    ):
        settings = environ(**PRODUCTION | {"ENVIRONMENT": environment.value})
        assert settings.environment is environment

    @pytest.mark.parametrize("unsaid", [{}, {"ENVIRONMENT": ""}], ids=["absent", "empty"])
    def test_the_environment_is_production_unless_said_otherwise(
        self, environ: Environ, unsaid: dict[str, str]
    ):
        named = {name: text for name, text in PRODUCTION.items() if name != "ENVIRONMENT"}
        assert environ(**named | unsaid).environment is Environment.PRODUCTION

    @pytest.mark.parametrize(
        "variable",
        [
            "SECRET_KEY",
            "DATABASE_URL",
            "DATABASE_OWNER_URL",
            "REDIS_URL",
            "EMAIL_URL",
            "TOKEN_KEYS",
            "AUDIT_KEYS",
            "METRICS_TOKEN",
        ],
    )
    def test_no_secret_stands_in_the_representation(self, environ: Environ, variable: str):
        password = "hunter2" * 5
        texts = {
            "SECRET_KEY": password,
            "DATABASE_URL": f"postgres://dashtam:{password}@db/dashtam",
            "DATABASE_OWNER_URL": f"postgres://owner:{password}@db",
            "REDIS_URL": f"redis://:{password}@cache/0",
            "EMAIL_URL": f"smtp://user:{password}@mail",
            "TOKEN_KEYS": f"1:{password}",
            "AUDIT_KEYS": f"1:{password}",
            "METRICS_TOKEN": password,
        }
        assert "hunter2" not in repr(environ(**MINIMAL | {variable: texts[variable]}))


@pytest.mark.parametrize("variable", ["TOKEN_KEYS", "AUDIT_KEYS"])
class TestKeyRings:
    """Uses `environ`."""

    def test_the_first_key_is_for_what_is_new_and_all_verify(self, environ: Environ, variable: str):
        keys = ring(environ, variable, f" new:{'n' * 32} , old:{'o' * 40}")
        assert keys == KeyRing("new", {"new": b"n" * 32, "old": b"o" * 40})

    def test_a_secret_may_contain_a_colon(self, environ: Environ, variable: str):
        assert ring(environ, variable, f"1:{':' * 32}").keys == {"1": b":" * 32}

    def test_without_them_they_come_from_the_secret_key(self, environ: Environ, variable: str):
        first, again = ring(environ, variable), ring(environ, variable)
        other = ring(environ, variable, SECRET_KEY="t" * 32)
        assert (first == again, first == other) == (True, False)

    def test_the_derived_key_is_not_the_secret_key(self, environ: Environ, variable: str):
        derived = {
            # HMAC-SHA-256 of "dashtam.tokens.v1": to change it would end every session there is.
            "TOKEN_KEYS": "7dc2a46cd5c34efec1ee5169a388ea0bd7b51a62833a66aea1883b8eaa76003a",
            # Of "dashtam.audit.v1": to change it would lock away all that is personal on the trail.
            "AUDIT_KEYS": "be0435179c0d40f7fb04717ba54b93f4e359850e32b414cfdc3f01e83436f81d",
        }
        assert ring(environ, variable) == KeyRing("0", {"0": bytes.fromhex(derived[variable])})

    @pytest.mark.parametrize(
        "text",
        [
            ",",
            f"{'k' * 32}",
            f"1:{'k' * 31}",
            f"1:{'k' * 32},2:short",
            f":{'k' * 32}",
            f"{'i' * 17}:{'k' * 32}",
            f"1:{'k' * 32},1:{'l' * 32}",
        ],
        ids=["none", "no id", "short", "second short", "empty id", "long id", "the same id twice"],
    )
    def test_a_key_ring_that_would_not_hold_is_refused(
        self, environ: Environ, text: str, variable: str
    ):
        refused = refusal(environ, **MINIMAL | {variable: text})
        assert f"{variable} cannot be read" in refused

    def test_an_id_may_be_as_long_as_its_column(self, environ: Environ, variable: str):
        assert ring(environ, variable, f"{'i' * 16}:{'k' * 32}").current == "i" * 16


def ring(environ: Environ, variable: str, text: str = "", **more: str) -> KeyRing:
    found = getattr(environ(**MINIMAL | {variable: text} | more), variable.lower())
    assert isinstance(found, KeyRing)
    return found


class TestRefusal:
    """Uses `environ`."""

    @pytest.mark.parametrize("variable", ["SECRET_KEY", "DATABASE_URL"])
    @pytest.mark.parametrize("environment", ["development", "testing", "ci", "production"])
    def test_what_every_environment_needs_is_named(
        self, environ: Environ, environment: str, variable: str
    ):
        text = refusal(environ, **PRODUCTION | {"ENVIRONMENT": environment, variable: ""})
        assert f"{variable} is not set" in text

    def test_every_missing_variable_is_named_in_one_message(self, environ: Environ):
        first, *others = refusal(environ).splitlines()
        names = {line.split()[1] for line in others}
        assert (first, names) == (
            "Dashtam is not configured:",
            PRODUCTION.keys() - {"ENVIRONMENT"},
        )

    def test_missing_and_unsafe_variables_are_named_together(self, environ: Environ):
        text = refusal(environ, ENVIRONMENT="production", SECRET_KEY="short", LOG_LEVEL="LOUD")
        named = ("SECRET_KEY is shorter", "REDIS_URL is not set", "LOG_LEVEL cannot be read")
        assert [part for part in named if part not in text] == []

    @pytest.mark.parametrize(
        ("variable", "text", "complaint"),
        [
            ("SECRET_KEY", "s" * 31, "SECRET_KEY is shorter than 32 characters"),
            ("DATABASE_URL", "sqlite:///var/db", "DATABASE_URL is not PostgreSQL"),
            ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS contains '*'"),
            ("ALLOWED_HOSTS", "example.com,*", "ALLOWED_HOSTS contains '*'"),
            ("PUBLIC_URL", "http://example.com", "PUBLIC_URL is not https://"),
            ("TRUSTED_PROXIES", "10.0.0.0/8,::/0", "TRUSTED_PROXIES trusts everybody"),
        ],
    )
    def test_what_is_unsafe_in_production_is_refused(
        self, environ: Environ, variable: str, text: str, complaint: str
    ):
        assert complaint in refusal(environ, **PRODUCTION | {variable: text})

    @pytest.mark.parametrize(
        ("variable", "text"),
        [
            ("SECRET_KEY", "short"),
            ("ALLOWED_HOSTS", "*"),
            ("PUBLIC_URL", "http://127.0.0.1:8000"),
        ],
    )
    def test_what_is_unsafe_in_production_is_fine_elsewhere(
        self, environ: Environ, variable: str, text: str
    ):
        settings = environ(**MINIMAL | {variable: text})
        assert settings.environment is Environment.TESTING

    def test_both_schemes_of_postgresql_are_taken_in_production(self, environ: Environ):
        url = "postgresql://dashtam:password@db/dashtam"
        assert environ(**PRODUCTION | {"DATABASE_URL": url}).database_url == url

    @pytest.mark.parametrize(
        ("variable", "text"),
        [
            ("PASSWORD_MIN_LENGTH", "twelve"),
            ("BREACHED_PASSWORDS_URL", "ftp://example.org/"),
            ("PASSWORD_MIN_LENGTH", "7"),
            ("ARGON2_MEMORY_KIB", "-1"),
            ("ARGON2_TIME_COST", "0"),
            ("ARGON2_PARALLELISM", "1.5"),
            ("ARGON2_CONCURRENCY", "0"),
            ("AUDIT_UNKNOWN_DAYS", "0"),
            ("AUDIT_UNKNOWN_DAYS", "-1"),
            ("AUDIT_IP_DAYS", "a month"),
            ("AUDIT_ANCHORS", "stdout,mail"),
            ("AUDIT_ANCHORS", "file:relative"),
            ("AUDIT_ANCHOR_EVERY", "0"),
            ("REGISTRATION_REVEALS_TAKEN", "flase"),
            ("TRUSTED_PROXIES", "proxy.example.com"),
            ("TRUSTED_PROXIES", "10.0.0.1/8"),
            ("CORS_ORIGINS", "*"),
            ("CORS_ORIGINS", "https://*.example.com"),
            ("CORS_ORIGINS", "https://example.com/"),
            ("CORS_ORIGINS", "example.com"),
            ("CORS_ORIGINS", "null"),
            ("RATE_LIMITS", "sign_in=often"),
            ("RATE_LIMITS", "no_such_policy=1/minute"),
            ("METRICS_TOKEN", "m" * 31),
            ("METRICS_TOKEN", "m" * 32 + " m"),
            ("METRICS_TOKEN", "m" * 32 + "é"),
            ("LOG_JSON", "maybe"),
            ("LOG_LEVEL", "LOUD"),
        ],
    )
    def test_what_cannot_be_read_is_named(self, environ: Environ, variable: str, text: str):
        expected = f"  - {variable} cannot be read: see .env.example for its form."
        assert expected in refusal(environ, **MINIMAL | {variable: text}).splitlines()

    def test_an_unknown_environment_is_held_to_the_rules_of_production(self, environ: Environ):
        text = refusal(environ, **MINIMAL | {"ENVIRONMENT": "prod"})
        named = (
            "  - ENVIRONMENT is not one of: development, testing, ci, production.\n",
            "  - REDIS_URL is not set: ",
        )
        assert [part for part in named if part not in text] == []

    @pytest.mark.parametrize(
        "variable",
        [
            "SECRET_KEY",
            "TOKEN_KEYS",
            "AUDIT_KEYS",
            "DATABASE_URL",
            "DATABASE_OWNER_URL",
            "METRICS_TOKEN",
        ],
    )
    def test_the_message_does_not_quote_a_secret(self, environ: Environ, variable: str):
        assert "hunter2" not in refusal(environ, **PRODUCTION | {variable: "hunter2"})

    def test_a_refusal_is_not_remembered(self, environ: Environ):
        refusal(environ)
        assert environ(**MINIMAL).environment is Environment.TESTING


class TestEnvironmentOfASettingsModule:
    """Uses `environ` to put the variables back, and `tmp_path`."""

    def test_a_default_gives_way_to_what_the_process_was_given(self, environ: Environ):
        environ(**MINIMAL)
        env.default(SECRET_KEY="default", LOG_LEVEL="DEBUG")
        assert (os.environ["SECRET_KEY"], os.environ["LOG_LEVEL"]) == (SECRET, "DEBUG")

    def test_only_forgets_every_variable_that_it_does_not_name(self, environ: Environ):
        environ(**MINIMAL)
        os.environ.update(dict.fromkeys(VARIABLES, "from the shell"))
        env.only(SECRET_KEY="mine")
        assert {name: os.environ[name] for name in VARIABLES if name in os.environ} == {
            "SECRET_KEY": "mine"
        }

    def test_the_dotenv_file_gives_way_to_what_the_process_was_given(
        self, environ: Environ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        environ(**MINIMAL)
        (tmp_path / ".env").write_text("SECRET_KEY=from-file\nLOG_LEVEL=DEBUG\n")
        monkeypatch.setattr(env, "ROOT", tmp_path)
        env.read_dotenv()
        assert (os.environ["SECRET_KEY"], os.environ["LOG_LEVEL"]) == (SECRET, "DEBUG")

    def test_a_dotenv_file_is_not_needed(
        self, environ: Environ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        environ(**MINIMAL)
        monkeypatch.setattr(env, "ROOT", tmp_path)
        env.read_dotenv()
        assert os.environ["SECRET_KEY"] == SECRET


class TestEmbeddedSecret:
    """Uses `tmp_path`."""

    def test_it_is_made_at_the_first_start_and_then_kept(self, tmp_path: Path):
        path = env.private_folder(tmp_path / "var") / "secret-key"
        first = env.embedded_secret(path)
        assert (env.embedded_secret(path), path.read_text()) == (first, first)

    def test_two_installations_have_two_secrets(self, tmp_path: Path):
        assert env.embedded_secret(tmp_path / "one") != env.embedded_secret(tmp_path / "two")

    def test_it_is_long_enough_for_production(self, tmp_path: Path):
        assert len(env.embedded_secret(tmp_path / "secret-key")) == 64

    def test_nobody_else_can_read_it(self, tmp_path: Path):
        path = tmp_path / "secret-key"
        env.embedded_secret(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_start_that_was_cut_short_leaves_no_empty_secret(self, tmp_path: Path):
        path = tmp_path / "secret-key"
        path.touch(mode=0o600)
        assert len(env.embedded_secret(path)) == 64

    def test_starts_at_the_same_time_come_to_the_same_secret(self, tmp_path: Path):
        path, together = tmp_path / "secret-key", Barrier(8, timeout=5)
        found: set[str] = set()

        def start() -> None:
            together.wait()
            found.add(env.embedded_secret(path))

        threads = [Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {path.read_text()}


class TestAddresses:
    """Uses `environ`."""

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("DATABASE_URL", "nonsense"),
            ("DATABASE_URL", "mysql://a:b@c/d"),
            ("DATABASE_OWNER_URL", "nonsense"),
            ("DATABASE_OWNER_URL", "sqlite:///var/db"),
            ("REDIS_URL", "nonsense"),
            ("REDIS_URL", "http://127.0.0.1:6379"),
            ("EMAIL_URL", "nonsense"),
            ("EMAIL_URL", "imap://host"),
            ("PUBLIC_URL", "accounts.example.com"),
            ("PUBLIC_URL", "ftp://accounts.example.com"),
        ],
    )
    def test_one_of_another_kind_is_refused_by_the_name_of_its_variable(
        self, environ: Callable[..., Settings], variable: str, value: str
    ):
        with pytest.raises(ImproperlyConfigured, match=f"{variable} cannot be read"):
            environ(**MINIMAL | {variable: value})

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("DATABASE_URL", "postgresql://a:b@c/d"),
            ("REDIS_URL", "rediss://host:6379/0"),
            ("REDIS_URL", "unix:///run/valkey.sock"),
            ("EMAIL_URL", "smtp+tls://a:b@c:587"),
            ("EMAIL_URL", "filemail:///folder"),
        ],
    )
    def test_one_of_its_kind_is_taken_as_it_stands(
        self, environ: Callable[..., Settings], variable: str, value: str
    ):
        settings = environ(**MINIMAL | {variable: value})
        assert getattr(settings, variable.lower()) == value

    def test_the_owner_may_reach_the_database_another_way(self, environ: Callable[..., Settings]):
        """Past a pool, for example."""
        owner = "postgres://owner:secret@direct:5433/dashtam"
        settings = environ(**PRODUCTION, DATABASE_OWNER_URL=owner)
        assert settings.database_owner_url == owner

    @pytest.mark.parametrize(
        "variables",
        [
            PRODUCTION | {"DATABASE_OWNER_URL": "postgres://owner:hunter2@db/other"},
            MINIMAL | {"DATABASE_OWNER_URL": "postgres://owner:hunter2@db/dashtam"},
        ],
        ids=["of another name", "beside SQLite"],
    )
    def test_an_owner_of_another_database_is_refused(
        self, environ: Callable[..., Settings], variables: dict[str, str]
    ):
        refused = refusal(environ, **variables)
        assert "DATABASE_OWNER_URL names another database than DATABASE_URL" in refused
        assert "hunter2" not in refused

    def test_the_guards_key_is_not_the_key_of_the_tokens(self, environ: Callable[..., Settings]):
        settings = environ(**MINIMAL)
        assert settings.guard_key not in settings.token_keys.keys.values()
        assert settings.guard_key not in settings.audit_keys.keys.values()

    def test_the_guards_key_outlives_a_rotation(self, environ: Callable[..., Settings]):
        before = environ(**MINIMAL).guard_key
        after = environ(**MINIMAL, TOKEN_KEYS=f"2:{'x' * 32}").guard_key
        assert after == before
