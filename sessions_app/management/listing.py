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
        "state": session.state(now),
    }


def row(found: SessionWithUser, now: datetime) -> list[Cell]:
    """Of `COLUMNS`."""
    session = found.session
    place = ", ".join(part for part in (session.ip_address, session.location) if part)
    return [
        str(session.id),
        (found.user.email, session.device, place or "no address"),
        (f"{session.last_seen_at:%Y-%m-%d %H:%M}", session.state(now)),
    ]


def line(session: DeviceSession) -> str:
    """Among other facts of its owner."""
    seen = f"seen {moment(session.last_seen_at)}"
    parts = (session.device, session.ip_address, session.location, seen, str(session.id))
    return ", ".join(part for part in parts if part)
