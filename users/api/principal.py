"""Who a request comes from: set by the authentication, read by the views."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request

from users.domain.user import User


@dataclass(frozen=True)
class Principal:
    """With a personal access token there is no session, and nobody proved a password."""

    user: User
    session_id: UUID | None = None
    authenticated_at: datetime | None = None
    """When the password was proved last."""
    is_authenticated: ClassVar[bool] = True

    @property
    def user_id(self) -> UUID:
        return self.user.id

    @property
    def role(self) -> str:
        return self.user.role


def principal_of(request: Request) -> Principal:
    principal: object = request.user
    assert isinstance(principal, Principal)  # IsAuthenticated has let it pass
    return principal
