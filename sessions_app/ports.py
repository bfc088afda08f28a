"""What device sessions ask of the outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from core.result import Result
from sessions_app.domain.familiarity import Origin
from sessions_app.domain.personal_token import PersonalToken
from sessions_app.domain.session import DeviceSession, EndReason
from users.domain.claim import Claim, Verified
from users.domain.errors import SignInRefused
from users.domain.user import User


@dataclass(frozen=True)
class SessionWithUser:
    session: DeviceSession
    user: User


class Credentials(Protocol):
    """Implemented by the accounts; the sign-in owns the unit of work."""

    def verify(self, claim: Claim) -> Result[Verified, SignInRefused]: ...

    def upgraded_hash(self, user: User, password: str) -> str | None:
        """Made outside the transaction; None where the one there is is made as today's are."""
        ...

    def confirm(self, verified: Verified, upgraded_hash: str | None = None) -> User | None:
        """Locks the account's row; None when it is no longer as it was verified."""
        ...

    def remember(self, verified: Verified) -> str:
        """The text of the pass by which the device is known from here on."""
        ...

    def refuse(self, email: str, refusal: SignInRefused) -> None: ...


class KnownDevices(Protocol):
    def forget_all_of(self, user_id: UUID, shown: str | None = None) -> None:
        """But the one whose pass is `shown`, if it is one of theirs."""
        ...


class SessionRepository(Protocol):
    def save(self, session: DeviceSession) -> None: ...

    def live_of(self, user_id: UUID, now: datetime) -> list[DeviceSession]:
        """Oldest first."""
        ...

    def origins_of(self, user_id: UUID) -> Sequence[Origin]:
        """Of the sessions that there were, from the newest; not of all since ever."""
        ...

    def refresh(self, before: DeviceSession, after: DeviceSession) -> bool:
        """True for exactly one caller per generation, and never for a session that ended."""
        ...

    def lock(self, session_id: UUID) -> DeviceSession | None: ...

    def end(self, session_id: UUID, user_id: UUID, reason: EndReason, now: datetime) -> bool:
        """False when it is not this user's, or has ended already."""
        ...

    def count_over(self, before: datetime) -> int:
        """How many had ended by then, in whichever way but a rotation."""
        ...

    def purge(self, before: datetime) -> int:
        """Forgets those; how many."""
        ...


class Notices(Protocol):
    """To the owner, by mail, once the transaction has committed."""

    def new_sign_in(self, email: str, session: DeviceSession) -> None: ...

    def reuse(self, email: str, session: DeviceSession) -> None:
        """A refresh token that was used up came back, and the session ended."""
        ...


class Owners(Protocol):
    def find_by_id(self, user_id: UUID) -> User | None: ...

    def lock(self, user_id: UUID) -> User | None:
        """The account, held until the transaction ends: whatever begins or ends sessions takes
        this lock first."""
        ...


class RotationRepository(Protocol):
    def last(self, user_id: UUID) -> int:
        """The number of the last rotation that this person is of; 0 before the first."""
        ...

    def add(self, user_id: UUID | None, effective_at: datetime, now: datetime) -> None:
        """Of everybody where `user_id` is None."""
        ...

    def live(self, user_id: UUID | None, now: datetime) -> tuple[int, int]:
        """How many sessions and personal tokens it would end."""
        ...


class PersonalTokenRepository(Protocol):
    def count_live(self, user_id: UUID, now: datetime) -> int: ...

    def save(self, token: PersonalToken) -> None: ...

    def end(self, token_id: UUID, user_id: UUID, now: datetime) -> bool:
        """False when it is not this user's, or has ended already."""
        ...

    def count_over(self, before: datetime) -> int: ...

    def purge(self, before: datetime) -> int: ...


@dataclass(frozen=True)
class PersonalTokenWithUser:
    token: PersonalToken
    user: User


class PersonalTokenReader(Protocol):
    def find(self, token_id: UUID) -> PersonalTokenWithUser | None: ...

    def touch(self, token: PersonalToken, now: datetime) -> None:
        """Notes when it was last used, at most once a minute."""
        ...


class SessionReader(Protocol):
    def find(self, session_id: UUID) -> SessionWithUser | None: ...

    def touch(self, session: DeviceSession, generation: int, now: datetime) -> None:
        """Notes the first use of a generation, and when the session was last seen."""
        ...


class Places(Protocol):
    def describe(self, ip_address: str | None) -> str | None:
        """'Uppsala, Sweden'; None where nobody can say."""
        ...


class DeviceNames(Protocol):
    def describe(self, user_agent: str | None) -> str:
        """'Firefox on Linux'"""
        ...
