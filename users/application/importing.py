"""Accounts of another system, with the hashes that it made of their passwords."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError, ErrorCode, ValidationError
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from users.domain.email import Email
from users.domain.errors import EMAIL_TAKEN, EMAIL_TWICE
from users.domain.events import UserImportAttempted, UserImportFailed, UserImportSucceeded
from users.domain.hashes import AdoptedHash, adopt
from users.domain.roles import Role, SessionTier
from users.domain.user import User
from users.ports import Addresses, PasswordService, UserRepository

_WORDS: Final = dict.fromkeys(("true", "t", "yes", "y", "1"), True) | dict.fromkeys(
    ("false", "f", "no", "n", "0"), False
)
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class ImportUser:
    """Without a hash no password is right, until the owner has asked for a new one."""

    email: str
    password_hash: AdoptedHash | None = None
    is_verified: bool = False
    is_active: bool = True
    role: Role = Role.USER
    session_tier: SessionTier = SessionTier.BASIC
    created_at: datetime | None = None

    def applied_to(self, user: User, password_hash: str) -> User:
        return replace(
            user,
            password_hash=password_hash,
            is_verified=self.is_verified,
            is_active=self.is_active,
            session_tier=self.session_tier,
            created_at=self.created_at or user.created_at,
        )


@dataclass(frozen=True, kw_only=True)
class ImportUserHandler:
    """No mail is sent: the owner has the account already, elsewhere."""

    user_repo: UserRepository
    password_service: PasswordService
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: ImportUser) -> Result[UUID, DomainError]:
        self.event_bus.publish(UserImportAttempted(email=command.email))
        created = User.create(command.email, now=self.clock.now(), role=command.role)
        if isinstance(created, Failure):
            return self._refuse(command, created.error)
        user = command.applied_to(created.value, self._hash_of(command))
        if isinstance(self.user_repo.save(user), Failure):
            return self._refuse(command, EMAIL_TAKEN)
        self.event_bus.publish(
            UserImportSucceeded(
                user_id=user.id,
                email=user.email,
                role=user.role,
                is_verified=user.is_verified,
                is_active=user.is_active,
            )
        )
        return Success(user.id)

    def _hash_of(self, command: ImportUser) -> str:
        known = command.password_hash
        return known.stored if known else self.password_service.unusable_hash()

    def _refuse(self, command: ImportUser, error: DomainError) -> Failure[DomainError]:
        self.event_bus.publish(UserImportFailed(email=command.email, reason=error.code))
        return Failure(error)


@dataclass(frozen=True, kw_only=True)
class RehearseImportHandler:
    """What the import would say to the same lines in the same order; nothing is written."""

    user_repo: UserRepository
    met: Addresses

    def handle(self, command: ImportUser) -> Result[None, DomainError]:
        created = User.create(command.email, role=command.role)
        if isinstance(created, Failure):
            return created
        email = created.value.email
        if self.user_repo.find_by_email(email) is not None:
            return Failure(EMAIL_TAKEN)
        return Success(None) if self.met.add(email) else Failure(EMAIL_TWICE)


@dataclass(frozen=True, kw_only=True)
class AccountReader:
    """From the text of some of `COLUMNS` to a command; what is empty is not there. `roles` are
    those that may be given away. No refusal shows a value: it may stand in the wrong column."""

    roles: Set[Role] = frozenset({Role.USER})
    clock: Clock = SystemClock()

    def read(self, values: Mapping[str, str]) -> Result[ImportUser, ValidationError]:
        readers, known = self._readers(), dict[str, Any]()
        for name, text in {"email": "", **values}.items():
            if not text.strip() and name != "email":
                continue
            value = readers[name](text.strip())
            if isinstance(value, Failure):
                return Failure(replace(value.error, field=name))
            known[name] = value.value
        return Success(ImportUser(**known))

    def _readers(self) -> Mapping[str, Callable[[str], Result[Any, ValidationError]]]:
        return {
            "email": _email,
            "password_hash": _password_hash,
            "is_verified": _yes_or_no,
            "is_active": _yes_or_no,
            "role": self._role,
            "session_tier": _session_tier,
            "created_at": self._moment,
        }

    def _role(self, text: str) -> Result[Role, ValidationError]:
        if text not in list(Role):
            return _invalid(f"Write one of: {', '.join(Role)}.")
        if text not in self.roles:
            return _invalid("Roles other than user are given away with --allow-roles alone.")
        return Success(Role(text))

    def _moment(self, text: str) -> Result[datetime, ValidationError]:
        moment = _aware(text)
        if moment is None or not _EARLIEST <= moment <= self.clock.now():
            return _invalid("Write a time in the past with its offset: 2024-02-29T12:00:00+00:00.")
        return Success(moment.astimezone(UTC))


COLUMNS: Final = tuple(each.name for each in fields(ImportUser))


def _email(text: str) -> Result[str, ValidationError]:
    address = Email.create(text)
    return address if isinstance(address, Failure) else Success(address.value.value)


def _password_hash(text: str) -> Result[AdoptedHash | None, ValidationError]:
    # So begins what Django writes where no password is right.
    return Success(None) if text.startswith("!") else adopt(text)


def _yes_or_no(text: str) -> Result[bool, ValidationError]:
    if text.lower() not in _WORDS:
        return _invalid("Write true or false.")
    return Success(_WORDS[text.lower()])


def _session_tier(text: str) -> Result[SessionTier, ValidationError]:
    if text not in list(SessionTier):
        return _invalid(f"Write one of: {', '.join(SessionTier)}.")
    return Success(SessionTier(text))


def _aware(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _invalid(message: str) -> Failure[ValidationError]:
    return Failure(ValidationError(ErrorCode.VALIDATION_FAILED, message))
