"""The ports of `sessions_app`, in memory."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sessions_app.domain.familiarity import Origin
from sessions_app.domain.personal_token import PersonalToken
from sessions_app.domain.session import DeviceSession, EndReason
from sessions_app.ports import (
    DeviceNames,
    Notices,
    PersonalTokenReader,
    PersonalTokenRepository,
    PersonalTokenWithUser,
    Places,
    RotationRepository,
    SessionReader,
    SessionRepository,
    SessionWithUser,
)
from tests.factories import make_session, make_user
from tests.fakes.clock import FakeClock
from users.domain.user import User


@dataclass
class InMemorySessions:
    """Both sides of the same table: the repository's and the reader's."""

    implements = (SessionRepository, SessionReader)
    sessions: dict[UUID, DeviceSession] = field(default_factory=dict)
    users: dict[UUID, User] = field(default_factory=dict)
    rotations: "InMemoryRotations" = field(default_factory=lambda: InMemoryRotations())

    def save(self, session: DeviceSession) -> None:
        self.sessions[session.id] = session

    def live_of(self, user_id: UUID, now: datetime) -> list[DeviceSession]:
        every = (self._row(session_id) for session_id in sorted(self.sessions))
        return [one for one in every if one and one.user_id == user_id and one.is_live(now)]

    def origins_of(self, user_id: UUID) -> list[Origin]:
        own = [session for session in self.sessions.values() if session.user_id == user_id]
        return [Origin(session.device, session.ip_address) for session in own]

    def refresh(self, before: DeviceSession, after: DeviceSession) -> bool:
        current = self.sessions.get(before.id)
        if current is None or current.generation != before.generation or current.revoked_at:
            return False
        self.sessions[before.id] = after
        return True

    def lock(self, session_id: UUID) -> DeviceSession | None:
        return self._row(session_id)

    def _row(self, session_id: UUID) -> DeviceSession | None:
        session = self.sessions.get(session_id)
        rotated_at = self.rotations.effect_on(session) if session else None
        return replace(session, rotated_at=rotated_at) if session and rotated_at else session

    def end(self, session_id: UUID, user_id: UUID, reason: EndReason, now: datetime) -> bool:
        session = self.sessions.get(session_id)
        if session is None or session.user_id != user_id or session.revoked_at is not None:
            return False
        self.sessions[session_id] = replace(session, revoked_at=now, revoked_reason=reason)
        return True

    def count_over(self, before: datetime) -> int:
        return len(self._over(before))

    def purge(self, before: datetime) -> int:
        over = self._over(before)
        for session_id in over:
            del self.sessions[session_id]
        return len(over)

    def _over(self, before: datetime) -> list[UUID]:
        return [
            one.id
            for one in self.sessions.values()
            if min(one.expires_at, one.revoked_at or one.expires_at) < before
        ]

    def find(self, session_id: UUID) -> SessionWithUser | None:
        session = self._row(session_id)
        return SessionWithUser(session, self.users[session.user_id]) if session else None

    def touch(self, session: DeviceSession, generation: int, now: datetime) -> None:
        """What was read may be out of date: the row decides, and nothing else of it changes."""
        current = self.sessions[session.id]
        if session.is_first_use(generation) and current.is_first_use(generation):
            current = replace(current, first_used_at=now)
        if session.was_seen_long_ago(now) and current.last_seen_at < now:
            current = replace(current, last_seen_at=now)
        self.sessions[session.id] = current


@dataclass
class SessionHouse:
    """One account with one session, at the time of `clock`; both may change meanwhile."""

    clock: FakeClock
    user: User = field(default_factory=make_user)
    sessions: InMemorySessions = field(default_factory=InMemorySessions)
    session_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        session = make_session(user_id=self.user.id)
        self.session_id = session.id
        self.sessions.save(session)
        self.sessions.users[self.user.id] = self.user

    @property
    def session(self) -> DeviceSession:
        return self.sessions.sessions[self.session_id]

    def is_now(self, **changes: Any) -> None:
        self.sessions.sessions[self.session_id] = replace(self.session, **changes)

    def account_is_now(self, **changes: Any) -> None:
        self.sessions.users[self.user.id] = replace(self.user, **changes)


class NamelessDevices:
    implements = DeviceNames

    def describe(self, user_agent: str | None) -> str:
        return user_agent or "Unknown device"


class FixedPlaces:
    implements = Places

    def describe(self, ip_address: str | None) -> str | None:
        return f"where {ip_address} is" if ip_address else None


@dataclass
class InMemoryPersonalTokens:
    """Both sides of the same table."""

    implements = (PersonalTokenRepository, PersonalTokenReader)
    tokens: dict[UUID, PersonalToken] = field(default_factory=dict)
    users: dict[UUID, User] = field(default_factory=dict)

    def count_live(self, user_id: UUID, now: datetime) -> int:
        own = [token for token in self.tokens.values() if token.user_id == user_id]
        return sum(token.is_live(now) for token in own)

    def save(self, token: PersonalToken) -> None:
        self.tokens[token.id] = token

    def end(self, token_id: UUID, user_id: UUID, now: datetime) -> bool:
        token = self.tokens.get(token_id)
        if token is None or token.user_id != user_id or not token.is_live(now):
            return False
        self.tokens[token_id] = replace(token, revoked_at=now)
        return True

    def count_over(self, before: datetime) -> int:
        return len(self._over(before))

    def purge(self, before: datetime) -> int:
        over = self._over(before)
        for token_id in over:
            del self.tokens[token_id]
        return len(over)

    def _over(self, before: datetime) -> list[UUID]:
        return [
            one.id
            for one in self.tokens.values()
            if min(one.expires_at, one.revoked_at or one.expires_at) < before
        ]

    def find(self, token_id: UUID) -> PersonalTokenWithUser | None:
        token = self.tokens.get(token_id)
        return PersonalTokenWithUser(token, self.users[token.user_id]) if token else None

    def touch(self, token: PersonalToken, now: datetime) -> None:
        if token.was_used_long_ago(now):
            self.tokens[token.id] = replace(self.tokens[token.id], last_used_at=now)


@dataclass
class InMemoryRotations:
    implements = RotationRepository
    rows: list[tuple[UUID | None, datetime]] = field(default_factory=list)
    counts: tuple[int, int] = (0, 0)

    def last(self, user_id: UUID) -> int:
        mine = [n for n, (owner, _) in enumerate(self.rows, 1) if owner in (None, user_id)]
        return max(mine, default=0)

    def effect_on(self, session: DeviceSession) -> datetime | None:
        """When the first of the rotations since it began takes effect."""
        since = self.rows[session.rotation :]
        effects = [at for owner, at in since if owner in (None, session.user_id)]
        return min(effects, default=None)

    def add(self, user_id: UUID | None, effective_at: datetime, now: datetime) -> None:
        self.rows.append((user_id, effective_at))

    def live(self, user_id: UUID | None, now: datetime) -> tuple[int, int]:
        return self.counts


@dataclass
class RecordedNotices:
    implements = Notices
    sent: list[tuple[str, str, UUID]] = field(default_factory=list)

    def new_sign_in(self, email: str, session: DeviceSession) -> None:
        self.sent.append(("new_sign_in", email, session.id))

    def reuse(self, email: str, session: DeviceSession) -> None:
        self.sent.append(("reuse", email, session.id))
