"""The refusals of this context, as values."""

from dataclasses import dataclass
from uuid import UUID

from core.errors import (
    AuthenticationError,
    AuthorizationError,
    ConflictError,
    ErrorCode,
    NotFoundError,
    RateLimitedError,
    ValidationError,
)
from users.domain.claim import KnownBy

EMAIL_TAKEN = ConflictError(
    ErrorCode.EMAIL_ALREADY_EXISTS, "An account with this e-mail address exists."
)
EMAIL_TWICE = ConflictError(
    ErrorCode.EMAIL_ALREADY_EXISTS, "The same address stands on an earlier line."
)
ADMIN_EXISTS = ConflictError(
    ErrorCode.ADMIN_ALREADY_EXISTS,
    "There is an admin already: sign in, or use `manage.py create_admin` on the server.",
)
INVALID_ONE_USE_TOKEN = ValidationError(
    ErrorCode.INVALID_ONE_USE_TOKEN,
    "This token is unknown, used or expired. Ask for a new one with the same address.",
    field="token",
)
INVALID_SETUP_TOKEN = ValidationError(
    ErrorCode.INVALID_ONE_USE_TOKEN,
    "This link is unknown, used or expired, or there is an admin already. "
    "`manage.py setup_link` on the server prints a new one.",
    field="token",
)
INVALID_RESET_TOKEN = ValidationError(
    ErrorCode.INVALID_ONE_USE_TOKEN,
    "This token is unknown, used or expired. Ask for a new one with the same address.",
    field="token",
)
INVALID_UNLOCK_TOKEN = ValidationError(
    ErrorCode.INVALID_ONE_USE_TOKEN,
    "This token is unknown, used or expired. A new one is mailed when somebody is locked out "
    "again; a new password ends the lock, too.",
    field="token",
)
INVALID_INVITATION = ValidationError(
    ErrorCode.INVALID_ONE_USE_TOKEN,
    "This invitation is unknown, used or expired. Ask an admin for a new link.",
    field="token",
)
INVALID_EMAIL_CHANGE = ValidationError(
    ErrorCode.INVALID_ONE_USE_TOKEN,
    "This token is unknown, used or expired, or the address was taken meanwhile. "
    "Sign in and ask for the change again.",
    field="token",
)
OWN_EMAIL = ValidationError(
    ErrorCode.VALIDATION_FAILED, "The account has this address already.", field="email"
)
MAILED_JUST_NOW = RateLimitedError(
    ErrorCode.RATE_LIMITED, "This address was mailed just now; try again in a minute."
)
REGISTRATION_CLOSED = AuthorizationError(
    ErrorCode.REGISTRATION_CLOSED, "Nobody can register here; an admin can invite you."
)
LAST_ADMIN = ConflictError(
    ErrorCode.LAST_ADMIN, "This is the last admin who can sign in: make another one first."
)
OWN_ROLE = AuthorizationError(ErrorCode.OWN_ROLE, "Nobody changes their own role.")
INVALID_LOCK = ValidationError(
    ErrorCode.VALIDATION_FAILED, "A lock lasts 30 days at most.", field="hours"
)
ACCOUNT_INACTIVE = ConflictError(ErrorCode.ACCOUNT_INACTIVE, "This account is not active.")
USER_NOT_FOUND = NotFoundError(
    ErrorCode.USER_NOT_FOUND, "There is no such user.", resource_type="user"
)
WRONG_PASSWORD = AuthenticationError(
    ErrorCode.INVALID_CREDENTIALS, "This is not the password that the account was made with."
)
NOT_THE_PASSWORD = AuthenticationError(
    ErrorCode.INVALID_CREDENTIALS,
    "This is not the current password, or there were too many wrong ones.",
)


@dataclass(frozen=True)
class SignInRefused(AuthenticationError):
    """One code and one text for every reason; the reason is for the trail alone."""

    reason: str = ""
    user_id: UUID | None = None
    known_by: KnownBy | None = None

    @classmethod
    def because(
        cls, reason: str, user_id: UUID | None, known_by: KnownBy | None = None
    ) -> "SignInRefused":
        return cls(
            ErrorCode.INVALID_CREDENTIALS,
            "This e-mail address and password do not sign in. The address may be unknown or not "
            "verified yet, the password wrong, or the account locked or not active.",
            reason=reason,
            user_id=user_id,
            known_by=known_by,
        )
