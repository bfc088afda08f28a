"""Negative controls: what the races must catch, or their silence about the real one means nothing.
Each is what such code often looks like."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from threading import Event
from typing import Any, Final
from uuid import UUID

from django.db.models.query import QuerySet

from sessions_app import models as session_models
from sessions_app.domain.session import DeviceSession
from sessions_app.mapping import rotated_at, session_entity
from sessions_app.repositories import DjangoSessionRepository
from users import models
from users.repositories.tokens import DjangoOneUseTokenRepository

_PAUSE: Final = Event()
_SHORT: Final = 0.002


@dataclass(frozen=True)
class Control:
    """`races` are those that must break."""

    install: Callable[[], None]
    races: tuple[str, ...]


def _refresh_blindly() -> None:
    """Read, change, save all: no lock, no condition."""

    def lock(self: DjangoSessionRepository, session_id: UUID) -> DeviceSession | None:
        self.database.write()
        rows = session_models.DeviceSession.objects.annotate(rotated_at=rotated_at())
        return next(map(session_entity, rows.filter(pk=session_id)), None)

    def refresh(self: DjangoSessionRepository, before: DeviceSession, after: DeviceSession) -> bool:
        self.database.write()
        values = asdict(after)
        del values["rotated_at"], values["id"]
        session_models.DeviceSession.objects.filter(pk=before.id).update(**values)
        return True

    _replace(DjangoSessionRepository, lock=lock, refresh=refresh)


def _look_before_redeeming() -> None:
    _lock_nothing()  # or the lock of the account keeps the promise alone

    def redeem(self: DjangoOneUseTokenRepository, token_id: UUID, now: datetime) -> bool:
        self.database.write()
        row = models.OneUseToken.objects.get(pk=token_id)
        if row.spent_at is not None or row.expires_at <= now:
            return False
        _PAUSE.wait(_SHORT)
        models.OneUseToken.objects.filter(pk=token_id).update(spent_at=now, email=None)
        return True

    _replace(DjangoOneUseTokenRepository, redeem=redeem)


def _lock_nothing() -> None:
    """As where somebody forgot `select_for_update`."""

    def select_for_update(self: QuerySet[Any], **_: Any) -> QuerySet[Any]:
        return self.all()

    _replace(QuerySet, select_for_update=select_for_update)


def _replace(owner: type, **methods: Callable[..., Any]) -> None:
    for name, method in methods.items():
        setattr(owner, name, method)


CONTROLS: Final = {
    "blind-refresh": Control(
        _refresh_blindly,
        ("keys-rotated", "refresh-revoke", "refresh-revoke-orders", "one-successor-orders"),
    ),
    "look-first": Control(
        _look_before_redeeming, ("verification", "verification-orders", "reset", "unlock")
    ),
    "no-locks": Control(
        _lock_nothing, ("limit", "password-change", "login-password-change-orders")
    ),
}
