from core.errors import (
    AuthenticationError,
    AuthorizationError,
    ConflictError,
    ErrorCode,
    NotFoundError,
    ValidationError,
)

INVALID_TOKEN = AuthenticationError(
    ErrorCode.INVALID_TOKEN, "This access token is unknown, expired or revoked. Sign in again."
)
INVALID_GRANT = AuthenticationError(
    ErrorCode.INVALID_GRANT, "This refresh token does not refresh a session. Sign in again."
)
SESSION_NOT_FOUND = NotFoundError(
    ErrorCode.SESSION_NOT_FOUND, "You have no such session.", resource_type="session"
)
PERSONAL_TOKEN_NOT_FOUND = NotFoundError(
    ErrorCode.PERSONAL_TOKEN_NOT_FOUND,
    "You have no such access token.",
    resource_type="personal_token",
)
TOO_MANY_TOKENS = ConflictError(
    ErrorCode.TOO_MANY_TOKENS, "You have as many access tokens as there may be: end one first."
)
INVALID_LIFETIME = ValidationError(
    ErrorCode.VALIDATION_FAILED, "This must be from 1 to 366 days.", field="expires_in_days"
)
SCOPE_NOT_ALLOWED = ValidationError(
    ErrorCode.VALIDATION_FAILED, "Only admins give this scope.", field="scope"
)
SESSION_REQUIRED = AuthorizationError(
    ErrorCode.SESSION_REQUIRED,
    "A personal access token may not do this: sign in, and use the token of the session.",
)
INSUFFICIENT_SCOPE = AuthorizationError(
    ErrorCode.INSUFFICIENT_SCOPE, "The scope of this access token does not allow this."
)
INVALID_GRACE = ValidationError(
    ErrorCode.VALIDATION_FAILED, "This must be from 0 to 604800 seconds.", field="grace_seconds"
)
