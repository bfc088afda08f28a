"""The handlers, with time and storage that stand still, against the reference."""

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings

from core.events import DomainEvent
from core.keys import KeyRing
from core.result import Success
from sessions_app.application.authenticating import AccessTokenAuthenticator
from sessions_app.application.forfeiting import ForfeitedSessions
from sessions_app.application.reauthenticating import Reauthenticate, ReauthenticateHandler
from sessions_app.application.refreshing import RefreshSession, RefreshSessionHandler
from sessions_app.application.revocation import (
    RevokeSession,
    RevokeSessionHandler,
    RevokeSessions,
    RevokeSessionsHandler,
)
from sessions_app.application.rotation import RotateTokens, RotateTokensHandler
from sessions_app.application.signing_in import SignIn, SignInHandler
from sessions_app.domain.session import EndReason
from sessions_app.domain.tokens import TokenPair
from sessions_app.ports import SessionWithUser
from tests.factories import make_user
from tests.fakes.event_bus import StubEventBus
from tests.fakes.sessions import FixedPlaces, InMemorySessions, NamelessDevices, RecordedNotices
from tests.fakes.users import SignInPorts
from tests.machine import Door, Entry, Machine, Pair
from users.application import passwords
from users.application.accounts import ChangeAccount, ChangeAccountHandler
from users.application.device_passes import GrantDevicePass, GrantDevicePassHandler
from users.application.passwords import ChoosePassword, ChoosePasswordHandler
from users.domain.events import SessionsForfeited
from users.domain.tokens import Purpose

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "60"))
EMAIL = "owner@example.com"
RECENT = timedelta(minutes=10)


@dataclass
class DeliveringBus(StubEventBus):
    """To the one receiver that matters here."""

    sessions: InMemorySessions
    clock: Any

    def __post_init__(self) -> None:
        super().__init__()

    def publish(self, event: DomainEvent, **rest: Any) -> None:
        super().publish(event, **rest)
        if isinstance(event, SessionsForfeited) and event.user_id is not None:
            forfeited = ForfeitedSessions(
                session_repo=self.sessions, event_bus=self, clock=self.clock
            )
            forfeited.end(event.user_id, event.kept, EndReason(event.reason))


@dataclass
class Handlers(SignInPorts):
    """A `Door`."""

    sessions: InMemorySessions = field(default_factory=InMemorySessions)
    passwords_chosen: int = 0

    def __post_init__(self) -> None:
        self.bus = DeliveringBus(self.sessions, self.clock)
        self.sessions.users = self.users.users
        self.admin = make_user(email="admin@example.com")
        hashed = self.passwords.hash_password(self.password)
        owner = make_user(email=EMAIL, password_hash=hashed, max_sessions=2)
        self.user_id, self.users.users[owner.id] = owner.id, owner

    @property
    def password(self) -> str:
        return f"a password that nobody guesses {self.passwords_chosen}"

    def now(self) -> datetime:
        return self.clock.now()

    def advance(self, step: timedelta) -> None:
        self.clock.advance(step)

    def sign_in(self, right: bool, device_token: str | None) -> Entry | None:
        handler = SignInHandler(
            credentials=self.credentials(),
            session_repo=self.sessions,
            device_names=NamelessDevices(),
            places=FixedPlaces(),
            rotations=self.sessions.rotations,
            notices=RecordedNotices(),
            event_bus=self.bus,
            keys=self.keys,
            clock=self.clock,
        )
        password = self.password if right else "wrong"
        result = handler.handle(SignIn(email=EMAIL, password=password, device_token=device_token))
        if not isinstance(result, Success):
            return None
        return Entry(_pair(result.value.tokens), result.value.device_token)

    def opens(self, access: str) -> bool:
        return self._session_of(access) is not None

    def refresh(self, refresh: str) -> Pair | None:
        handler = RefreshSessionHandler(
            session_repo=self.sessions,
            session_reader=self.sessions,
            notices=RecordedNotices(),
            event_bus=self.bus,
            keys=self.keys,
            clock=self.clock,
        )
        result = handler.handle(RefreshSession(refresh_token=refresh))
        return _pair(result.value) if isinstance(result, Success) else None

    def reauthenticate(self, access: str, right: bool) -> Pair | None:
        found = self._session_of(access)
        if found is None:
            return None
        handler = ReauthenticateHandler(
            credentials=self.credentials(),
            session_repo=self.sessions,
            event_bus=self.bus,
            keys=self.keys,
            clock=self.clock,
        )
        command = Reauthenticate(
            session_id=found.session.id,
            user_id=self.user_id,
            email=EMAIL,
            password=self.password if right else "wrong",
        )
        result = handler.handle(command)
        return _pair(result.value) if isinstance(result, Success) else None

    def sign_out(self, access: str) -> bool:
        found = self._session_of(access)
        if found is None:
            return False
        handler = RevokeSessionHandler(
            session_repo=self.sessions, event_bus=self.bus, clock=self.clock
        )
        command = RevokeSession(session_id=found.session.id, user_id=self.user_id)
        return handler.handle(command).is_success

    def end_all(self, access: str, device_token: str | None) -> bool:
        return self._end_many(access, device_token, others=False)

    def end_others(self, access: str, device_token: str | None) -> bool:
        return self._end_many(access, device_token, others=True)

    def _end_many(self, access: str, device_token: str | None, *, others: bool) -> bool:
        found = self._session_of(access)
        # The rule of `users.api.permissions`: it stands at the door and not in a handler.
        if found is None or self.clock.now() - found.session.authenticated_at >= RECENT:
            return False
        handler = RevokeSessionsHandler(
            owners=self.users,
            session_repo=self.sessions,
            devices=self.device_passes(),
            event_bus=self.bus,
            clock=self.clock,
        )
        command = RevokeSessions(
            user_id=self.user_id,
            except_for=found.session.id if others else None,
            device_token=device_token,
        )
        return handler.handle(command).is_success

    def live_sessions(self) -> int:
        return len(self.sessions.live_of(self.user_id, self.clock.now()))

    def mails(self) -> int:
        return sum(purpose is Purpose.UNLOCK for purpose, _, _ in self.mailer.links)

    def unlock(self, mail: int) -> str | None:
        mailed = [token for purpose, _, token in self.mailer.links if purpose is Purpose.UNLOCK]
        handler = GrantDevicePassHandler(
            user_repo=self.users,
            token_repo=self.tokens,
            passes=self.device_passes(),
            event_bus=self.bus,
            clock=self.clock,
        )
        text = self.tokens.tokens[mailed[mail]].text(self.tokens.keys)
        result = handler.handle(GrantDevicePass(token=text))
        return result.value if isinstance(result, Success) else None

    def reset_password(self, device_token: str | None) -> None:
        self.passwords_chosen += 1
        token = self.tokens.issue(Purpose.PASSWORD_RESET, self.user_id, self.clock.now())
        handler = ChoosePasswordHandler(
            kind=passwords.RESET,
            user_repo=self.users,
            token_repo=self.tokens,
            guard=self.guard,
            passes=self.device_passes(),
            password_service=self.passwords,
            mailer=self.mailer,
            event_bus=self.bus,
            clock=self.clock,
        )
        command = ChoosePassword(
            token=token.text(self.tokens.keys), password=self.password, device_token=device_token
        )
        assert handler.handle(command).is_success

    def set_active(self, active: bool) -> None:
        self._change(is_active=active)

    def set_limit(self, limit: int) -> None:
        self._change(max_sessions=limit)

    def _change(self, **changes: Any) -> None:
        handler = ChangeAccountHandler(
            user_repo=self.users, token_repo=self.tokens, event_bus=self.bus, clock=self.clock
        )
        command = ChangeAccount(user_id=self.user_id, actor_id=self.admin.id, **changes)
        assert handler.handle(command).is_success

    def rotate_tokens(self, grace: timedelta) -> None:
        handler = RotateTokensHandler(
            owners=self.users,
            rotations=self.sessions.rotations,
            event_bus=self.bus,
            clock=self.clock,
        )
        assert handler.handle(RotateTokens(reason="a drill", grace=grace)).is_success

    def rotate_keys(self) -> None:
        number = str(len(self.keys.keys) + 1)
        self.keys = KeyRing(number, {**self.keys.keys, number: number.encode() * 32})

    def _session_of(self, access: str) -> SessionWithUser | None:
        authenticator = AccessTokenAuthenticator(
            session_reader=self.sessions, keys=self.keys, clock=self.clock
        )
        result = authenticator.authenticate(access)
        return result.value if isinstance(result, Success) else None


def _pair(tokens: TokenPair) -> Pair:
    return Pair(tokens.access_token, tokens.refresh_token)


class HandlersMachine(Machine):
    def open(self) -> Door:
        return Handlers()


TestHandlersModel = HandlersMachine.TestCase
TestHandlersModel.settings = settings(max_examples=EXAMPLES, stateful_step_count=50)
pytestmark = [pytest.mark.model, pytest.mark.slow(reason="thousands of steps")]
