from core.errors import AuthenticationError, ErrorCode, NotFoundError

INVALID_TOKEN = AuthenticationError(
    ErrorCode.INVALID_TOKEN, "This access token is unknown, expired or revoked. Sign in again."
)
INVALID_GRANT = AuthenticationError(
    ErrorCode.INVALID_GRANT, "This refresh token does not refresh a session. Sign in again."
)
SESSION_NOT_FOUND = NotFoundError(
    ErrorCode.SESSION_NOT_FOUND, "You have no such session.", resource_type="session"
)
