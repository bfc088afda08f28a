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
    USER_VERIFICATION_REQUESTED = "user.verification_requested"
    USER_PASSWORD_CHANGED = "user.password_changed"
    USER_PASSWORD_REHASHED = "user.password_rehashed"
    USER_PASSWORD_RESET_REQUESTED = "user.password_reset_requested"
    USER_PASSWORD_RESET = "user.password_reset"
    USER_SESSIONS_FORFEITED = "user.sessions_forfeited"
    USER_EMAIL_CHANGE_REQUESTED = "user.email_change_requested"
    USER_EMAIL_CHANGED = "user.email_changed"
    USER_DELETED = "user.deleted"
    USER_VIEWED = "user.viewed"
    USER_EXPORTED = "user.exported"
    USER_INVITED = "user.invited"
    USER_INVITATION_ACCEPTED = "user.invitation_accepted"
    USER_IMPORTED = "user.imported"
    USER_CHANGED = "user.changed"
    USER_ROLE_CHANGED = "user.role_changed"
    USER_ACTIVITY_CHANGED = "user.activity_changed"
    USER_LIMITS_CHANGED = "user.limits_changed"
    USER_TOKENS_PURGED = "user.tokens_purged"
    USER_LOGIN = "user.login"
    USER_LOCKED = "user.locked"
    USER_UNLOCKED = "user.unlocked"
    USER_DEVICE_PASS_GRANTED = "user.device_pass_granted"
    USER_DEVICES_FORGOTTEN = "user.devices_forgotten"
    SESSION_REFRESHED = "session.refreshed"
    SESSION_REAUTHENTICATED = "session.reauthenticated"
    SESSION_REVOKED = "session.revoked"
    SESSIONS_REVOKED = "sessions.revoked"
    SESSION_ENDED = "session.ended"
    SESSIONS_PURGED = "sessions.purged"
    TOKEN_CREATED = "token.created"
    TOKEN_REVOKED = "token.revoked"
    TOKENS_ROTATED = "tokens.rotated"
    REQUESTS_THROTTLED = "requests.throttled"
    AUDIT_VIEWED = "audit.viewed"
    AUDIT_VIEW_REFUSED = "audit.view_refused"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_SUBJECT_ERASED = "audit.subject_erased"
    AUDIT_PRUNED = "audit.pruned"
    AUDIT_KEY_ROTATED = "audit.key_rotated"
    AUDIT_EPOCH_BEGUN = "audit.epoch_begun"
    AUDIT_DATABASE_TRUSTED = "audit.database_trusted"
    DEMO_SEEDED = "demo.seeded"
    TEST_ARRANGED = "test.arranged"
