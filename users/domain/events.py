"""What happens to accounts. No event carries a password, a hash or a token."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.actions import AuditAction, Phase
from core.events import DomainEvent, personal, stated


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
class EmailVouchedFor(UserEvent):
    """An admin says that the address is the person's; nobody has shown a link."""

    action: ClassVar[AuditAction] = AuditAction.USER_EMAIL_VERIFIED
    phase: ClassVar[Phase] = Phase.SOLE


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


@dataclass(frozen=True, kw_only=True)
class VerificationRequestAttempted(UserEvent):
    """By whoever knows the address."""

    action: ClassVar[AuditAction] = AuditAction.USER_VERIFICATION_REQUESTED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    email: str = personal()


@dataclass(frozen=True, kw_only=True)
class VerificationRequestSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_VERIFICATION_REQUESTED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    email: str = personal()


@dataclass(frozen=True, kw_only=True)
class VerificationRequestFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_VERIFICATION_REQUESTED
    phase: ClassVar[Phase] = Phase.FAILED
    email: str = personal()
    reason: str


@dataclass(frozen=True, kw_only=True)
class PasswordChangeAttempted(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_PASSWORD_CHANGED
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class PasswordChangeSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_PASSWORD_CHANGED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    by_subject: ClassVar[bool] = True
    kept: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class PasswordChangeFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_PASSWORD_CHANGED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class PasswordResetRequestAttempted(UserEvent):
    """By whoever knows the address, or by an admin."""

    action: ClassVar[AuditAction] = AuditAction.USER_PASSWORD_RESET_REQUESTED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    email: str | None = personal(default=None)
    stated_reason: str | None = stated()


@dataclass(frozen=True, kw_only=True)
class PasswordResetRequestSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_PASSWORD_RESET_REQUESTED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    email: str | None = personal(default=None)


@dataclass(frozen=True, kw_only=True)
class PasswordResetRequestFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_PASSWORD_RESET_REQUESTED
    phase: ClassVar[Phase] = Phase.FAILED
    email: str | None = personal(default=None)
    reason: str


@dataclass(frozen=True, kw_only=True)
class PasswordResetAttempted(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_PASSWORD_RESET
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class PasswordResetSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_PASSWORD_RESET
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    by_subject: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class PasswordResetFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_PASSWORD_RESET
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class InvitationAcceptanceAttempted(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_INVITATION_ACCEPTED
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class InvitationAcceptanceSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_INVITATION_ACCEPTED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    by_subject: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class InvitationAcceptanceFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_INVITATION_ACCEPTED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class PasswordRehashed(UserEvent):
    """The same password, under the hash function of today."""

    action: ClassVar[AuditAction] = AuditAction.USER_PASSWORD_REHASHED
    phase: ClassVar[Phase] = Phase.SOLE


@dataclass(frozen=True, kw_only=True)
class SessionsForfeited(UserEvent):
    """Whoever keeps sessions ends those of this person, but `kept`, in the same transaction."""

    action: ClassVar[AuditAction] = AuditAction.USER_SESSIONS_FORFEITED
    phase: ClassVar[Phase] = Phase.SOLE
    kept: UUID | None = None
    reason: str


@dataclass(frozen=True, kw_only=True)
class EmailChangeRequestAttempted(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_EMAIL_CHANGE_REQUESTED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    email: str = personal()


@dataclass(frozen=True, kw_only=True)
class EmailChangeRequestSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_EMAIL_CHANGE_REQUESTED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    email: str = personal()


@dataclass(frozen=True, kw_only=True)
class EmailChangeRequestFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_EMAIL_CHANGE_REQUESTED
    phase: ClassVar[Phase] = Phase.FAILED
    email: str = personal()
    reason: str


@dataclass(frozen=True, kw_only=True)
class EmailChangeAttempted(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_EMAIL_CHANGED
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class EmailChangeSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_EMAIL_CHANGED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    by_subject: ClassVar[bool] = True
    old_email: str = personal()
    new_email: str = personal()


@dataclass(frozen=True, kw_only=True)
class EmailChangeFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_EMAIL_CHANGED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class DeletionAttempted(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_DELETED
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class DeletionSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_DELETED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    by_subject: ClassVar[bool] = True
    erases_subject: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class DeletionFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_DELETED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class AccountExported(UserEvent):
    """A person's own data, to themselves."""

    action: ClassVar[AuditAction] = AuditAction.USER_EXPORTED
    phase: ClassVar[Phase] = Phase.SOLE
    by_subject: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class InvitationAttempted(UserEvent):
    """By an admin."""

    action: ClassVar[AuditAction] = AuditAction.USER_INVITED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    email: str = personal()
    role: str


@dataclass(frozen=True, kw_only=True)
class InvitationSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_INVITED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    email: str = personal()
    role: str


@dataclass(frozen=True, kw_only=True)
class InvitationFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_INVITED
    phase: ClassVar[Phase] = Phase.FAILED
    email: str = personal()
    reason: str


@dataclass(frozen=True, kw_only=True)
class UserImportAttempted(UserEvent):
    """From another system, by whoever has a shell on the server."""

    action: ClassVar[AuditAction] = AuditAction.USER_IMPORTED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    email: str = personal()


@dataclass(frozen=True, kw_only=True)
class UserImportSucceeded(UserEvent):
    """Whether the address counts as confirmed was said by the other system."""

    action: ClassVar[AuditAction] = AuditAction.USER_IMPORTED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    email: str = personal()
    role: str
    is_verified: bool
    is_active: bool


@dataclass(frozen=True, kw_only=True)
class UserImportFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_IMPORTED
    phase: ClassVar[Phase] = Phase.FAILED
    email: str = personal()
    reason: str


@dataclass(frozen=True, kw_only=True)
class AccountChangeAttempted(UserEvent):
    """By an admin; what changed stands beside it, a fact each."""

    action: ClassVar[AuditAction] = AuditAction.USER_CHANGED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    stated_reason: str | None = stated()


@dataclass(frozen=True, kw_only=True)
class AccountChangeSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_CHANGED
    phase: ClassVar[Phase] = Phase.SUCCEEDED


@dataclass(frozen=True, kw_only=True)
class AccountChangeFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_CHANGED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class RoleChanged(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_ROLE_CHANGED
    phase: ClassVar[Phase] = Phase.SOLE
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class ActivityChanged(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_ACTIVITY_CHANGED
    phase: ClassVar[Phase] = Phase.SOLE
    old: bool
    new: bool


@dataclass(frozen=True, kw_only=True)
class LimitsChanged(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_LIMITS_CHANGED
    phase: ClassVar[Phase] = Phase.SOLE
    old_tier: str
    new_tier: str
    old_max_sessions: int | None
    new_max_sessions: int | None


@dataclass(frozen=True, kw_only=True)
class AccountsViewed(DomainEvent):
    """By `user_id`, an admin: whoever was looked at does not find it among their own events."""

    action: ClassVar[AuditAction] = AuditAction.USER_VIEWED
    phase: ClassVar[Phase] = Phase.SOLE
    resource_type: ClassVar[str | None] = "user"
    whose: UUID | None = None
    asked_for: dict[str, str] = personal(default_factory=dict)

    @property
    def resource_id(self) -> UUID | None:
        return self.whose


@dataclass(frozen=True, kw_only=True)
class TokensPurged(DomainEvent):
    """What was over long ago: one-use tokens with the addresses in them, passes of devices, and
    counts of failures."""

    action: ClassVar[AuditAction] = AuditAction.USER_TOKENS_PURGED
    phase: ClassVar[Phase] = Phase.SOLE
    tokens: int
    device_passes: int = 0
    failure_counts: int = 0


@dataclass(frozen=True, kw_only=True)
class SignInLocked(UserEvent):
    """Too many failures in a row: of strangers, or of what `known_by` says. The address may be
    nobody's."""

    action: ClassVar[AuditAction] = AuditAction.USER_LOCKED
    phase: ClassVar[Phase] = Phase.SOLE
    email: str = personal()
    failures: int
    until: datetime
    known_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class AccountLockAttempted(UserEvent):
    """By an admin, for all devices; `SignInLocked` is by the house."""

    action: ClassVar[AuditAction] = AuditAction.USER_LOCKED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    stated_reason: str | None = stated()


@dataclass(frozen=True, kw_only=True)
class AccountLockSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_LOCKED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    until: datetime


@dataclass(frozen=True, kw_only=True)
class AccountLockFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_LOCKED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class AccountUnlockAttempted(UserEvent):
    """By an admin."""

    action: ClassVar[AuditAction] = AuditAction.USER_UNLOCKED
    phase: ClassVar[Phase] = Phase.ATTEMPTED
    stated_reason: str | None = stated()


@dataclass(frozen=True, kw_only=True)
class AccountUnlockSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_UNLOCKED
    phase: ClassVar[Phase] = Phase.SUCCEEDED


@dataclass(frozen=True, kw_only=True)
class AccountUnlockFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_UNLOCKED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class DevicePassGrantAttempted(UserEvent):
    """By whoever has the link that was mailed when strangers locked the account."""

    action: ClassVar[AuditAction] = AuditAction.USER_DEVICE_PASS_GRANTED
    phase: ClassVar[Phase] = Phase.ATTEMPTED


@dataclass(frozen=True, kw_only=True)
class DevicePassGrantSucceeded(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_DEVICE_PASS_GRANTED
    phase: ClassVar[Phase] = Phase.SUCCEEDED
    by_subject: ClassVar[bool] = True
    device_pass: UUID


@dataclass(frozen=True, kw_only=True)
class DevicePassGrantFailed(UserEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_DEVICE_PASS_GRANTED
    phase: ClassVar[Phase] = Phase.FAILED
    reason: str


@dataclass(frozen=True, kw_only=True)
class DevicesForgotten(UserEvent):
    """They are strangers again until somebody signs in there."""

    action: ClassVar[AuditAction] = AuditAction.USER_DEVICES_FORGOTTEN
    phase: ClassVar[Phase] = Phase.SOLE
    devices: int
