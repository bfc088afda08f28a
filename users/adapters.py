"""Password hashing, the cool-down and mail."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from smtplib import SMTPException
from threading import BoundedSemaphore
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.mail import send_mail
from django.template.loader import render_to_string

from core import container, unit_of_work
from core.keys import KeyRing
from core.ports import CacheProtocol
from core.result import Failure, Success
from users.domain.password import PasswordPolicy
from users.ports import OneUseTokenRepository

COOLDOWN_SECONDS: Final = 60


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

    def verify_password(self, plaintext: str, password_hash: str | None) -> bool:
        decoy = _decoy()
        with _hashing_slots():
            return check_password(plaintext, password_hash or decoy) and bool(password_hash)


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """The 20,000 that come with Django, in lower case."""
    return frozenset(CommonPasswordValidator().passwords)


def password_policy() -> PasswordPolicy:
    return PasswordPolicy(container.get_settings().password_min_length, common_passwords())


@dataclass(frozen=True)
class CacheCooldown:
    """Keys hold a digest of the address, not the address."""

    cache: CacheProtocol

    def start(self, email: str) -> None:
        self.cache.set(_cooldown_key(email), "1", ttl=COOLDOWN_SECONDS)

    def claim(self, email: str) -> bool:
        key = _cooldown_key(email)
        counted = self.cache.increment(key)
        if not isinstance(counted, Success) or counted.value != 1:
            return False
        if isinstance(self.cache.expire(key, COOLDOWN_SECONDS), Failure):
            self.cache.delete(key)  # or it would stay for ever
            return False
        return True


def _cooldown_key(email: str) -> str:
    return "mail-cooldown:" + hashlib.sha256(email.encode()).hexdigest()


@dataclass(frozen=True)
class AfterCommitMailer:
    """Sends when the transaction has committed; derives the token's text only then."""

    tokens: OneUseTokenRepository
    keys: KeyRing
    public_url: str

    def send_verification(self, email: str, token_id: UUID) -> None:
        self._after_commit(partial(self._send_verification, email, token_id))

    def send_already_registered(self, email: str) -> None:
        self._after_commit(partial(self._send, email, "already_registered", {}))

    def _send_verification(self, email: str, token_id: UUID) -> None:
        token = self.tokens.find_by_id(token_id)
        assert token is not None
        self._send(email, "verification", {"token": token.text(self.keys)})

    def _send(self, email: str, name: str, values: dict[str, str]) -> None:
        values = {"public_url": self.public_url, **values}
        subject, _, body = render_to_string(f"users/mail/{name}.txt", values).partition("\n")
        send_mail(subject, body.lstrip(), None, [email])

    def _after_commit(self, send: Callable[[], None]) -> None:
        unit_of_work.current().after_commit(partial(_logged, send))


def _logged(send: Callable[[], None]) -> None:
    """The account is made: a mail server that is away must not say otherwise."""
    try:
        send()
    except (SMTPException, OSError) as error:
        container.get_logger().error("mail_not_sent", error=type(error).__name__)
