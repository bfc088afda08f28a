"""Devices by name."""

from ua_parser import parse


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
