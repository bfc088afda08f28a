"""Of each operation: what is sent and answered, and how it is refused."""

from typing import Any, Final

from core.documentation import Table, Told
from core.errors import ErrorCode

USER_ID: Final = "01a21b3f-e689-7199-bdde-87247424afc6"
EMAIL: Final = "ada@example.com"
PASSWORD: Final = "correct horse battery staple"  # noqa: S105  nobody's
MADE_AT: Final = "2026-11-27T04:25:02.345059Z"
_ONCE: Final = "dsh_once_AaIbSzb7c5-V9ZpY4daZ_WwGz0t8rXcAcJfaWAksxVphZl5sWQFHvP1bqyV27toA"
_DEVICE: Final = "dsh_device_AaIbSzb8dB-TA_sckMPwfZaexoVg4mg8RclONYyn2EmDsz8bBsa-g2UKb6k4DxEd"
_REASON: Final = {"reason": "She asked by telephone."}
_REGISTERED: Final = {"id": USER_ID, "email": EMAIL, "is_verified": False, "created_at": MADE_AT}
_PROFILE: Final = _REGISTERED | {"is_verified": True, "role": "user"}
_CHOICE: Final = {"token": _ONCE, "password": PASSWORD}
_CHOICE_CODES: Final = (ErrorCode.INVALID_ONE_USE_TOKEN, ErrorCode.WEAK_PASSWORD)
_TAKEN: Final = (ErrorCode.INVALID_EMAIL, ErrorCode.EMAIL_ALREADY_EXISTS)
_NOBODY: Final = (ErrorCode.USER_NOT_FOUND,)
_ACCOUNT: Final[dict[str, Any]] = _PROFILE | {
    "is_active": True,
    "session_tier": "basic",
    "max_sessions": None,
    "updated_at": MADE_AT,
}
_EXPORT: Final = {
    "account": _ACCOUNT | {"token_version": 1},
    "mailed_links": [
        {
            "purpose": "email_verification",
            "expires_at": "2026-11-28T04:25:02.345059Z",
            "spent_at": "2026-11-27T04:26:11.000000Z",
            "email": None,
        }
    ],
    "known_devices": [
        {
            "known_since": "2026-11-27T04:37:23.836250Z",
            "last_used_at": None,
            "expires_at": "2027-05-26T04:37:23.836250Z",
        }
    ],
    "sessions": [
        {
            "id": "01a21b41-a28e-713b-a69a-270d172f243a",
            "kind": "api",
            "device": "Firefox on Linux",
            "ip_address": "192.0.2.7",
            "location": None,
            "created_at": "2026-11-27T04:26:56.011901Z",
            "last_seen_at": "2026-11-27T04:26:56.011901Z",
            "revoked_at": "2026-11-27T04:27:00.389337Z",
            "revoked_reason": "revoked",
        }
    ],
    "personal_tokens": [],
}

EXAMPLES: Final[Table] = {
    "register": Told(
        request={"email": EMAIL, "password": PASSWORD},
        answer=_REGISTERED,
        codes=(*_TAKEN, ErrorCode.WEAK_PASSWORD, ErrorCode.REGISTRATION_CLOSED),
    ),
    "get_current_user": Told(answer=_PROFILE, is_recorded=False),
    "delete_current_user": Told(codes=(ErrorCode.REAUTHENTICATION_REQUIRED, ErrorCode.LAST_ADMIN)),
    "export_current_user": Told(answer=_EXPORT),
    "verify_email": Told(request={"token": _ONCE}, codes=(ErrorCode.INVALID_ONE_USE_TOKEN,)),
    "request_email_verification": Told(request={"email": EMAIL}),
    "request_email_change": Told(request={"email": "ada@example.org"}, codes=_TAKEN),
    "change_email": Told(request={"token": _ONCE}, codes=(ErrorCode.INVALID_ONE_USE_TOKEN,)),
    "change_password": Told(
        request={"current_password": PASSWORD, "new_password": "a pocketful of small thunder"},
        codes=(ErrorCode.WEAK_PASSWORD, ErrorCode.INVALID_CREDENTIALS),
    ),
    "request_password_reset": Told(request={"email": EMAIL}),
    "reset_password": Told(request=_CHOICE, codes=_CHOICE_CODES),
    "accept_invitation": Told(request=_CHOICE, codes=_CHOICE_CODES),
    "grant_device_pass": Told(
        request={"token": _ONCE},
        answer={"device_token": _DEVICE},
        codes=(ErrorCode.INVALID_ONE_USE_TOKEN,),
    ),
    "list_accounts": Told(answer={"results": [_ACCOUNT], "next": None}),
    "invite_user": Told(
        request={"email": EMAIL, "role": "user"},
        answer=_ACCOUNT | {"is_verified": False},
        codes=_TAKEN,
    ),
    "get_account": Told(answer=_ACCOUNT, codes=_NOBODY),
    "change_account": Told(
        request=_REASON | {"role": "auditor", "max_sessions": 5},
        answer=_ACCOUNT | {"role": "auditor", "max_sessions": 5},
        codes=(*_NOBODY, ErrorCode.OWN_ROLE, ErrorCode.LAST_ADMIN),
    ),
    "start_password_reset": Told(request=_REASON, codes=(*_NOBODY, ErrorCode.ACCOUNT_INACTIVE)),
    "lock_account": Told(
        request={"reason": "Somebody guesses.", "hours": 24},
        answer={"locked_until": "2026-11-28T04:37:23.857532Z"},
        codes=_NOBODY,
    ),
    "unlock_account": Told(request=_REASON, codes=_NOBODY),
}
