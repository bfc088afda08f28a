from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from core.clock import SystemClock
from core.errors import ValidationError
from core.ids import uuid7
from core.result import Failure, Result, Success
from users.domain.email import Email
from users.domain.lockout import FailureCount
from users.domain.roles import Role, SessionTier


@dataclass(frozen=True, kw_only=True)
class User:
    """An account. `max_sessions` overrides the limit of its tier."""

    id: UUID = field(default_factory=uuid7)
    email: str
    password_hash: str = field(default="", repr=False)
    is_verified: bool = False
    is_active: bool = True
    failed_login_attempts: int = 0
    locked_until: datetime | None = None
    role: Role = Role.USER
    session_tier: SessionTier = SessionTier.BASIC
    max_sessions: int | None = None
    token_version: int = 1
    created_at: datetime = field(default_factory=SystemClock().now)
    updated_at: datetime = field(default_factory=SystemClock().now)

    @classmethod
    def create(
        cls, email: str, *, now: datetime | None = None, role: Role = Role.USER
    ) -> Result["User", ValidationError]:
        address = Email.create(email)
        if isinstance(address, Failure):
            return address
        made_at = now or SystemClock().now()
        return Success(
            cls(email=address.value.value, role=role, created_at=made_at, updated_at=made_at)
        )

    def validate(self) -> Result["User", ValidationError]:
        address = Email.create(self.email)
        return address if isinstance(address, Failure) else Success(self)

    def with_password(self, password_hash: str) -> "User":
        return replace(self, password_hash=password_hash)

    def with_tokens_ended(self) -> "User":
        """Personal access tokens, and whatever else was handed out under the version before."""
        return replace(self, token_version=self.token_version + 1)

    def can_login(self) -> bool:
        return self.is_verified and self.is_active

    def is_locked(self, now: datetime) -> bool:
        return self._count().is_locked(now)

    def record_failed_login(self, now: datetime) -> "User":
        return self._with(self._count().after_failure(now))

    def record_login(self) -> "User":
        return self._with(FailureCount())

    def session_limit(self) -> int | None:
        if self.max_sessions is not None:
            return self.max_sessions
        return self.session_tier.max_sessions

    def _count(self) -> FailureCount:
        return FailureCount(self.failed_login_attempts, self.locked_until)

    def _with(self, count: FailureCount) -> "User":
        return replace(self, failed_login_attempts=count.failures, locked_until=count.locked_until)
