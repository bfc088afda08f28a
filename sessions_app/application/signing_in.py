"""From an address and a password to a session with tokens."""

import secrets
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.keys import KeyRing
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from sessions_app.domain.events import (
    SessionEnded,
    UserLoginAttempted,
    UserLoginFailed,
    UserLoginSucceeded,
)
from sessions_app.domain.familiarity import Origin, marks_of
from sessions_app.domain.session import DeviceSession, EndReason, SessionKind
from sessions_app.domain.tokens import TokenPair, tokens_of
from sessions_app.ports import (
    Credentials,
    DeviceNames,
    Notices,
    Places,
    RotationRepository,
    SessionRepository,
)
from users.domain.claim import Claim
from users.domain.errors import SignInRefused
from users.domain.events import PasswordRehashed
from users.domain.roles import Role
from users.domain.user import User


@dataclass(frozen=True, kw_only=True)
class SignIn:
    email: str
    password: str = field(repr=False)
    device_token: str | None = field(default=None, repr=False)
    ip_address: str | None = None
    user_agent: str | None = None
    kind: SessionKind = SessionKind.API
    roles: Set[Role] = frozenset(Role)
    """Who may come in by this door."""


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    user_id: UUID
    session_id: UUID
    tokens: TokenPair
    device_token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SignInHandler:
    credentials: Credentials
    session_repo: SessionRepository
    device_names: DeviceNames
    places: Places
    rotations: RotationRepository
    notices: Notices
    event_bus: EventBusProtocol
    keys: KeyRing
    clock: Clock = SystemClock()
    new_salt: Callable[[], bytes] = field(default=lambda: secrets.token_bytes(32))

    def handle(self, command: SignIn) -> Result[SignedIn, DomainError]:
        self.event_bus.publish(UserLoginAttempted(email=command.email))
        verified = self.credentials.verify(
            Claim(email=command.email, password=command.password, device_token=command.device_token)
        )
        if isinstance(verified, Failure):
            return self._refuse(command, verified.error)
        user, known_by = verified.value.user, verified.value.known_by
        if user.role not in command.roles:
            return self._refuse(command, SignInRefused.because("role", user.id, known_by))
        upgraded = self.credentials.upgraded_hash(user, command.password)
        # From here on the account's row is held: neither a parallel sign-in nor a change of
        # password can slip between this check and the new session.
        confirmed = self.credentials.confirm(verified.value, upgraded)
        if confirmed is None:
            return self._refuse(
                command, SignInRefused.because("changed_meanwhile", user.id, known_by)
            )
        if upgraded is not None and confirmed.password_hash == upgraded:
            self.event_bus.publish(PasswordRehashed(user_id=user.id))
        now = self.clock.now()
        self._make_room(confirmed, now)
        session = self._begin(command, confirmed, now, verified.value.failures)
        self.session_repo.save(session)
        if session.marks:
            self.notices.new_sign_in(confirmed.email, session)
        device_token = self.credentials.remember(verified.value)
        self.event_bus.publish(
            UserLoginSucceeded(
                user_id=user.id,
                session_id=session.id,
                device=session.device,
                marks=session.marks,
                known_device=known_by is not None,
            )
        )
        return Success(
            SignedIn(
                user_id=user.id,
                session_id=session.id,
                tokens=tokens_of(session, self.keys),
                device_token=device_token,
            )
        )

    def _refuse(self, command: SignIn, error: SignInRefused) -> Failure[DomainError]:
        self.credentials.refuse(command.email, error)
        self.event_bus.publish(
            UserLoginFailed(
                user_id=error.user_id,
                email=command.email,
                reason=error.reason,
                known_device=error.known_by is not None,
            )
        )
        return Failure(error)

    def _make_room(self, user: User, now: datetime) -> None:
        limit = user.session_limit()
        if limit is None:
            return
        live = self.session_repo.live_of(user.id, now)
        for oldest in live[: max(0, len(live) - limit + 1)]:
            if not self.session_repo.end(oldest.id, user.id, EndReason.LIMIT, now):
                continue  # its owner was faster
            self.event_bus.publish(
                SessionEnded(user_id=user.id, session_id=oldest.id, reason=EndReason.LIMIT)
            )

    def _begin(self, command: SignIn, user: User, now: datetime, failures: int) -> DeviceSession:
        origin = Origin(self.device_names.describe(command.user_agent), command.ip_address)
        return DeviceSession(
            user_id=user.id,
            kind=command.kind,
            device=origin.device,
            ip_address=origin.ip_address,
            location=self.places.describe(origin.ip_address),
            marks=marks_of(origin, self.session_repo.origins_of(user.id), failures),
            created_at=now,
            authenticated_at=now,
            last_seen_at=now,
            generation_began_at=now,
            key_id=self.keys.current,
            salt=self.new_salt(),
            version=user.token_version,
            rotation=self.rotations.last(user.id),
        )
