"""What can be configured, read once from the environment; `config/*.py` is built from it."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from core.keys import KeyRing

SHORTEST_SECRET = 32


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TESTING = "testing"
    CI = "ci"
    PRODUCTION = "production"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Field `database_url` is read from `DATABASE_URL`, and so on. `docs/reference/settings.md`."""

    environment: Environment = Environment.PRODUCTION
    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str | None = field(default=None, repr=False)
    email_url: str = field(default="consolemail://", repr=False)
    default_from_email: str = "Dashtam <dashtam@localhost>"
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    public_url: str = "http://127.0.0.1:8000"
    token_keys: KeyRing = field(repr=False)
    password_min_length: int = 12
    argon2_memory_kib: int = 19456
    argon2_time_cost: int = 2
    argon2_parallelism: int = 1
    argon2_concurrency: int = 4
    registration_reveals_taken: bool = False
    log_level: str = "INFO"
    log_json: bool = False
    db_echo: bool = False


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Raises `ImproperlyConfigured` once, naming every variable that is missing or unsafe."""
    env = Env()
    environment, problems = _environment(env)
    problems += [f"{name} is not set: {fix}" for name, fix in _missing(env, environment).items()]
    values: dict[str, object] = {}
    for name, read in _READERS.items():
        if name.upper() in env.ENVIRON:
            try:
                values[name] = read(env, name.upper())
            except (ValueError, ImproperlyConfigured):
                problems.append(f"{name.upper()} cannot be read: see .env.example for its form.")
    if not problems and environment is Environment.PRODUCTION:
        problems = _unsafe(env)
    if problems:
        raise ImproperlyConfigured(
            "Dashtam is not configured:\n" + "\n".join(f"  - {line}" for line in problems)
        )
    values.setdefault("token_keys", _derived_keys(env.str("SECRET_KEY")))
    values.setdefault("log_json", environment is Environment.PRODUCTION)
    return Settings(environment=environment, **values)  # type: ignore[arg-type]


def _environment(env: Env) -> tuple[Environment, list[str]]:
    name = env.str("ENVIRONMENT", default=Environment.PRODUCTION.value)
    try:
        return Environment(name), []
    except ValueError:
        return Environment.PRODUCTION, [f"ENVIRONMENT is not one of: {', '.join(Environment)}."]


def _missing(env: Env, environment: Environment) -> Mapping[str, str]:
    required = _ALWAYS
    if environment is Environment.PRODUCTION:
        required = _ALWAYS | _IN_PRODUCTION
    return {name: fix for name, fix in required.items() if not env.str(name, default="")}


def _unsafe(env: Env) -> list[str]:
    checks = {
        f"SECRET_KEY is shorter than {SHORTEST_SECRET} characters: {_ALWAYS['SECRET_KEY']}": len(
            env.str("SECRET_KEY")
        )
        < SHORTEST_SECRET,
        "DATABASE_URL is not PostgreSQL: production needs postgres://…": not env.str(
            "DATABASE_URL"
        ).startswith(("postgres://", "postgresql://")),
        "ALLOWED_HOSTS contains '*': name the hosts, or anyone can forge the links in mails.": "*"
        in env.list("ALLOWED_HOSTS"),
        "PUBLIC_URL is not https://: tokens would travel in clear text.": not env.str(
            "PUBLIC_URL"
        ).startswith("https://"),
    }
    return [problem for problem, found in checks.items() if found]


def _key_ring(env: Env, name: str) -> KeyRing:
    """`id:secret,id:secret`: the first makes new tokens, all of them verify."""
    pairs = [entry.partition(":")[::2] for entry in env.list(name)]
    keys = {key_id.strip(): secret.strip().encode() for key_id, secret in pairs}
    if not keys or any(len(key) < SHORTEST_SECRET for key in keys.values()):
        raise ValueError(name)
    if any(not key_id or len(key_id) > 16 for key_id in keys):  # the column's width
        raise ValueError(name)
    return KeyRing(current=next(iter(keys)), keys=keys)


def _derived_keys(secret_key: str) -> KeyRing:
    key = hmac.digest(secret_key.encode(), b"dashtam.tokens.v1", hashlib.sha256)
    return KeyRing(current="0", keys={"0": key})


_ALWAYS = {
    "SECRET_KEY": "make one with `openssl rand -base64 48`.",
    "DATABASE_URL": "e.g. postgres://user:password@host:5432/dashtam.",
}
_IN_PRODUCTION = {
    "REDIS_URL": "e.g. redis://host:6379/0 (Redis or Valkey).",
    "EMAIL_URL": "e.g. smtp+tls://user:password@host:587.",
    "ALLOWED_HOSTS": "the host names people type, separated by commas.",
    "PUBLIC_URL": "where people reach this server, e.g. https://accounts.example.com.",
}
_READERS = {
    "secret_key": Env.str,
    "database_url": Env.str,
    "redis_url": Env.str,
    "email_url": Env.str,
    "default_from_email": Env.str,
    "allowed_hosts": lambda env, name: tuple(env.list(name)),
    "public_url": lambda env, name: env.str(name).rstrip("/"),
    "token_keys": _key_ring,
    "password_min_length": Env.int,
    "argon2_memory_kib": Env.int,
    "argon2_time_cost": Env.int,
    "argon2_parallelism": Env.int,
    "argon2_concurrency": Env.int,
    "registration_reveals_taken": Env.bool,
    "log_level": lambda env, name: env.str(name).upper(),
    "log_json": Env.bool,
    "db_echo": Env.bool,
}
VARIABLES = ("ENVIRONMENT", *(name.upper() for name in _READERS))
