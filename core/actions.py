"""The catalogue of what can stand on the trail."""

from enum import IntEnum, StrEnum


class Phase(IntEnum):
    """How far an action had come when it was recorded; the numbers are stored."""

    ATTEMPTED = 1
    SUCCEEDED = 2
    FAILED = 3
    ABANDONED = 4
    SOLE = 5


OUTCOMES = frozenset({Phase.SUCCEEDED, Phase.FAILED})


class AuditAction(StrEnum):
    USER_REGISTERED = "user.registered"
    USER_EMAIL_VERIFIED = "user.email_verified"
    USER_ADMIN_CREATED = "user.admin_created"
    USER_SETUP_LINK_ISSUED = "user.setup_link_issued"
    USER_LOGIN = "user.login"
    SESSION_REFRESHED = "session.refreshed"
    SESSION_REAUTHENTICATED = "session.reauthenticated"
    SESSION_REVOKED = "session.revoked"
    SESSIONS_REVOKED = "sessions.revoked"
    SESSION_ENDED = "session.ended"
    TOKEN_CREATED = "token.created"
    TOKEN_REVOKED = "token.revoked"
    TOKENS_ROTATED = "tokens.rotated"
    AUDIT_VIEWED = "audit.viewed"
    AUDIT_VIEW_REFUSED = "audit.view_refused"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_SUBJECT_ERASED = "audit.subject_erased"
    AUDIT_PRUNED = "audit.pruned"
    AUDIT_KEY_ROTATED = "audit.key_rotated"
    AUDIT_EPOCH_BEGUN = "audit.epoch_begun"
    AUDIT_DATABASE_TRUSTED = "audit.database_trusted"
    TEST_ARRANGED = "test.arranged"
