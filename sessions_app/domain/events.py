"""What happens to sessions. `reason` is for the trail: callers are not told which it was."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.actions import AuditAction, Phase
from core.events import DomainEvent, personal, stated
from sessions_app.domain.familiarity import Mark


@dataclass(frozen=True, kw_only=True)
class SessionEvent(DomainEvent):
    resource_type: ClassVar[str | None] = "session"
    session_id: UUID | None = None

    @property
    def resource_id(self) -> UUID | None:
        return self.session_id


@dataclass(frozen=True, kw_only=True)
class UserLoginAttempted(SessionEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_LOGIN
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    email: str = personal()


@dataclass(frozen=True, kw_only=True)
class UserLoginSucceeded(SessionEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_LOGIN
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    by_subject: ClassVar[bool] = True
    device: str = personal()
    marks: tuple[Mark, ...] = ()
    known_device: bool = False


@dataclass(frozen=True, kw_only=True)
class UserLoginFailed(SessionEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_LOGIN
    phase: ClassVar[Phase] = Phase.FAILED
    email: str = personal()
    reason: str
    known_device: bool = False


@dataclass(frozen=True, kw_only=True)
class SessionRefreshAttempted(SessionEvent):
    action: ClassVar[AuditAction] = AuditAction.SESSION_REFRESHED
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class SessionRefreshSucceeded(SessionEvent):
    action: ClassVar[AuditAction] = AuditAction.SESSION_REFRESHED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    by_subject: ClassVar[bool] = True
    generation: int
    repeated: bool = False


@dataclass(frozen=True, kw_only=True)
class SessionRefreshFailed(SessionEvent):
    action: ClassVar[AuditAction] = AuditAction.SESSION_REFRESHED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class ReauthenticationAttempted(SessionEvent):
    action: ClassVar[AuditAction] = AuditAction.SESSION_REAUTHENTICATED
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class ReauthenticationSucceeded(SessionEvent):
    action: ClassVar[AuditAction] = AuditAction.SESSION_REAUTHENTICATED
    phase: ClassVar[Phase] = Phase.SUCCEEDED


@dataclass(frozen=True, kw_only=True)
class ReauthenticationFailed(SessionEvent):
    action: ClassVar[AuditAction] = AuditAction.SESSION_REAUTHENTICATED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class SessionRevocationAttempted(SessionEvent):
    """By its owner, or by an admin."""

    action: ClassVar[AuditAction] = AuditAction.SESSION_REVOKED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    stated_reason: str | None = stated()


@dataclass(frozen=True, kw_only=True)
class SessionRevocationSucceeded(SessionEvent):
    action: ClassVar[AuditAction] = AuditAction.SESSION_REVOKED
    phase: ClassVar[Phase] = Phase.SUCCEEDED


@dataclass(frozen=True, kw_only=True)
class SessionRevocationFailed(SessionEvent):
    action: ClassVar[AuditAction] = AuditAction.SESSION_REVOKED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class SessionsRevocationAttempted(DomainEvent):
    """Of all of a person's sessions, or of all but one. Each that ends is on record, too."""

    action: ClassVar[AuditAction] = AuditAction.SESSIONS_REVOKED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    stated_reason: str | None = stated()


@dataclass(frozen=True, kw_only=True)
class SessionsRevocationSucceeded(DomainEvent):
    action: ClassVar[AuditAction] = AuditAction.SESSIONS_REVOKED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    kept: UUID | None
    sessions: int


@dataclass(frozen=True, kw_only=True)
class SessionsRevocationFailed(DomainEvent):
    action: ClassVar[AuditAction] = AuditAction.SESSIONS_REVOKED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class SessionEnded(SessionEvent):
    """By the house: a limit, a reuse. What its owner ends is a revocation."""

    action: ClassVar[AuditAction] = AuditAction.SESSION_ENDED
    phase: ClassVar[Phase] = Phase.SOLE
    reason: str


@dataclass(frozen=True, kw_only=True)
class SessionsPurged(DomainEvent):
    """That were over long ago, and personal access tokens that were."""

    action: ClassVar[AuditAction] = AuditAction.SESSIONS_PURGED
    phase: ClassVar[Phase] = Phase.SOLE
    sessions: int
    personal_tokens: int


@dataclass(frozen=True, kw_only=True)
class TokenRotationEvent(DomainEvent):
    """Of one person, or, without one, of everybody. `reason` is what the admin says."""

    resource_type: ClassVar[str | None] = "user"
    reason: str

    @property
    def resource_id(self) -> UUID | None:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class TokenRotationAttempted(TokenRotationEvent):
    action: ClassVar[AuditAction] = AuditAction.TOKENS_ROTATED
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class TokenRotationSucceeded(TokenRotationEvent):
    action: ClassVar[AuditAction] = AuditAction.TOKENS_ROTATED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    effective_at: datetime
    sessions: int
    personal_tokens: int


@dataclass(frozen=True, kw_only=True)
class TokenRotationFailed(TokenRotationEvent):
    action: ClassVar[AuditAction] = AuditAction.TOKENS_ROTATED
    phase: ClassVar[Phase] = Phase.FAILED


@dataclass(frozen=True, kw_only=True)
class PersonalTokenEvent(DomainEvent):
    resource_type: ClassVar[str | None] = "personal_token"
    token_id: UUID | None = None

    @property
    def resource_id(self) -> UUID | None:
        return self.token_id


@dataclass(frozen=True, kw_only=True)
class PersonalTokenCreationAttempted(PersonalTokenEvent):
    action: ClassVar[AuditAction] = AuditAction.TOKEN_CREATED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    name: str = personal()
    scope: str


@dataclass(frozen=True, kw_only=True)
class PersonalTokenCreationSucceeded(PersonalTokenEvent):
    action: ClassVar[AuditAction] = AuditAction.TOKEN_CREATED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    name: str = personal()
    scope: str


@dataclass(frozen=True, kw_only=True)
class PersonalTokenCreationFailed(PersonalTokenEvent):
    action: ClassVar[AuditAction] = AuditAction.TOKEN_CREATED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class PersonalTokenRevocationAttempted(PersonalTokenEvent):
    action: ClassVar[AuditAction] = AuditAction.TOKEN_REVOKED
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class PersonalTokenRevocationSucceeded(PersonalTokenEvent):
    action: ClassVar[AuditAction] = AuditAction.TOKEN_REVOKED
    phase: ClassVar[Phase] = Phase.SUCCEEDED


@dataclass(frozen=True, kw_only=True)
class PersonalTokenRevocationFailed(PersonalTokenEvent):
    action: ClassVar[AuditAction] = AuditAction.TOKEN_REVOKED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str
