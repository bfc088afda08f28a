"""Who may sign in. The caller owns the attempt, the transaction and the record."""

from dataclasses import dataclass
from typing import Final

from core.clock import SystemClock
from core.ports import Clock
from core.result import Failure, Result, Success
from users.domain.email import Email
from users.domain.errors import SignInRefused
from users.domain.roles import Role
from users.domain.user import User
from users.ports import PasswordService, SignInGuard, UserRepository

_NOBODY: Final = "nobody@invalid"


@dataclass(frozen=True, kw_only=True)
class PasswordCredentials:
    """`verify` reads and hashes outside any transaction; `confirm` and `refuse` write in one."""

    user_repo: UserRepository
    guard: SignInGuard
    password_service: PasswordService
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
        return Success(user) if user.is_verified else _refused("unverified", user)

    def confirm(self, user: User) -> User | None:
        """As it is now, if it is still as it was verified; from here on its row is held."""
        fresh = self.user_repo.lock(user.id)
        if fresh is None or not fresh.can_login() or _proof(fresh) != _proof(user):
            return None
        # Held before it is read: failures beside this one must not be forgotten.
        if self.guard.hold(user.email).is_locked(self.clock.now()):
            return None
        self.guard.clear(user.email)
        return fresh

    def refuse(self, email: str) -> None:
        self.guard.record_failure(_normal(email), self.clock.now())


def _proof(user: User) -> tuple[str, int, Role]:
    return user.password_hash, user.token_version, user.role


def _normal(email: str) -> str:
    address = Email.create(email)
    return _NOBODY if isinstance(address, Failure) else address.value.value


def _refused(reason: str, user: User | None) -> Failure[SignInRefused]:
    return Failure(SignInRefused.because(reason, user.id if user else None))
