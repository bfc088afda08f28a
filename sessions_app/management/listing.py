"""A session, as commands tell of it."""

from datetime import datetime
from typing import Any, Final

from core.terminal import Cell, moment
from sessions_app.domain.session import DeviceSession
from sessions_app.ports import SessionWithUser

COLUMNS: Final = ("Session", "Whose, on what", "Last seen")
_TIMES: Final = ("created_at", "last_seen_at", "expires_at")


def document(found: SessionWithUser, now: datetime) -> dict[str, Any]:
    session = found.session
    return {
        "id": str(session.id),
        "user_id": str(session.user_id),
        "email": found.user.email,
        "kind": session.kind,
        "device": session.device,
        "ip_address": session.ip_address,
        "location": session.location,
        **{name: getattr(session, name).isoformat() for name in _TIMES},
        "state": state_of(session, now),
    }


def row(found: SessionWithUser, now: datetime) -> list[Cell]:
    """Of `COLUMNS`."""
    session = found.session
    place = ", ".join(part for part in (session.ip_address, session.location) if part)
    return [
        str(session.id),
        (found.user.email, session.device, place or "no address"),
        (f"{session.last_seen_at:%Y-%m-%d %H:%M}", state_of(session, now)),
    ]


def state_of(session: DeviceSession, now: datetime) -> str:
    """`live`, or why it has ended."""
    if session.is_live(now):
        return "live"
    if session.revoked_reason is not None:
        return session.revoked_reason
    return "expired" if now >= session.expires_at else "tokens_rotated"


def line(session: DeviceSession) -> str:
    """Among other facts of its owner."""
    seen = f"seen {moment(session.last_seen_at)}"
    parts = (session.device, session.ip_address, session.location, seen, str(session.id))
    return ", ".join(part for part in parts if part)
