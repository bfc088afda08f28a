from enum import StrEnum


class Role(StrEnum):
    USER = "user"
    AUDITOR = "auditor"
    ADMIN = "admin"

    def is_below(self, other: "Role") -> bool:
        ranks = list(Role)
        return ranks.index(self) < ranks.index(other)


class SessionTier(StrEnum):
    """How many sessions an account may have at once; None is no bound."""

    BASIC = "basic"
    ESSENTIAL = "essential"
    PLUS = "plus"
    PREMIUM = "premium"
    PRO = "pro"

    @property
    def max_sessions(self) -> int | None:
        return _LIMITS[self]


_LIMITS: dict[SessionTier, int | None] = {
    SessionTier.BASIC: 2,
    SessionTier.ESSENTIAL: 3,
    SessionTier.PLUS: 5,
    SessionTier.PREMIUM: 10,
    SessionTier.PRO: None,
}
