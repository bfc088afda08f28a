from typing import Final

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from core.clock import SystemClock
from core.errors import AuthenticationError, ErrorCode
from core.problems import Refused
from users.api.principal import principal_of
from users.domain.password import RECENT
from users.domain.roles import Role

NO_SCOPE: Final = frozenset[str]()
"""For `token_scopes` of a view: a session is needed, no personal access token will do."""
_STEP_UP: Final = AuthenticationError(
    ErrorCode.REAUTHENTICATION_REQUIRED,
    "Prove your password again: POST /api/v1/users/me/reauthentications, then repeat this with the"
    " new token.",
    {"max_age": int(RECENT.total_seconds())},
)


class RecentlyAuthenticated(BasePermission):
    """For what a stolen session must not do (ASVS 7.5.1). After `IsAuthenticated`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        require_recent(request)
        return True


def require_recent(request: Request) -> None:
    proved_at = principal_of(request).authenticated_at
    if proved_at is None or SystemClock().now() - proved_at >= RECENT:
        raise Refused(_STEP_UP)


class IsAdmin(BasePermission):
    """After `IsAuthenticated`."""

    message = "Only admins may do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return principal_of(request).user.role is Role.ADMIN
