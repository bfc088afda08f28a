"""An account, as commands tell of it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from core.terminal import Cell, moment
from users.domain.lockout import FAILURES_IN_A_ROW, FailureCount
from users.domain.user import User

COLUMNS: Final = ("Address, id", "Role", "State", "Made")
_SHOWN: Final = ("id", "email", "is_verified", "role", "is_active", "session_tier", "max_sessions")


def document(user: User) -> dict[str, Any]:
    """As the API writes it."""
    values = {name: getattr(user, name) for name in _SHOWN}
    times = {"created_at": user.created_at, "updated_at": user.updated_at}
    return values | {"id": str(user.id)} | {name: at.isoformat() for name, at in times.items()}


def row(user: User, locked: Collection[UUID]) -> list[Cell]:
    """Of `COLUMNS`."""
    state = f"{state_of(user)}, locked" if user.id in locked else state_of(user)
    return [(user.email, str(user.id)), user.role, state, f"{user.created_at:%Y-%m-%d}"]


def state_of(user: User) -> str:
    if not user.is_active:
        return "deactivated"
    return "active" if user.is_verified else "not confirmed"


def facts(user: User) -> list[tuple[str, str]]:
    limit = user.session_limit()
    return [
        ("Account", user.email),
        ("Id", str(user.id)),
        ("Role", user.role),
        ("State", state_of(user)),
        ("Sessions", f"{limit or 'any number'} at once ({user.session_tier})"),
        ("Made", moment(user.created_at)),
        ("Changed", moment(user.updated_at)),
    ]


def lock_text(strangers: FailureCount, others: int, now: datetime) -> str:
    """Of all who are not known, and of how many that are counted by themselves."""
    texts = [_strangers_text(strangers)] if strangers.is_locked(now) else []
    if others:
        texts.append(f"{others} of known devices, sessions or links")
    return "; ".join(texts) or "none"


def lock_document(strangers: FailureCount, others: int, now: datetime) -> dict[str, Any]:
    """`until` is None where no time lifts it."""
    is_locked = strangers.is_locked(now)
    until = strangers.locked_until
    has_end = is_locked and until is not None and strangers.failures < FAILURES_IN_A_ROW
    return {
        "is_locked": is_locked,
        "until": until.isoformat() if has_end and until else None,
        "failures": strangers.failures,
        "known_locked": others,
    }


def _strangers_text(count: FailureCount) -> str:
    if count.failures >= FAILURES_IN_A_ROW or count.locked_until is None:
        return f"after {count.failures} failures, until a new password or `users unlock`"
    return f"until {moment(count.locked_until)}, but for known devices"
