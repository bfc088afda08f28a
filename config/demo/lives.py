"""People who do not exist, and what they did in the last thirty days: as the domain events that
the handlers would have published, and as the rows that they would have left."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from core.events import DomainEvent, EventMetadata
from core.ids import first_id_of
from sessions_app.domain.events import (
    SessionEnded,
    SessionRefreshAttempted,
    SessionRefreshSucceeded,
    UserLoginAttempted,
    UserLoginFailed,
    UserLoginSucceeded,
)
from sessions_app.domain.familiarity import Mark
from sessions_app.domain.session import DeviceSession, EndReason, SessionKind
from users.domain.events import (
    EmailVerificationAttempted,
    EmailVerificationSucceeded,
    UserRegistrationAttempted,
    UserRegistrationSucceeded,
)
from users.domain.lockout import FailureCount
from users.domain.user import User

MONTH: Final = timedelta(days=30)
UNUSABLE: Final = "!"
"""No text has this hash."""
_DEVICES: Final = (
    ("Firefox on Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"),
    (
        "Mobile Safari on iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
        " Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
    ),
    (
        "Chrome on Windows",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/131.0.0.0 Safari/537.36",
    ),
    (
        "Chrome Mobile on Android",
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/131.0.0.0 Mobile Safari/537.36",
    ),
)
_BY_DAY: Final = (1, 1, 1, 1, 1, 1, 2, 4, 9, 12, 12, 11, 9, 10, 11, 11, 10, 8, 6, 5, 5, 4, 3, 2)
"""How often people come, by the hour."""
_NAMES: Final = (
    *("amara", "bela", "chloe", "dmitri", "elif", "farid", "greta", "hugo", "ines", "jonas"),
    *("kaya", "leon", "mira", "noor", "olu", "petra", "quinn", "rafael", "sofia", "tomas"),
    *("uma", "viktor", "wanda", "xenia", "yusuf", "zora"),
)


class Source(NamedTuple):
    address: str
    agent: str


@dataclass(frozen=True)
class Happening:
    """What one request did: its events in their order."""

    at: datetime
    events: Sequence[DomainEvent]
    source: EventMetadata


@dataclass
class Life:
    """`visits` is how often this person signs in or refreshes; `admin` changes accounts. What
    happened is in no order until somebody sorts it."""

    number: int
    random: Random
    now: datetime
    visits: int
    admin: UUID | None
    user: User = field(init=False)
    locked: FailureCount | None = None
    sessions: list[DeviceSession] = field(default_factory=list)
    happened: list[Happening] = field(default_factory=list)

    def __post_init__(self) -> None:
        joined = self.now - MONTH + timedelta(minutes=self.random.randrange(5, 5 * 24 * 60))
        name = _NAMES[self.number % len(_NAMES)]
        suffix = str(self.number // len(_NAMES) or "")
        self.user = User(
            id=self._id(joined),
            email=f"{name}{suffix}@example.com",
            password_hash=UNUSABLE,
            created_at=joined,
            updated_at=joined,
        )
        self.home = f"{self.random.choice(('192.0.2', '198.51.100'))}.{self.number % 254 + 1}"
        self.devices = self.random.sample(_DEVICES, self.random.choice((1, 1, 2, 2, 3)))

    def register(self) -> None:
        user = self.user
        self.happen(
            user.created_at,
            UserRegistrationAttempted(email=user.email),
            UserRegistrationSucceeded(user_id=user.id, email=user.email),
        )

    def confirm(self) -> None:
        at = self.user.created_at + timedelta(minutes=self.random.randrange(1, 50))
        self.happen(
            at, EmailVerificationAttempted(), EmailVerificationSucceeded(user_id=self.user.id)
        )
        self.user = replace(self.user, is_verified=True, updated_at=at)

    def come_and_go(self) -> None:
        for at in self._moments():
            self._visit(at)

    def _moments(self) -> Iterator[datetime]:
        """More by day than by night, and none in the last hour, which is for the endings."""
        first = self.user.created_at + timedelta(hours=1)
        days = max((self.now - timedelta(hours=1) - first).days, 1)
        drawn = []
        for _ in range(self.visits):
            (hour,) = self.random.choices(range(24), _BY_DAY)
            midnight = (first + timedelta(days=self.random.randrange(days))).replace(
                hour=0, minute=0, second=0, microsecond=0
            )
            at = midnight + timedelta(hours=hour, seconds=self.random.randrange(3600))
            drawn.append(min(max(at, first), self.now - timedelta(hours=1)))
        return iter(sorted(drawn))

    def _id(self, at: datetime) -> UUID:
        return id_at(at, self.random)

    def happen(
        self,
        at: datetime,
        *events: DomainEvent,
        by: UUID | None = None,
        source: Source | None = None,
    ) -> None:
        address, agent = source or Source(self.home, self.devices[0][1])
        metadata = EventMetadata(
            actor_id=by,
            door="api",
            correlation=self._id(at),
            trace_id=f"{self.random.getrandbits(128):032x}",
            ip_address=address,
            user_agent=agent,
        )
        dated = [replace(event, event_id=self._id(at), occurred_at=at) for event in events]
        self.happened.append(Happening(at, dated, metadata))

    def _visit(self, at: datetime) -> None:
        live = [session for session in self.sessions if session.is_live(at)]
        if live and self.random.random() < 0.6:
            self._refresh(live[-1], at)
            return
        if self.random.random() < 0.1:
            self.fail(at - timedelta(seconds=20), "wrong_password")
        self.sign_in(at)

    def fail(
        self, at: datetime, reason: str, *more: DomainEvent, source: Source | None = None
    ) -> None:
        user = self.user
        self.happen(
            at,
            UserLoginAttempted(email=user.email),
            *more,
            UserLoginFailed(user_id=user.id, email=user.email, reason=reason),
            source=source,
        )

    def sign_in(self, at: datetime) -> DeviceSession:
        device, agent = self.random.choice(self.devices)
        is_new = device not in {session.device for session in self.sessions}
        live = [session for session in self.sessions if session.is_live(at)]
        limit = self.user.session_limit() or len(live) + 1
        pushed_out = live[: max(0, len(live) - limit + 1)]
        ended = [self.end(session, at, EndReason.LIMIT) for session in pushed_out]
        session = DeviceSession(
            id=self._id(at),
            user_id=self.user.id,
            kind=SessionKind.API,
            device=device,
            ip_address=self.home,
            created_at=at,
            authenticated_at=at,
            last_seen_at=at,
            generation_began_at=at,
            first_used_at=at,
            key_id="0",
            salt=b"",
            marks=(Mark.NEW_DEVICE,) if is_new and self.sessions else (),
        )
        self.sessions.append(session)
        self.happen(
            at,
            UserLoginAttempted(email=self.user.email),
            *ended,
            UserLoginSucceeded(
                user_id=self.user.id,
                session_id=session.id,
                device=device,
                marks=session.marks,
                known_device=not is_new,
            ),
            source=Source(self.home, agent),
        )
        return session

    def _refresh(self, session: DeviceSession, at: datetime) -> None:
        refreshed = session.refreshed(key_id=session.key_id, now=at)
        self._put(replace(refreshed, first_used_at=at))
        self.happen(
            at,
            SessionRefreshAttempted(),
            SessionRefreshSucceeded(
                user_id=self.user.id, session_id=session.id, generation=refreshed.generation
            ),
        )

    def end(self, session: DeviceSession, at: datetime, reason: EndReason) -> SessionEnded:
        self._put(replace(session, revoked_at=at, revoked_reason=reason))
        return SessionEnded(user_id=self.user.id, session_id=session.id, reason=reason)

    def end_all(self, at: datetime, reason: EndReason) -> list[SessionEnded]:
        live = [session for session in self.sessions if session.is_live(at)]
        return [self.end(session, at, reason) for session in live]

    def _put(self, session: DeviceSession) -> None:
        (place,) = [n for n, known in enumerate(self.sessions) if known.id == session.id]
        self.sessions[place] = session


def id_at(at: datetime, random: Random) -> UUID:
    """As `uuid7` would have made it then."""
    return UUID(
        int=first_id_of(at).int
        | 7 << 76
        | random.getrandbits(12) << 64
        | 0b10 << 62
        | random.getrandbits(62)
    )
