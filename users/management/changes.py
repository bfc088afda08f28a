"""What commands change of an account: the handlers of the API, with a reason and without an actor,
since there are no users at the command line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from core.errors import DomainError
from core.exits import refusal
from core.result import Failure, Result
from core.terminal import moment
from users import wiring
from users.application import locking
from users.application.accounts import ChangeAccount
from users.application.locking import LockAccount, UnlockAccount
from users.management import accounts

T = TypeVar("T")

LONGEST_LOCK: Final = locking.LONGEST_LOCK // timedelta(hours=1)
"""Hours."""


@dataclass(frozen=True)
class Done:
    """One sentence for people, one document for programs."""

    text: str
    document: Mapping[str, Any]


Change: TypeAlias = Callable[[UUID, dict[str, Any]], Done]


def lock(user_id: UUID, options: dict[str, Any]) -> Done:
    command = LockAccount(
        user_id=user_id, period=timedelta(hours=options["hours"]), stated_reason=options["reason"]
    )
    until = unwrap(wiring.lock_account().handle(command))
    text = f"Nobody signs in until {moment(until)}; sessions that are there go on."
    return Done(text, {"id": str(user_id), "locked_until": until.isoformat()})


def unlock(user_id: UUID, options: dict[str, Any]) -> Done:
    command = UnlockAccount(user_id=user_id, stated_reason=options["reason"])
    unwrap(wiring.unlock_account().handle(command))
    text = "No lock is left, and failures are counted from nothing."
    return Done(text, {"id": str(user_id), "locked_until": None})


def deactivate(user_id: UUID, options: dict[str, Any]) -> Done:
    return _switch(
        user_id, options, "It is deactivated, and all its sessions have ended.", to=False
    )


def reactivate(user_id: UUID, options: dict[str, Any]) -> Done:
    return _switch(user_id, options, "It is active: its owner can sign in again.", to=True)


CHANGES: Final[Mapping[str, tuple[Change, str]]] = {
    "lock": (lock, "let nobody sign in on it for some hours"),
    "unlock": (unlock, "lift every lock of it"),
    "deactivate": (deactivate, "switch it off; its sessions end"),
    "reactivate": (reactivate, "switch it on again"),
}
"""With what each does."""


def unwrap(result: Result[T, DomainError]) -> T:
    if isinstance(result, Failure):
        raise refusal(result.error)
    return result.value


def _switch(user_id: UUID, options: dict[str, Any], text: str, *, to: bool) -> Done:
    command = ChangeAccount(
        user_id=user_id, actor_id=None, stated_reason=options["reason"], is_active=to
    )
    return Done(text, accounts.document(unwrap(wiring.change_account().handle(command))))
