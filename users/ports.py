"""What accounts ask of the outside."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from core.errors import ConflictError
from core.result import Result
from users.domain.lockout import FailureCount
from users.domain.tokens import OneUseToken, Purpose
from users.domain.user import User


class UserRepository(Protocol):
    def save(self, user: User) -> Result[None, ConflictError]:
        """A new account. The unique index decides who was first, not a look before."""
        ...

    def find_by_email(self, email: str) -> User | None: ...

    def find_by_id(self, user_id: UUID) -> User | None: ...

    def lock(self, user_id: UUID) -> User | None:
        """As it is now, held until the transaction ends: whatever creates or ends sessions
        takes this lock first."""
        ...

    def mark_verified(self, user_id: UUID, now: datetime) -> None: ...

    def admin_exists(self) -> bool: ...


class OneUseTokenRepository(Protocol):
    def issue(self, purpose: Purpose, user_id: UUID | None, now: datetime) -> OneUseToken: ...

    def find(self, text: str, purpose: Purpose) -> OneUseToken | None:
        """None when the text was not made here, or for another purpose."""
        ...

    def find_by_id(self, token_id: UUID) -> OneUseToken | None: ...

    def redeem(self, token_id: UUID, now: datetime) -> bool:
        """True for exactly one caller, and only before the token expires."""
        ...

    def supersede(self, purpose: Purpose, now: datetime) -> None:
        """Spends all that are open, so that the next one issued is the only one."""
        ...


class PasswordService(Protocol):
    def hash_password(self, plaintext: str) -> str: ...

    def verify_password(self, plaintext: str, password_hash: str | None) -> bool:
        """Takes as long for None, which is never right: an unknown account must not be told
        from a wrong password by the clock."""
        ...


class SignInGuard(Protocol):
    """Failures per address, known or not; the address itself is not kept."""

    def count(self, email: str) -> FailureCount: ...

    def hold(self, email: str) -> FailureCount:
        """The count, which nobody else changes until the transaction ends."""
        ...

    def record_failure(self, email: str, now: datetime) -> FailureCount: ...

    def clear(self, email: str) -> None: ...


class Cooldown(Protocol):
    """Keeps a stranger from filling a mailbox."""

    def start(self, email: str) -> None: ...

    def claim(self, email: str) -> bool:
        """True once per period; False also when nobody can say."""
        ...


class Mailer(Protocol):
    """Nothing leaves before the transaction has committed."""

    def send_verification(self, email: str, token_id: UUID) -> None: ...

    def send_already_registered(self, email: str) -> None: ...
