"""Of each operation: what is sent and answered, and how it is refused."""

from typing import Final

from core.documentation import Table, Told
from core.errors import ErrorCode
from users.api.examples import EMAIL, PASSWORD, USER_ID

_ACCESS: Final = "dsh_access_AaIbSzb7c5-V9ZpY4daZ_QAAAAFH2_FTxeqrAcKJfaWAksxVphZl5sWQFHvP1bqyV27toA"
_REFRESH: Final = (
    "dsh_refresh_AaIbSzb7c5-V9ZpY4daZ_QAAAAHmS1iY_ORUsxuV4hMiBHBOmUUauQZB8cCQXcoAcZQqxg"
)
_DEVICE: Final = "dsh_device_AaIbSzb8dB-TA_sckMPwfZaexoVg4mg8RclONYyn2EmDsz8bBsa-g2UKb6k4DxEd"
_PERSONAL: Final = "dsh_pat_AaIbSzcHdKSRyb_DIZsF0JZNqk3_8FFBINBarqOrrn87cnTJTnxX5gEiO2UDWqk2"
_TOKENS: Final = {
    "access_token": _ACCESS,
    "refresh_token": _REFRESH,
    "token_type": "Bearer",
    "expires_in": 900,
}
_SESSION: Final = {
    "id": "01a21b4b-36fb-739f-95f5-9a58e1d699fd",
    "device": "Firefox on Linux",
    "ip_address": "192.0.2.7",
    "location": None,
    "created_at": "2026-11-27T04:37:23.741560Z",
    "last_seen_at": "2026-11-27T04:37:23.741560Z",
    "expires_at": "2026-12-11T04:37:23.741560Z",
    "is_current": True,
    "marks": ["new_device"],
}
_PERSONAL_TOKEN: Final = {
    "id": "01a21b4b-3707-74a4-91c9-bfc3219b05d0",
    "name": "nightly report",
    "scope": "read",
    "created_at": "2026-11-27T04:37:23.845165Z",
    "expires_at": "2027-02-25T04:37:23.845165Z",
    "last_used_at": None,
}
_INTROSPECTED: Final = {
    "active": True,
    "token_type": "Bearer",
    "sub": USER_ID,
    "username": EMAIL,
    "role": "user",
    "scope": "read write",
    "iat": 1795754243,
    "exp": 1795755143,
    "sid": _SESSION["id"],
}

EXAMPLES: Final[Table] = {
    "sign_in": Told(
        request={"email": EMAIL, "password": PASSWORD},
        answer=_TOKENS | {"device_token": _DEVICE},
        codes=(ErrorCode.INVALID_CREDENTIALS,),
    ),
    "list_sessions": Told(answer={"results": [_SESSION], "next": None}, is_recorded=False),
    "sign_out_everywhere": Told(codes=(ErrorCode.REAUTHENTICATION_REQUIRED,)),
    "revoke_other_sessions": Told(),
    "sign_out": Told(),
    "revoke_session": Told(
        codes=(ErrorCode.REAUTHENTICATION_REQUIRED, ErrorCode.SESSION_NOT_FOUND)
    ),
    "refresh_tokens": Told(
        request={"refresh_token": _REFRESH}, answer=_TOKENS, codes=(ErrorCode.INVALID_GRANT,)
    ),
    "reauthenticate": Told(
        request={"password": PASSWORD}, answer=_TOKENS, codes=(ErrorCode.INVALID_CREDENTIALS,)
    ),
    "list_access_tokens": Told(answer={"results": [_PERSONAL_TOKEN]}, is_recorded=False),
    "create_access_token": Told(
        request={"name": "nightly report", "scope": "read", "expires_in_days": 90},
        answer=_PERSONAL_TOKEN | {"token": _PERSONAL},
        codes=(ErrorCode.REAUTHENTICATION_REQUIRED, ErrorCode.TOO_MANY_TOKENS),
    ),
    "revoke_access_token": Told(codes=(ErrorCode.PERSONAL_TOKEN_NOT_FOUND,)),
    "introspect": Told(request={"token": _ACCESS}, answer=_INTROSPECTED, is_recorded=False),
    "revoke_token": Told(request={"token": _REFRESH}),
    "end_sessions_of_account": Told(
        request={"reason": "The account was taken over."},
        answer={"sessions": 2},
        codes=(ErrorCode.SESSION_NOT_FOUND,),
    ),
    "rotate_tokens": Told(
        request={"user_id": USER_ID, "reason": "a phishing mail", "grace_seconds": 0},
        answer={
            "sessions": 2,
            "personal_tokens": 1,
            "effective_at": "2026-11-27T04:37:24.719387Z",
        },
        codes=(ErrorCode.USER_NOT_FOUND,),
    ),
}
