"""Devices that strangers cannot lock out."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.keys import KeyRing
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from users.domain.device_pass import MOST_PASSES, DevicePass, read_pass_id
from users.domain.errors import INVALID_UNLOCK_TOKEN
from users.domain.events import (
    DevicePassGrantAttempted,
    DevicePassGrantFailed,
    DevicePassGrantSucceeded,
    DevicesForgotten,
)
from users.domain.tokens import OneUseToken, Purpose
from users.ports import DevicePassRepository, OneUseTokenRepository, UserRepository


@dataclass(frozen=True, kw_only=True)
class DevicePasses:
    """Whoever grants or ends passes holds the account's row."""

    pass_repo: DevicePassRepository
    event_bus: EventBusProtocol
    keys: KeyRing
    clock: Clock = SystemClock()
    new_salt: Callable[[], bytes] = field(default=lambda: secrets.token_bytes(32))

    def recognise(self, text: str | None) -> DevicePass | None:
        """Whose it is, is for the caller to compare."""
        pass_id = read_pass_id(text) if text else None
        found = self.pass_repo.find(pass_id) if pass_id else None
        if text is None or found is None or not found.is_live(self.clock.now()):
            return None
        return found if found.is_genuine(text, self.keys) else None

    def exists(self, pass_id: UUID) -> bool:
        return self.pass_repo.find(pass_id) is not None

    def grant(self, user_id: UUID) -> DevicePass:
        granted = DevicePass.grant(user_id, salt=self.new_salt(), now=self.clock.now())
        # Before it is there: one that was never used would be the first to go.
        self.pass_repo.forget_surplus(user_id, keep=MOST_PASSES - 1)
        self.pass_repo.save(granted)
        return granted

    def use(self, pass_id: UUID) -> DevicePass | None:
        """At a sign-in; None when it was ended meanwhile."""
        found = self.pass_repo.find(pass_id)
        if found is None:
            return None
        used = found.used(self.clock.now())
        self.pass_repo.update(used)
        return used

    def forget_all_of(self, user_id: UUID, shown: str | None = None) -> None:
        """But the one that is `shown`, if it is one of theirs."""
        acting = self.recognise(shown)
        kept = acting.id if acting and acting.user_id == user_id else None
        if forgotten := self.pass_repo.forget_all_of(user_id, except_for=kept):
            self.event_bus.publish(DevicesForgotten(user_id=user_id, devices=forgotten))


@dataclass(frozen=True, kw_only=True)
class GrantDevicePass:
    """To whoever has the link that was mailed when the account was locked."""

    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class GrantDevicePassHandler:
    """Grants no session: the password is still asked for, on a device that is known."""

    user_repo: UserRepository
    token_repo: OneUseTokenRepository
    passes: DevicePasses
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: GrantDevicePass) -> Result[str, DomainError]:
        """The text of the pass."""
        self.event_bus.publish(DevicePassGrantAttempted())
        token = self.token_repo.find(command.token, Purpose.UNLOCK)
        if token is None or token.user_id is None or not token.is_spendable(self.clock.now()):
            return self._refuse(token)
        user = self.user_repo.lock(token.user_id)
        if user is None or not user.can_login():
            return self._refuse(token)
        if not self.token_repo.redeem(token.id, self.clock.now()):
            return self._refuse(token)
        granted = self.passes.grant(user.id)
        self.event_bus.publish(DevicePassGrantSucceeded(user_id=user.id, device_pass=granted.id))
        return Success(granted.text(self.passes.keys))

    def _refuse(self, token: OneUseToken | None) -> Failure[DomainError]:
        self.event_bus.publish(
            DevicePassGrantFailed(
                user_id=token.user_id if token else None, reason=INVALID_UNLOCK_TOKEN.code
            )
        )
        return Failure(INVALID_UNLOCK_TOKEN)
