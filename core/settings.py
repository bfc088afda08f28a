"""What can be configured, read once from the environment; `config/*.py` is built from it."""

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_network
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from core.forwarding import Networks
from core.keys import KeyRing
from core.quotas import Quotas, read_overrides

SHORTEST_SECRET = 32
SHORTEST_MINIMUM = 8
_TOKENS = b"dashtam.tokens.v1"
_AUDIT = b"dashtam.audit.v1"


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
    audit_keys: KeyRing = field(repr=False)
    """Authenticate what is recorded and wrap the keys of what is personal there."""
    audit_folder: str = "var/audit"
    """Outside the database: the signing key, the public keys, the last checkpoint."""
    audit_unknown_days: int = 30
    """After which nobody can read any more who somebody was who is not known."""
    audit_ip_days: int = 90
    """After which nobody can search for an address any more."""
    audit_anchors: tuple[str, ...] = ()
    """`file:/path` or `stdout`: where checkpoints are published."""
    audit_anchor_every: int = 60
    """Checkpoints, from one that is published to the next."""
    audit_legal_hold: bool = False
    """Nothing is pruned from the trail."""
    database_owner_url: str | None = field(default=None, repr=False)
    """Who owns the tables, where that is not whom the application is to the database."""
    guard_key: bytes = field(repr=False)
    """Hides the addresses of `SignInGuard`; derived from `secret_key`."""
    password_min_length: int = 12
    breached_passwords_url: str | None = field(default=None, repr=False)
    """Where the range search for breached passwords is; see `users.breaches`."""
    argon2_memory_kib: int = 19456
    argon2_time_cost: int = 2
    argon2_parallelism: int = 1
    argon2_concurrency: int = 4
    registration_open: bool = True
    """Else accounts are made by invitation alone."""
    registration_reveals_taken: bool = False
    trusted_proxies: Networks = ()
    cors_origins: tuple[str, ...] = ()
    """Whose scripts may read what the API answers in a browser."""
    rate_limits: Mapping[str, Quotas] = field(default_factory=dict)
    """Where they are not those of `core.quotas`."""
    templates_folder: str | None = None
    """Mails and pages of an installation's own, by the names that ours have."""
    geoip_database: str | None = None
    """A file: where sign-ins came from is shown by city."""
    metrics_token: str | None = field(default=None, repr=False)
    """Whoever sends it as a bearer token reads `/metrics`; without it nobody does."""
    log_level: str = "INFO"
    log_json: bool = False
    db_echo: bool = False

    @property
    def derives_token_keys(self) -> bool:
        return self.token_keys == _derived_ring(self.secret_key, _TOKENS)

    @property
    def derives_audit_keys(self) -> bool:
        """A new `secret_key` would then lose what is personal on the trail."""
        return self.audit_keys == _derived_ring(self.secret_key, _AUDIT)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Raises `ImproperlyConfigured` once, naming every variable that is missing or unsafe."""
    environment, problems = _environment()
    problems += [f"{name} is not set: {fix}" for name, fix in _missing(environment).items()]
    values: dict[str, object] = {}
    for name, read in _READERS.items():
        if text := os.environ.get(name.upper()):
            try:
                values[name] = read(text)
            except (ValueError, KeyError):
                problems.append(f"{name.upper()} cannot be read: see .env.example for its form.")
    if environment is Environment.PRODUCTION:
        problems += _unsafe()
    problems += _astray()
    if problems:
        raise ImproperlyConfigured(
            "Dashtam is not configured:\n" + "\n".join(f"  - {line}" for line in problems)
        )
    secret = os.environ["SECRET_KEY"]
    values.setdefault("token_keys", _derived_ring(secret, _TOKENS))
    values.setdefault("audit_keys", _derived_ring(secret, _AUDIT))
    values["guard_key"] = _derived(secret, b"dashtam.sign-in-guard.v1")
    values.setdefault("log_json", environment is Environment.PRODUCTION)
    return Settings(environment=environment, **values)  # type: ignore[arg-type]


def _environment() -> tuple[Environment, list[str]]:
    name = os.environ.get("ENVIRONMENT") or Environment.PRODUCTION
    try:
        return Environment(name), []
    except ValueError:
        return Environment.PRODUCTION, [f"ENVIRONMENT is not one of: {', '.join(Environment)}."]


def _missing(environment: Environment) -> Mapping[str, str]:
    required = _ALWAYS
    if environment is Environment.PRODUCTION:
        required = _ALWAYS | _IN_PRODUCTION
    return {name: fix for name, fix in required.items() if not os.environ.get(name)}


def _unsafe() -> list[str]:
    """Of what is set: what is not is among the missing."""
    return [
        f"{name} {fault}"
        for name, (is_unsafe, fault) in _UNSAFE.items()
        if (value := os.environ.get(name)) and is_unsafe(value)
    ]


def _astray() -> list[str]:
    """The owner of other tables than those that the application uses."""
    urls = [os.environ.get(name) for name in ("DATABASE_URL", "DATABASE_OWNER_URL")]
    if len({urlsplit(url).path for url in urls if url}) < 2:
        return []
    return ["DATABASE_OWNER_URL names another database than DATABASE_URL."]


def _list(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _length(text: str) -> int:
    """Of the shortest password: ASVS 6.2.1 allows none below eight."""
    length = int(text)
    if length < SHORTEST_MINIMUM:
        raise ValueError(text)
    return length


def _yes_or_no(text: str) -> bool:
    return _WORDS[text.strip().lower()]


def _level(text: str) -> str:
    level = text.strip().upper()
    if level not in _LEVELS:
        raise ValueError(text)
    return level


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.partition(":")[0] not in schemes:
            raise ValueError(f"not one of {schemes}")
        return text

    return read


def _anchors(text: str) -> tuple[str, ...]:
    anchors = _list(text)
    if any(each != "stdout" and not each.startswith("file:/") for each in anchors):
        raise ValueError(text)
    return anchors


def _networks(text: str) -> Networks:
    return tuple(map(ip_network, _list(text)))


def _origins(text: str) -> tuple[str, ...]:
    """RFC 6454 §6.2: scheme, host and port, and nothing after them."""
    origins = _list(text)
    for origin in origins:
        parts = urlsplit(_url("http", "https")(origin))
        if not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}" or "*" in origin:
            raise ValueError(origin)
    return origins


def _home(text: str) -> str:
    return _url("http", "https")(text).rstrip("/")


def _bearer(text: str) -> str:
    """RFC 6750 §2.1, and nothing that could be guessed."""
    if len(text) < SHORTEST_SECRET or not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", text):
        raise ValueError("too short, or not a bearer token")
    return text


def _key_ring(text: str) -> KeyRing:
    """`id:secret,id:secret`: the first makes new tokens, all of them verify."""
    pairs = [entry.partition(":")[::2] for entry in _list(text)]
    keys = {key_id.strip(): secret.strip().encode() for key_id, secret in pairs}
    if len(keys) < max(len(pairs), 1) or any(len(key) < SHORTEST_SECRET for key in keys.values()):
        raise ValueError("a key is missing, twice there, or too short")
    if any(not key_id or len(key_id) > 16 for key_id in keys):  # the column's width
        raise ValueError("a key's id has 1 to 16 characters")
    return KeyRing(current=next(iter(keys)), keys=keys)


def _derived_ring(secret: str, purpose: bytes) -> KeyRing:
    return KeyRing("0", {"0": _derived(secret, purpose)})


def _derived(secret: str, purpose: bytes) -> bytes:
    return hmac.digest(secret.encode(), purpose, hashlib.sha256)


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
_UNSAFE: dict[str, tuple[Callable[[str], bool], str]] = {
    "SECRET_KEY": (
        lambda value: len(value) < SHORTEST_SECRET,
        f"is shorter than {SHORTEST_SECRET} characters: {_ALWAYS['SECRET_KEY']}",
    ),
    "DATABASE_URL": (
        lambda value: not value.startswith(("postgres://", "postgresql://")),
        "is not PostgreSQL: production needs postgres://…",
    ),
    "ALLOWED_HOSTS": (
        lambda value: "*" in value,
        "contains '*': name the hosts, or anyone can forge the links in mails.",
    ),
    "PUBLIC_URL": (
        lambda value: not value.startswith("https://"),
        "is not https://: tokens would travel in clear text.",
    ),
    "TRUSTED_PROXIES": (
        lambda value: any(network.endswith("/0") for network in _list(value)),
        "trusts everybody: name your own proxies, or anyone can choose an address.",
    ),
}
_WORDS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(
    ("false", "no", "off", "0"), False
)
_LOCAL_MAIL = ("consolemail", "filemail", "memorymail")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_READERS: dict[str, Callable[[str], object]] = {
    "secret_key": str,
    "database_url": _url("postgres", "postgresql", "sqlite"),
    "redis_url": _url("redis", "rediss", "unix"),
    "email_url": _url("smtp", "smtps", "smtp+tls", "smtp+ssl", *_LOCAL_MAIL),
    "default_from_email": str,
    "allowed_hosts": _list,
    "public_url": _home,
    "token_keys": _key_ring,
    "audit_keys": _key_ring,
    "audit_folder": str,
    "audit_unknown_days": _count,
    "audit_anchors": _anchors,
    "audit_anchor_every": _count,
    "audit_ip_days": _count,
    "audit_legal_hold": _yes_or_no,
    "database_owner_url": _url("postgres", "postgresql"),
    "templates_folder": str,
    "geoip_database": str,
    "breached_passwords_url": _url("http", "https", "file"),
    "password_min_length": _length,
    "argon2_memory_kib": _count,
    "argon2_time_cost": _count,
    "argon2_parallelism": _count,
    "argon2_concurrency": _count,
    "registration_open": _yes_or_no,
    "registration_reveals_taken": _yes_or_no,
    "trusted_proxies": _networks,
    "cors_origins": _origins,
    "rate_limits": read_overrides,
    "metrics_token": _bearer,
    "log_level": _level,
    "log_json": _yes_or_no,
    "db_echo": _yes_or_no,
}
VARIABLES = ("ENVIRONMENT", *(name.upper() for name in _READERS))
