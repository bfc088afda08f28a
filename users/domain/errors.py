"""The refusals of this context, as values."""

from dataclasses import dataclass
from uuid import UUID

from core.errors import (
    AuthenticationError,
    ConflictError,
    ErrorCode,
    NotFoundError,
    ValidationError,
)

EMAIL_TAKEN = ConflictError(
    ErrorCode.EMAIL_ALREADY_EXISTS, "An account with this e-mail address exists."
)
ADMIN_EXISTS = ConflictError(
    ErrorCode.ADMIN_ALREADY_EXISTS,
    "There is an admin already: sign in, or use `manage.py create_admin` on the server.",
)
INVALID_ONE_USE_TOKEN = ValidationError(
    ErrorCode.INVALID_ONE_USE_TOKEN,
    "This token is unknown, used or expired. Register again with the same address for a new one.",
    field="token",
)
INVALID_SETUP_TOKEN = ValidationError(
    ErrorCode.INVALID_ONE_USE_TOKEN,
    "This link is unknown, used or expired, or there is an admin already. "
    "`manage.py setup_link` on the server prints a new one.",
    field="token",
)
USER_NOT_FOUND = NotFoundError(
    ErrorCode.USER_NOT_FOUND, "There is no such user.", resource_type="user"
)
WRONG_PASSWORD = AuthenticationError(
    ErrorCode.INVALID_CREDENTIALS, "This is not the password that the account was made with."
)


@dataclass(frozen=True)
class SignInRefused(AuthenticationError):
    """One code and one text for every reason; the reason is for the trail alone."""

    reason: str = ""
    user_id: UUID | None = None

    @classmethod
    def because(cls, reason: str, user_id: UUID | None) -> "SignInRefused":
        return cls(
            ErrorCode.INVALID_CREDENTIALS,
            "This e-mail address and password do not sign in. The address may be unknown or not "
            "verified yet, the password wrong, or the account locked or not active.",
            reason=reason,
            user_id=user_id,
        )
