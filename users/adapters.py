"""Password hashing, the cool-down and mail."""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    check_password,
    get_hasher,
    identify_hasher,
    make_password,
)
from django.contrib.auth.password_validation import CommonPasswordValidator

from core import container
from core.clock import SystemClock
from core.errors import CacheError
from core.keys import KeyRing
from core.ports import CacheProtocol, Clock
from core.result import Failure, Result, Success
from mail.letters import Order
from mail.outbox import Outbox
from users.breaches import BreachRanges
from users.domain.notices import Notice
from users.domain.password import PasswordPolicy
from users.domain.tokens import Purpose
from users.ports import OneUseTokenRepository

COOLDOWN_SECONDS: Final = 60
VERIFICATION: Final = "users.verification"
ALREADY_REGISTERED: Final = "users.already_registered"
LINKS: Final = {
    Purpose.EMAIL_VERIFICATION: VERIFICATION,
    Purpose.PASSWORD_RESET: "users.password_reset",
    Purpose.EMAIL_CHANGE: "users.email_change",
    Purpose.INVITATION: "users.invitation",
    Purpose.UNLOCK: "users.unlock",
}


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id at the OWASP minimum or above (Password Storage Cheat Sheet), from settings."""

    @property
    def time_cost(self) -> int:  # type: ignore[override]
        return container.get_settings().argon2_time_cost

    @property
    def memory_cost(self) -> int:  # type: ignore[override]
        """KiB"""
        return container.get_settings().argon2_memory_kib

    @property
    def parallelism(self) -> int:  # type: ignore[override]
        return container.get_settings().argon2_parallelism


@lru_cache(maxsize=1)
def _hashing_slots() -> BoundedSemaphore:
    return BoundedSemaphore(container.get_settings().argon2_concurrency)


@lru_cache(maxsize=1)
def _decoy() -> str:
    return make_password("nobody has this password")


class DjangoPasswordService:
    """Hashes take memory by design: only so many are made at once, the others wait."""

    def hash_password(self, plaintext: str) -> str:
        with _hashing_slots():
            return make_password(plaintext)

    def unusable_hash(self) -> str:
        return make_password(None)

    def needs_upgrade(self, password_hash: str) -> bool:
        preferred, used = get_hasher(), identify_hasher(password_hash)
        return used.algorithm != preferred.algorithm or preferred.must_update(password_hash)

    def verify_password(self, plaintext: str, password_hash: str | None) -> bool:
        """A hash that was made otherwise takes its own time *and* that of the decoy, whatever the
        answer: a cheap one never answers sooner than an unknown account, nor a right password
        sooner than a wrong one."""
        decoy = _decoy()
        with _hashing_slots():
            matches = check_password(plaintext, password_hash or decoy) and bool(password_hash)
            if password_hash and self._was_made_otherwise(password_hash):
                check_password(plaintext, decoy)
        return matches

    def _was_made_otherwise(self, password_hash: str) -> bool:
        try:
            return self.needs_upgrade(password_hash)
        except ValueError:  # no hash, for which Django has made one
            return False


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """The 20,000 that come with Django, in lower case."""
    return frozenset(CommonPasswordValidator().passwords)


def password_policy() -> PasswordPolicy:
    settings = container.get_settings()
    policy = PasswordPolicy(settings.password_min_length, common_passwords())
    if settings.breached_passwords_url is None:
        return policy
    return replace(policy, breached=BreachRanges(settings.breached_passwords_url))


@dataclass(frozen=True)
class CacheCooldown:
    """Keys hold a digest of the address, not the address. One period per address and `kind` of
    mail: whoever asks for the one must not keep the other from its owner. While the cache is away
    each process counts for itself: a mail that somebody waits for must not be lost."""

    cache: CacheProtocol
    kind: str = "mail"
    meanwhile: CacheProtocol = field(default_factory=lambda: container.get_own_cache())

    def start(self, email: str) -> None:
        for cache in (self.cache, self.meanwhile):
            if isinstance(cache.set(self._key(email), "1", ttl=COOLDOWN_SECONDS), Success):
                return

    def claim(self, email: str) -> bool:
        key = self._key(email)
        claimed = _claimed(self.cache, key)
        if isinstance(claimed, Failure):
            claimed = _claimed(self.meanwhile, key)
        return isinstance(claimed, Success) and claimed.value

    def _key(self, email: str) -> str:
        return f"{self.kind}-cooldown:" + hashlib.sha256(email.encode()).hexdigest()


def _claimed(cache: CacheProtocol, key: str) -> Result[bool, CacheError]:
    counted = cache.increment(key)
    if not isinstance(counted, Success):
        return counted
    if _has_no_end(cache, key, counted.value):
        ends = cache.expire(key, COOLDOWN_SECONDS)
        if isinstance(ends, Failure):
            cache.delete(key)
            return ends
    return Success(counted.value == 1)


def _has_no_end(cache: CacheProtocol, key: str, counted: int) -> bool:
    """The first sets it; a later one where the first was cut off: the count would stay for ever."""
    left = cache.ttl(key) if counted > 1 else Success(None)
    return isinstance(left, Success) and left.value is None


@dataclass(frozen=True)
class OutboxMailer:
    """Orders mails in the open unit of work; their texts are in `templates/users/mail`."""

    outbox: Outbox

    def send_verification(self, email: str, token_id: UUID) -> None:
        self.outbox.put(VERIFICATION, email, reference=token_id)

    def send_already_registered(self, email: str) -> None:
        self.outbox.put(ALREADY_REGISTERED, email)

    def send_link(self, purpose: Purpose, email: str, token_id: UUID) -> None:
        self.outbox.put(LINKS[purpose], email, reference=token_id)

    def send_notice(self, notice: Notice, email: str) -> None:
        self.outbox.put(notice_kind(notice), email)


@dataclass(frozen=True)
class AddressesOnDisk:
    """In a database that ends with its connection; digests, not the addresses."""

    database: sqlite3.Connection

    def add(self, email: str) -> bool:
        digest = hashlib.blake2b(email.encode(), digest_size=16).digest()
        added = self.database.execute("INSERT OR IGNORE INTO met VALUES (?)", [digest])
        return added.rowcount == 1


@contextmanager
def addresses_on_disk() -> Iterator[AddressesOnDisk]:
    with closing(sqlite3.connect("")) as database:  # "": a file that has no name
        database.execute("CREATE TABLE met (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        yield AddressesOnDisk(database)


def notice_kind(notice: Notice) -> str:
    return f"users.{notice}"


@dataclass(frozen=True)
class TokenLetters:
    """Of mails that carry a one-use token. Its text is derived as the mail leaves, and stands
    nowhere before."""

    tokens: OneUseTokenRepository
    keys: KeyRing
    clock: Clock = SystemClock()

    def values(self, order: Order) -> Mapping[str, Any] | None:
        token = self.tokens.find_by_id(order.reference) if order.reference else None
        # A token of nobody stands for an unknown address: see `RequestLinkHandler`.
        if token is None or token.user_id is None or not token.is_spendable(self.clock.now()):
            return None
        return {"token": token.text(self.keys)}
