"""What may be read of an account."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import NotFoundError
from core.result import Failure, Result, Success
from users.domain.errors import USER_NOT_FOUND
from users.domain.roles import Role
from users.ports import UserRepository


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
