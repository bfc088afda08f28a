"""What accounts ask of the outside."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from core.errors import ConflictError
from core.result import Result
from users.domain.device_pass import DevicePass
from users.domain.lockout import FailureCount
from users.domain.notices import Notice
from users.domain.roles import Role
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

    def lock_admins(self) -> list[User]:
        """All who can sign in as admins, held like `lock`; before any other lock."""
        ...

    def update(self, user: User) -> Result[None, ConflictError]:
        """Of a row that is held. Fails where another account has the address."""
        ...

    def delete(self, user_id: UUID) -> None:
        """With everything that is the account's alone."""
        ...

    def mark_verified(self, user_id: UUID, now: datetime) -> None: ...

    def admin_exists(self) -> bool: ...


class OneUseTokenRepository(Protocol):
    def issue(
        self, purpose: Purpose, user_id: UUID | None, now: datetime, email: str | None = None
    ) -> OneUseToken: ...

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

    def supersede_all_of(self, user_id: UUID, now: datetime) -> None:
        """Spends all of this person's that are open, whatever they are for."""
        ...

    def count_expired(self, before: datetime) -> int: ...

    def purge(self, before: datetime) -> int:
        """Forgets what expired before; how many."""
        ...


class PasswordService(Protocol):
    def hash_password(self, plaintext: str) -> str: ...

    def unusable_hash(self) -> str:
        """No password is right for it."""
        ...

    def needs_upgrade(self, password_hash: str) -> bool:
        """Whether it was made otherwise than hashes are made today."""
        ...

    def verify_password(self, plaintext: str, password_hash: str | None) -> bool:
        """Takes as long for None, which is never right: an unknown account must not be told
        from a wrong password by the clock."""
        ...


class SignInGuard(Protocol):
    """Failures in a row: of strangers per address, known or not, else of what a claimant is known
    by. Whom it counts is not kept in clear."""

    def count(self, counted: str) -> FailureCount: ...

    def hold(self, counted: str) -> FailureCount:
        """The count, which nobody else changes until the transaction ends."""
        ...

    def record_failure(
        self, counted: str, now: datetime, owner: UUID | None = None
    ) -> tuple[FailureCount, FailureCount]:
        """As it was, and as it is. `owner` is whose account it is about, if it is anybody's."""
        ...

    def lock(self, counted: str, until: datetime, now: datetime, owner: UUID) -> None: ...

    def clear(self, counted: str) -> None: ...

    def clear_all_of(self, owner: UUID) -> None:
        """Of an address, of devices and sessions: whatever is counted for this account."""
        ...

    def count_quiet(self, before: datetime) -> int:
        """How many have had no failure since."""
        ...

    def purge(self, before: datetime) -> int:
        """Forgets those; how many."""
        ...


class DevicePassRepository(Protocol):
    def find(self, pass_id: UUID) -> DevicePass | None: ...

    def save(self, device_pass: DevicePass) -> None: ...

    def update(self, device_pass: DevicePass) -> None: ...

    def forget_surplus(self, user_id: UUID, *, keep: int) -> None:
        """First those that were never used, the oldest first."""
        ...

    def forget_all_of(self, user_id: UUID, *, except_for: UUID | None = None) -> int: ...

    def count_expired(self, before: datetime) -> int: ...

    def purge(self, before: datetime) -> int:
        """Forgets what expired before; how many."""
        ...


class Addresses(Protocol):
    """Those that were met, of a file of any length."""

    def add(self, email: str) -> bool:
        """False where it was there already."""
        ...


class Cooldown(Protocol):
    """Keeps a stranger from filling a mailbox."""

    def start(self, email: str) -> None: ...

    def claim(self, email: str) -> bool:
        """True once per period, at least for each process; False also when nobody can say."""
        ...


class Mailer(Protocol):
    """Nothing leaves before the transaction has committed."""

    def send_verification(self, email: str, token_id: UUID) -> None: ...

    def send_already_registered(self, email: str) -> None: ...

    def send_link(self, purpose: Purpose, email: str, token_id: UUID) -> None: ...

    def send_notice(self, notice: Notice, email: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class UserCriteria:
    """What is None is not asked for."""

    email: str | None = None
    role: Role | None = None
    is_active: bool | None = None
    email_part: str | None = None
    locked_at: datetime | None = None
    """Whom strangers, or a device of theirs, could not sign in as at that time."""


class UserDirectory(Protocol):
    def page(self, criteria: UserCriteria, before: UUID | None, size: int) -> list[User]:
        """Newest first; `before` is the last id of the page before (ids are in order of making)."""
        ...


@dataclass(frozen=True)
class TokenSummary:
    purpose: Purpose
    expires_at: datetime
    spent_at: datetime | None
    email: str | None


@dataclass(frozen=True)
class DeviceSummary:
    known_since: datetime
    last_used_at: datetime | None
    expires_at: datetime


class AccountRecords(Protocol):
    def tokens_of(self, user_id: UUID) -> list[TokenSummary]: ...

    def devices_of(self, user_id: UUID) -> list[DeviceSummary]: ...
