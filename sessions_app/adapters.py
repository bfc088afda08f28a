"""Devices by name, and what their owners are told by mail."""

from dataclasses import dataclass
from typing import Final

from ua_parser import parse

from mail.outbox import Outbox
from sessions_app.domain.familiarity import Mark
from sessions_app.domain.session import DeviceSession

NEW_SIGN_IN: Final = "sessions_app.new_sign_in"
REUSE: Final = "sessions_app.reuse"
_WHY: Final = {
    Mark.NEW_DEVICE: "this device was not used before",
    Mark.NEW_NETWORK: "this network was not used before",
    Mark.AFTER_FAILURES: "there were wrong passwords before it",
}


class UserAgentNames:
    def describe(self, user_agent: str | None) -> str:
        """'Firefox on Linux'; programs by their own first word ('curl')."""
        if not user_agent:
            return "Unknown device"
        known = parse(user_agent)
        browser = known.user_agent.family if known.user_agent else None
        system = known.os.family if known.os else None
        if browser and system:
            return f"{browser} on {system}"[:128]
        return (browser or system or user_agent.split("/")[0].split(" ")[0] or "Unknown device")[
            :128
        ]


@dataclass(frozen=True)
class OutboxNotices:
    outbox: Outbox

    def new_sign_in(self, email: str, session: DeviceSession) -> None:
        self._put(NEW_SIGN_IN, email, session)

    def reuse(self, email: str, session: DeviceSession) -> None:
        self._put(REUSE, email, session)

    def _put(self, kind: str, email: str, session: DeviceSession) -> None:
        place = f" ({session.location})" if session.location else ""
        self.outbox.put(
            kind,
            email,
            reference=session.id,
            why=", ".join(_WHY[mark] for mark in session.marks),
            device=session.device,
            ip_address=(session.ip_address or "an unknown address") + place,
            at=f"{session.created_at:%Y-%m-%d %H:%M} UTC",
        )
