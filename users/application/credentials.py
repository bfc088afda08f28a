"""Who may sign in. The caller owns the attempt, the transaction and the record."""

from dataclasses import dataclass
from typing import Final

from core.clock import SystemClock
from core.ports import Clock
from core.result import Failure, Result, Success
from users.application.links import VerificationLinks
from users.domain.email import Email
from users.domain.errors import SignInRefused
from users.domain.roles import Role
from users.domain.user import User
from users.ports import PasswordService, SignInGuard, UserRepository

_NOBODY: Final = "nobody@invalid"
UNVERIFIED: Final = "unverified"


@dataclass(frozen=True, kw_only=True)
class PasswordCredentials:
    """`verify` reads and hashes outside any transaction; `confirm` and `refuse` write in one."""

    user_repo: UserRepository
    guard: SignInGuard
    password_service: PasswordService
    verification_links: VerificationLinks | None = None
    clock: Clock = SystemClock()

    def verify(self, email: str, password: str) -> Result[User, SignInRefused]:
        """One hash and one look at the guard, whatever the answer."""
        user = self.user_repo.find_by_email(_normal(email))
        known_hash = user.password_hash if user else None
        matches = self.password_service.verify_password(password, known_hash)
        if self.guard.count(_normal(email)).is_locked(self.clock.now()):
            return _refused("locked", user)
        if user is None:
            return _refused("unknown", user)
        if not matches:
            return _refused("wrong_password", user)
        if not user.is_active:
            return _refused("inactive", user)
        return Success(user) if user.is_verified else _refused(UNVERIFIED, user)

    def upgraded_hash(self, user: User, password: str) -> str | None:
        """Of a password that was verified; None where its hash is made as they are today."""
        if not self.password_service.needs_upgrade(user.password_hash):
            return None
        return self.password_service.hash_password(password)

    def confirm(self, user: User, upgraded_hash: str | None = None) -> User | None:
        """As it is now, if it is still as it was verified; from here on its row is held."""
        fresh = self.user_repo.lock(user.id)
        if fresh is None or not fresh.can_login() or _proof(fresh) != _proof(user):
            return None
        # Held before it is read: failures beside this one must not be forgotten.
        if self.guard.hold(user.email).is_locked(self.clock.now()):
            return None
        self.guard.clear(user.email)
        if upgraded_hash is None:
            return fresh
        upgraded = fresh.with_password(upgraded_hash)
        self.user_repo.update(upgraded)
        return upgraded

    def refuse(self, email: str, refusal: SignInRefused | None = None) -> None:
        now = self.clock.now()
        self.guard.record_failure(_normal(email), now)
        if refusal is None or refusal.user_id is None or self.verification_links is None:
            return
        # The password was proved: whoever lost the first mail gets another, and is told nothing.
        # At most once a minute, so that the clock tells less than the hash before it blurs.
        if refusal.reason == UNVERIFIED:
            self.verification_links.mail_again(_normal(email), refusal.user_id, now)


def _proof(user: User) -> tuple[str, int, Role]:
    return user.password_hash, user.token_version, user.role


def _normal(email: str) -> str:
    address = Email.create(email)
    return _NOBODY if isinstance(address, Failure) else address.value.value


def _refused(reason: str, user: User | None) -> Failure[SignInRefused]:
    return Failure(SignInRefused.because(reason, user.id if user else None))
