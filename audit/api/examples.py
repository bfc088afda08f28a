"""Of each operation: what is answered, and how it is refused. They are what one trail answered:
the proof is one that holds."""

import json
from typing import Any, Final

from core.documentation import Table, Told
from core.errors import ErrorCode

LINES: Final = "application/x-ndjson"
_ADMIN: Final = "01a21b3f-ea58-7de4-9fc2-01b310fc81c3"
_PERSON: Final = {
    "ref": "d2698d5a-4a26-453b-9c2c-1e4d16906c00",
    "user_id": "01a21b3f-e689-7199-bdde-87247424afc6",
}
_EVENT: Final[dict[str, Any]] = {
    "id": "01a21b4b-370b-7890-90ff-85fd0103c289",
    "at": "2026-11-27T04:37:23.853993Z",
    "recorded_at": "2026-11-27T04:37:23.854000+00:00",
    "action": "user.changed",
    "phase": "SUCCEEDED",
    "attempt": "01a21b4b-370b-7890-90ff-85fd0103c288",
    "correlation": "01a21b4b-3709-75f9-bb40-31025331a1ae",
    "actor": {"ref": "fbeeec6a-b4f0-4527-8bd1-da0504c8005f", "user_id": _ADMIN},
    "subject": _PERSON,
    "resource": {"type": "user", **_PERSON},
    "door": "api",
    "trace_id": "01a21b4b370975b2be4edec6e60098b6",
    "details": {},
    "source": {"ip": "127.0.0.1"},
    "personal": None,
    "is_erased": False,
    "error": None,
    "is_sealed": True,
}
_ENTRY: Final = (
    '{"action":"user.changed","actor":"fbeeec6a-b4f0-4527-8bd1-da0504c8005f",'
    '"at":"2026-11-27T04:37:23.853993Z","attempt":"01a21b4b-370b-7890-90ff-85fd0103c288",'
    '"corr":"01a21b4b-3709-75f9-bb40-31025331a1ae","ctx":{"door":"api",'
    '"event":"01a21b4b-370d-7fcc-b9ca-4d7c7bdeed60",'
    '"trace":"01a21b4b370975b2be4edec6e60098b6"},"err":null,'
    '"id":"01a21b4b-370b-7890-90ff-85fd0103c289","ip_bi":"10271ed0003a8bf8",'
    '"phase":"SUCCEEDED","pii":null,'
    '"resource":["user","d2698d5a-4a26-453b-9c2c-1e4d16906c00"],'
    '"src":"3dnbLeAQFxRWI939DQ/SS302y2brWgjjy7MZotNYew7GE8WzA3qrqjrUenAzrQ==",'
    '"subject":"d2698d5a-4a26-453b-9c2c-1e4d16906c00","v":1}'
)
_NOTE: Final = (
    "127.0.0.1:18765/audit\n63\n3OXUMcUhYHHPivEKbtnQ9Zv6ucFdcT38SuJivlSnpUg=\n\n"
    "\u2014 127.0.0.1:18765/audit nfnSF+/I3nEjok90C1fdbGIBzeeVuwmhS6KvzFWa8q6YZT4JxQKS0u+4Ku97"
    "v+cr9szCY5287lYnELbqjZXqh3SY8Ac=\n"
)
_PROOF: Final = (
    "c2sp.org/tlog-proof@v1\nindex 60\n"
    "vLHiU4yd4jEI8XC2l6oSC1NedcCbdGeNcfuhQRvflQ4=\n"
    "Pta46G+PEEJkIjsI/4p2LQjf6Zl9hIug+1X9/qhc0Cc=\n"
    "cO70Udi37lHKqezYVU319LO/8kd9ubu77IB5LxHeAoI=\n"
    "ZwNNc/+Z2eujFgmEFXR2NOahjDBsckU/i5tBmtdNVzg=\n"
    "vZwyipODaFIzBlHUEkgcx1uV/DiGt3eZxh2lLukXvew=\n"
    "7YS/yTpjP+QCQ4gt0kX3e+n0Dyb8gi8ucMwMLHk0rwY=\n\n" + _NOTE
)
_CONSISTENCY: Final = [
    "mKCc3UiYLunZ/ORTDR1QU9bfu7M4sWFq+B26GGCCOfE=",
    "NU6sTnTOY2xsfnNn/1QoU8x1CHZW+fGXVWuG2JV8UKU=",
    "UT+NPqlDHMbz+0g7e23zJAy74vW9VEEt9cGy8hSjJtU=",
    "XJ9Ifrjp7D/boMHu/t7mAlrCx/VDrOto5LrMbg6WrpA=",
    "TTc7v8C6toYx+iSL5/6N4D96ViT2XKfGRjIxF/1hj+k=",
]
_ACTIVITY: Final = {
    "id": "01a21b4b-365e-7a21-8d1a-7f102fafaf81",
    "at": "2026-11-27T04:37:23.837696Z",
    "action": "user.login",
    "phase": "SUCCEEDED",
    "by_me": True,
    "door": "api",
    "reason": None,
    "ip": "192.0.2.7",
    "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}
_STEP: Final = {
    "id": "01a21b41-b398-7a70-8a5d-3c9e2b6fd1b4",
    "at": "2026-11-27T04:27:00.389337Z",
    "action": "session.revoked",
    "phase": "SUCCEEDED",
    "text": "The session was ended.",
    "by": "its owner",
}
_DAMAGED: Final = (ErrorCode.NOTHING_SEALED, ErrorCode.NOT_AS_SEALED)

EXAMPLES: Final[Table] = {
    "list_audit_events": Told(answer={"results": [_EVENT], "next": None}),
    "get_audit_event": Told(
        answer=_EVENT | {"entry": _ENTRY, "proof": {"leaf": 60, "text": _PROOF}},
        codes=(ErrorCode.EVENT_NOT_FOUND, ErrorCode.NOT_SEALED_YET, *_DAMAGED),
    ),
    "export_audit_events": Told(answer=json.dumps(_EVENT) + "\n", answer_type=LINES),
    "get_latest_checkpoint": Told(
        answer={
            "origin": "127.0.0.1:18765/audit",
            "size": 63,
            "root_hash": "dce5d431c5216071cf8af10a6ed9d0f59bfab9c15d713dfc4ae262be54a7a548",
            "note": _NOTE,
        },
        codes=_DAMAGED,
    ),
    "get_consistency_proof": Told(
        answer={"from": 3, "to": 10, "hashes": _CONSISTENCY}, codes=_DAMAGED
    ),
    "list_own_activity": Told(answer={"results": [_ACTIVITY], "next": None}, is_recorded=False),
    "explain_session": Told(
        answer={
            "summary": "2026-11-27 04:27 UTC, by its owner: The session was ended.",
            "steps": [_STEP],
            "is_whole": True,
        },
        codes=(ErrorCode.SESSION_NOT_FOUND,),
        is_recorded=False,
    ),
}
