"""What may be read of an account."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from core.errors import DomainError, NotFoundError
from core.ports import EventBusProtocol
from core.result import Failure, Result, Success
from users.domain.errors import USER_NOT_FOUND
from users.domain.events import AccountsViewed
from users.domain.roles import Role
from users.domain.user import User
from users.ports import UserCriteria, UserDirectory, UserRepository


@dataclass(frozen=True, kw_only=True)
class UserProfile:
    id: UUID
    email: str
    is_verified: bool
    role: Role
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class GetUser:
    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class GetUserHandler:
    user_repo: UserRepository

    def handle(self, query: GetUser) -> Result[UserProfile, NotFoundError]:
        user = self.user_repo.find_by_id(query.user_id)
        if user is None:
            return Failure(USER_NOT_FOUND)
        return Success(
            UserProfile(
                id=user.id,
                email=user.email,
                is_verified=user.is_verified,
                role=user.role,
                created_at=user.created_at,
            )
        )


@dataclass(frozen=True, kw_only=True)
class ViewUsers:
    """Newest first, by the admin `viewer`; None at the command line, where there are no users.
    `before` is the last id of the page before."""

    viewer: UUID | None = None
    criteria: UserCriteria = UserCriteria()
    before: UUID | None = None
    size: int


@dataclass(frozen=True, kw_only=True)
class ViewUsersHandler:
    directory: UserDirectory
    event_bus: EventBusProtocol

    def handle(self, query: ViewUsers) -> Result[list[User], DomainError]:
        found = self.directory.page(query.criteria, query.before, query.size)
        known = {name: value for name, value in asdict(query.criteria).items() if value is not None}
        asked_for = {name: str(value) for name, value in known.items()}
        self.event_bus.publish(AccountsViewed(user_id=query.viewer, asked_for=asked_for))
        return Success(found)


@dataclass(frozen=True, kw_only=True)
class ViewUser:
    viewer: UUID | None = None
    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class ViewUserHandler:
    user_repo: UserRepository
    event_bus: EventBusProtocol

    def handle(self, query: ViewUser) -> Result[User, DomainError]:
        user = self.user_repo.find_by_id(query.user_id)
        if user is None:
            return Failure(USER_NOT_FOUND)
        self.event_bus.publish(AccountsViewed(user_id=query.viewer, whose=user.id))
        return Success(user)
