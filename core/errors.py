"""Refusals as values. They are returned in a Failure; surprises are raised."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class ErrorCode(StrEnum):
    """What a program may branch on; a message may change, a code may not."""

    # the request
    MALFORMED_REQUEST = "malformed_request"
    VALIDATION_FAILED = "validation_failed"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    LENGTH_REQUIRED = "length_required"
    REQUEST_TOO_LARGE = "request_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RATE_LIMITED = "rate_limited"
    # accounts
    INVALID_EMAIL = "invalid_email"
    EMAIL_ALREADY_EXISTS = "email_already_exists"
    WEAK_PASSWORD = "weak_password"
    USER_NOT_FOUND = "user_not_found"
    INVALID_ONE_USE_TOKEN = "invalid_one_use_token"
    ADMIN_ALREADY_EXISTS = "admin_already_exists"
    REGISTRATION_CLOSED = "registration_closed"
    LAST_ADMIN = "last_admin"
    OWN_ROLE = "own_role"
    ACCOUNT_INACTIVE = "account_inactive"
    # signing in and sessions
    INVALID_CREDENTIALS = "invalid_credentials"
    NOT_AUTHENTICATED = "not_authenticated"
    INVALID_TOKEN = "invalid_token"
    INVALID_GRANT = "invalid_grant"
    REAUTHENTICATION_REQUIRED = "reauthentication_required"
    PERMISSION_DENIED = "permission_denied"
    SESSION_NOT_FOUND = "session_not_found"
    SESSION_REQUIRED = "session_required"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    PERSONAL_TOKEN_NOT_FOUND = "personal_token_not_found"
    TOO_MANY_TOKENS = "too_many_tokens"
    # the trail
    EVENT_NOT_FOUND = "event_not_found"
    NOTHING_SEALED = "nothing_sealed"
    NOT_SEALED_YET = "not_sealed_yet"
    NOT_AS_SEALED = "not_as_sealed"
    # the house itself
    CACHE_ERROR = "cache_error"
    SECRET_NOT_FOUND = "secret_not_found"
    INVALID_SECRET = "invalid_secret"
    AUDIT_UNAVAILABLE = "audit_unavailable"
    DATABASE_UNAVAILABLE = "database_unavailable"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True)
class DomainError:
    code: ErrorCode
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True)
class ValidationError(DomainError):
    field: str | None = None


@dataclass(frozen=True)
class NotFoundError(DomainError):
    resource_type: str | None = None
    resource_id: UUID | None = None


class ConflictError(DomainError):
    pass


class AuthenticationError(DomainError):
    pass


class AuthorizationError(DomainError):
    pass


@dataclass(frozen=True)
class RateLimitedError(DomainError):
    retry_after: int = 60
    """Seconds until another try makes sense."""


@dataclass(frozen=True)
class InfrastructureError(DomainError):
    infrastructure_code: str | None = None
    """What the driver said, in its own terms: for the log, never for the caller."""


class CacheError(InfrastructureError):
    pass


class SecretsError(InfrastructureError):
    pass


class AuditError(InfrastructureError):
    pass
