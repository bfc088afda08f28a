"""Bearer tokens (RFC 6750), from the header alone: a token in a URL ends up in logs."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core import context
from core.result import Failure
from sessions_app import wiring
from users.api.principal import Principal


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        result = wiring.authenticator().authenticate(token.strip())
        if isinstance(result, Failure):
            raise AuthenticationFailed(result.error.message)
        session = result.value.session
        principal = Principal(result.value.user, session.id, session.authenticated_at)
        context.amend(actor_id=principal.user.id)
        return principal, ""

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="dashtam"'


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
