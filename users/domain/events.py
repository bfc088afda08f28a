"""What happens to accounts. No event carries a password, a hash or a token."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from core.actions import AuditAction, Phase
from core.events import DomainEvent, personal


@dataclass(frozen=True, kw_only=True)
class UserEvent(DomainEvent):
    resource_type: ClassVar[str | None] = "user"

    @property
    def resource_id(self) -> UUID | None:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class UserRegistrationAttempted(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_REGISTERED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    email: str = personal()


@dataclass(frozen=True, kw_only=True)
class UserRegistrationSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_REGISTERED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    email: str = personal()


@dataclass(frozen=True, kw_only=True)
class UserRegistrationFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_REGISTERED
    phase: ClassVar[Phase] = Phase.FAILED
    email: str = personal()
    reason: str


@dataclass(frozen=True, kw_only=True)
class EmailVerificationAttempted(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_EMAIL_VERIFIED
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class EmailVerificationSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_EMAIL_VERIFIED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    by_subject: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class EmailVerificationFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_EMAIL_VERIFIED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class AdminCreationAttempted(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_ADMIN_CREATED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    email: str = personal()


@dataclass(frozen=True, kw_only=True)
class AdminCreationSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_ADMIN_CREATED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    email: str = personal()


@dataclass(frozen=True, kw_only=True)
class AdminCreationFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_ADMIN_CREATED
    phase: ClassVar[Phase] = Phase.FAILED
    email: str = personal()
    reason: str


@dataclass(frozen=True, kw_only=True)
class SetupLinkIssued(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_SETUP_LINK_ISSUED
    phase: ClassVar[Phase] = Phase.SOLE
