"""Bearer tokens (RFC 6750), from the header alone: a token in a URL ends up in logs."""

from collections.abc import Set
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from core import context
from core.problems import Refused
from core.result import Failure
from sessions_app import wiring
from sessions_app.domain.errors import INSUFFICIENT_SCOPE, SESSION_REQUIRED
from sessions_app.domain.personal_token import PREFIX, Scope
from users.api.principal import Principal

_READING: Final = frozenset({Scope.READ, Scope.WRITE})
_WRITING: Final = frozenset({Scope.WRITE})


class BearerAuthentication(BaseAuthentication):
    """The token of a session opens every door. A personal one opens what its scope allows; a view
    says otherwise by `token_scopes`, and none at all where a session is needed."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        text = token.strip()
        principal = _of_personal(text, request) if text.startswith(PREFIX) else _of_session(text)
        context.amend(actor_id=principal.user.id)
        return principal, ""

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="dashtam"'


def _of_session(text: str) -> Principal:
    result = wiring.authenticator().authenticate(text)
    if isinstance(result, Failure):
        raise AuthenticationFailed(result.error.message)
    session = result.value.session
    return Principal(result.value.user, session.id, session.authenticated_at)


def _of_personal(text: str, request: Request) -> Principal:
    result = wiring.personal_token_authenticator().authenticate(text)
    if isinstance(result, Failure):
        raise AuthenticationFailed(result.error.message)
    allowed = _allowed(request)
    if result.value.token.scope not in allowed:
        raise Refused(INSUFFICIENT_SCOPE if allowed else SESSION_REQUIRED)
    return Principal(result.value.user)


def _allowed(request: Request) -> Set[Scope]:
    view: Any = request.parser_context["view"]
    by_method = _READING if request.method in SAFE_METHODS else _WRITING
    allowed: Set[Scope] = getattr(view, "token_scopes", by_method)
    return allowed


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
