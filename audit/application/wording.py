"""What stands on the trail, in plain words. The other contexts are known by their events alone:
an action or a reason that has no words here is told as it is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.actions import AuditAction, Phase


@dataclass(frozen=True)
class Words:
    """`done` is a sentence about what happened; `doing` begins one about what did not."""

    done: str
    doing: str


def sentence(
    action: str,
    phase: Phase,
    details: Mapping[str, Any],
    personal: Mapping[str, Any],
    error: str | None = None,
) -> str:
    """One or two sentences, with no secret and with nothing that the event does not say. `error`
    is the class of the exception that stopped it."""
    words = ACTIONS.get(action, Words(f"{action}.", action))
    if phase is Phase.ATTEMPTED:
        return f"{words.doing} was begun."
    if phase is Phase.ABANDONED:
        return f"{words.doing} was begun and never ended: the process died, and nothing changed."
    if phase is Phase.FAILED and error:
        return f"{words.doing} stopped at a fault ({error}), and nothing changed."
    if phase is Phase.FAILED:
        return f"{words.doing} was refused: {reason_in_words(details)}."
    tell = _TOLD.get(action)
    return tell(phase, details, personal) if tell else words.done


def reason_in_words(details: Mapping[str, Any]) -> str:
    reason = str(details.get("reason", "nobody wrote down why"))
    if reason == "locked" and details.get("known_device"):
        return "there had been too many wrong passwords on this device"
    return REASONS.get(reason, reason)


ACTIONS: Final[Mapping[str, Words]] = {
    AuditAction.USER_REGISTERED: Words("The account was registered.", "Registering"),
    AuditAction.USER_EMAIL_VERIFIED: Words(
        "The address was confirmed by its link.", "Confirming the address"
    ),
    AuditAction.USER_ADMIN_CREATED: Words("An admin was made.", "Making an admin"),
    AuditAction.USER_SETUP_LINK_ISSUED: Words(
        "A link for the first admin was issued.", "Issuing a link for the first admin"
    ),
    AuditAction.USER_VERIFICATION_REQUESTED: Words(
        "A link to confirm the address was mailed.", "Mailing a link to confirm the address"
    ),
    AuditAction.USER_PASSWORD_CHANGED: Words("The password was changed.", "Changing the password"),
    AuditAction.USER_PASSWORD_REHASHED: Words(
        "The same password was hashed anew, as passwords are today.", "Hashing the password anew"
    ),
    AuditAction.USER_PASSWORD_RESET_REQUESTED: Words(
        "A link to choose a new password was mailed.", "Mailing a link to choose a new password"
    ),
    AuditAction.USER_PASSWORD_RESET: Words(
        "A new password was chosen by the mailed link.", "Choosing a new password by link"
    ),
    AuditAction.USER_SESSIONS_FORFEITED: Words(
        "The sessions of the person ended.", "Ending the sessions of the person"
    ),
    AuditAction.USER_EMAIL_CHANGE_REQUESTED: Words(
        "A link to change the address was mailed.", "Asking for another address"
    ),
    AuditAction.USER_EMAIL_CHANGED: Words("The address was changed.", "Changing the address"),
    AuditAction.USER_DELETED: Words(
        "The account was deleted by its owner.", "Deleting the account"
    ),
    AuditAction.USER_VIEWED: Words("Accounts were looked at.", "Looking at accounts"),
    AuditAction.USER_EXPORTED: Words(
        "The person took a copy of their own data.", "Taking a copy of one's own data"
    ),
    AuditAction.USER_INVITED: Words("The person was invited.", "Inviting the person"),
    AuditAction.USER_INVITATION_ACCEPTED: Words(
        "The invitation was accepted.", "Accepting the invitation"
    ),
    AuditAction.USER_IMPORTED: Words(
        "The account was brought along from another system.", "Importing the account"
    ),
    AuditAction.USER_CHANGED: Words("The account was changed.", "Changing the account"),
    AuditAction.USER_ROLE_CHANGED: Words("The role was changed.", "Changing the role"),
    AuditAction.USER_ACTIVITY_CHANGED: Words(
        "The account was switched on or off.", "Switching the account on or off"
    ),
    AuditAction.USER_LIMITS_CHANGED: Words(
        "The limit of sessions was changed.", "Changing the limit of sessions"
    ),
    AuditAction.USER_TOKENS_PURGED: Words(
        "What had expired long ago was removed.", "Removing what had expired"
    ),
    AuditAction.USER_LOGIN: Words("Signed in.", "Signing in"),
    AuditAction.USER_LOCKED: Words("Signing in was locked.", "Locking the account"),
    AuditAction.USER_UNLOCKED: Words("Every lock was lifted.", "Lifting the locks"),
    AuditAction.USER_DEVICE_PASS_GRANTED: Words(
        "A device became known by the mailed link.", "Making a device known"
    ),
    AuditAction.USER_DEVICES_FORGOTTEN: Words(
        "All known devices became strangers.", "Forgetting the known devices"
    ),
    AuditAction.SESSION_REFRESHED: Words("The session was refreshed.", "Refreshing the session"),
    AuditAction.SESSION_REAUTHENTICATED: Words(
        "The password was proved again.", "Proving the password again"
    ),
    AuditAction.SESSION_REVOKED: Words("The session was ended.", "Ending the session"),
    AuditAction.SESSIONS_REVOKED: Words(
        "Sessions of the person were ended.", "Ending sessions of the person"
    ),
    AuditAction.SESSION_ENDED: Words("The session ended.", "Ending the session"),
    AuditAction.SESSIONS_PURGED: Words(
        "Sessions that were over long ago were removed.", "Removing old sessions"
    ),
    AuditAction.TOKEN_CREATED: Words(
        "A personal access token was made.", "Making a personal access token"
    ),
    AuditAction.TOKEN_REVOKED: Words(
        "A personal access token was ended.", "Ending a personal access token"
    ),
    AuditAction.TOKENS_ROTATED: Words("All tokens were rotated.", "Rotating the tokens"),
    AuditAction.REQUESTS_THROTTLED: Words(
        "Requests were refused for a while: there were too many.", "Refusing requests"
    ),
    AuditAction.AUDIT_VIEWED: Words("The trail was read.", "Reading the trail"),
    AuditAction.AUDIT_VIEW_REFUSED: Words(
        "Somebody without the right tried to read the trail.", "Refusing a reader"
    ),
    AuditAction.AUDIT_EXPORTED: Words("The trail was exported.", "Exporting the trail"),
    AuditAction.AUDIT_SUBJECT_ERASED: Words(
        "What tells who somebody was is erased from the trail.", "Erasing a person"
    ),
    AuditAction.AUDIT_PRUNED: Words("Old months were archived.", "Archiving old months"),
    AuditAction.AUDIT_KEY_ROTATED: Words(
        "Another key signs the trail from here on.", "Changing the signing key"
    ),
    AuditAction.AUDIT_EPOCH_BEGUN: Words(
        "The database was restored in another cluster.", "Beginning an epoch"
    ),
    AuditAction.AUDIT_DATABASE_TRUSTED: Words(
        "The file outside the database was lost, and was written anew from it.",
        "Trusting the database",
    ),
    AuditAction.DEMO_SEEDED: Words(
        "Accounts and a month of events were made up, to look at.", "Making up accounts"
    ),
    AuditAction.TEST_ARRANGED: Words("A test arranged its rows.", "Arranging a test"),
}

REASONS: Final[Mapping[str, str]] = {
    # signing in
    "unknown": "there is no such account or token",
    "wrong_password": "the password was wrong",
    "locked": "there had been too many wrong passwords, or an admin locked the account",
    "inactive": "the account is deactivated",
    "unverified": "the address was not confirmed yet",
    "role": "this role may not enter the admin panel",
    "changed_meanwhile": "the account changed at the same moment",
    "cooldown": "a mail had left a moment before",
    # refreshing
    "not_genuine": "the token was not made here",
    "ended": "the session was over already",
    "account_changed": "the account may not sign in any more",
    "unknown_key": "the token was made under a key that is not configured here",
    # how sessions end
    "revoked": "somebody ended it by hand",
    "session_limit": "there were as many sessions as the account may have, and it was the oldest",
    "refresh_token_reuse": (
        "a refresh token that was used up came back, so somebody may have stolen it"
    ),
    "password_changed": "the password was changed on another device",
    "password_reset": "a new password was chosen by the mailed link",
    "deactivated": "the account was deactivated",
    "demoted": "the account was given a lower role",
    "account_deleted": "the account was deleted",
    # refusals that callers are told as codes
    "invalid_email": "this is no e-mail address",
    "email_already_exists": "there is an account of this address",
    "weak_password": "the password is too easy to guess",
    "user_not_found": "there is no such user",
    "invalid_one_use_token": "the link was unknown, used or expired",
    "admin_already_exists": "there is an admin already",
    "registration_closed": "nobody can register here without an invitation",
    "last_admin": "this is the last admin who can sign in",
    "own_role": "nobody changes their own role",
    "account_inactive": "the account is not active",
    "invalid_credentials": "the password was wrong",
    "session_not_found": "it was over already, or is another person's",
    "personal_token_not_found": "it was over already, or is another person's",
    "too_many_tokens": "there are as many tokens as one may have",
    "validation_failed": "what was asked for is not possible",
    "rate_limited": "there were too many requests",
}

_MARKS: Final = {
    "new_device": "a device that had not been seen before",
    "new_network": "a network that had not been seen before",
    "after_failures": "after several wrong passwords",
}


def _login(phase: Phase, details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    where = f" on {personal['device']}" if "device" in personal else ""
    marks = [_MARKS.get(mark, mark) for mark in details.get("marks", ())]
    return f"Signed in{where}{': ' if marks else ''}{', '.join(marks)}."


def _locked(phase: Phase, details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    until = f" until {_moment(details['until'])}" if "until" in details else ""
    if phase is Phase.SUCCEEDED:
        return f"An admin locked signing in{until}, on every device."
    whom = "for this device" if details.get("known_by") else "for devices that are not known"
    failures = details.get("failures", "too many")
    return f"Signing in was locked {whom}{until}, after {failures} wrong passwords in a row."


def _ended(phase: Phase, details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    return f"The session ended: {reason_in_words(details)}."


def _forfeited(phase: Phase, details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    return f"The sessions of the person ended: {reason_in_words(details)}."


def _refreshed(phase: Phase, details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    if details.get("repeated"):
        return "The same answer was given once more: the first had not arrived."
    return "The session was refreshed."


def _role(phase: Phase, details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    return f"The role was changed from {details.get('old')} to {details.get('new')}."


def _activity(phase: Phase, details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    return f"The account was {'reactivated' if details.get('new') else 'deactivated'}."


def _confirmed(phase: Phase, details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    if phase is Phase.SOLE:
        return "An admin vouched for the address."
    return ACTIONS[AuditAction.USER_EMAIL_VERIFIED].done


def _rotated(phase: Phase, details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    at = f" from {_moment(details['effective_at'])} on" if "effective_at" in details else ""
    return f"Tokens of before are over{at}: {details.get('reason', 'nobody wrote down why')}."


def _throttled(phase: Phase, details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    return (
        f"Requests were refused for a while: more than {details.get('amount')} in"
        f" {details.get('seconds')} seconds ({details.get('policy')})."
    )


def _revoked_all(phase: Phase, details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    but = ", but for the one it was done from" if details.get("kept") else ""
    return f"All sessions of the person were ended{but}: {details.get('sessions', 0)}."


def _moment(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC"


_TOLD: Final[Mapping[str, Callable[[Phase, Mapping[str, Any], Mapping[str, Any]], str]]] = {
    AuditAction.USER_LOGIN: _login,
    AuditAction.USER_LOCKED: _locked,
    AuditAction.USER_EMAIL_VERIFIED: _confirmed,
    AuditAction.USER_ROLE_CHANGED: _role,
    AuditAction.USER_ACTIVITY_CHANGED: _activity,
    AuditAction.USER_SESSIONS_FORFEITED: _forfeited,
    AuditAction.SESSION_REFRESHED: _refreshed,
    AuditAction.SESSION_ENDED: _ended,
    AuditAction.SESSIONS_REVOKED: _revoked_all,
    AuditAction.TOKENS_ROTATED: _rotated,
    AuditAction.REQUESTS_THROTTLED: _throttled,
}
