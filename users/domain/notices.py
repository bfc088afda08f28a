from enum import StrEnum


class Notice(StrEnum):
    """What people are told by mail, and need do nothing about unless it was not them."""

    PASSWORD_CHANGED = "password_changed"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_TAKEN = "email_taken"
    EMAIL_CHANGED = "email_changed"
    ACCOUNT_DELETED = "account_deleted"
