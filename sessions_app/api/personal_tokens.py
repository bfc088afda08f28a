from datetime import timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import container
from core.clock import SystemClock
from core.parsers import BoundedJSONParser
from core.problems import Refused, unwrap
from core.serializers import BODY_PROBLEMS, problem_responses
from sessions_app import queries, wiring
from sessions_app.api.serializers import (
    IntrospectionSerializer,
    NewPersonalTokenSerializer,
    PersonalTokenListSerializer,
    PersonalTokenSerializer,
    ShownTokenSerializer,
)
from sessions_app.api.views import NO_SCOPE
from sessions_app.application.introspecting import Introspection
from sessions_app.application.personal_tokens import CreatePersonalToken, RevokePersonalToken
from sessions_app.domain.errors import INSUFFICIENT_SCOPE
from sessions_app.domain.personal_token import PersonalToken, Scope
from users.api.permissions import RecentlyAuthenticated
from users.api.principal import principal_of


class PersonalTokensView(APIView):
    token_scopes = NO_SCOPE

    def get_permissions(self) -> list[Any]:
        request: Request | None = self.request  # None when the schema is made
        making = request is not None and request.method == "POST"
        return [IsAuthenticated(), RecentlyAuthenticated()] if making else [IsAuthenticated()]

    @extend_schema(
        operation_id="list_access_tokens",
        summary="List one's own personal access tokens",
        responses={200: PersonalTokenListSerializer} | problem_responses(401, 403),
    )
    def get(self, request: Request) -> Response:
        found = queries.live_personal_tokens(principal_of(request).user.id, SystemClock().now())
        return Response(PersonalTokenListSerializer({"results": list(map(_shown, found))}).data)

    @extend_schema(
        operation_id="create_access_token",
        summary="Make a personal access token, for a program",
        request=NewPersonalTokenSerializer,
        responses={201: PersonalTokenSerializer}
        | BODY_PROBLEMS
        | problem_responses(401, 403, 409, 503),
    )
    def post(self, request: Request) -> Response:
        """Needs a password that was proved in the last ten minutes. The token is told once."""
        form = NewPersonalTokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = form.validated_data
        command = CreatePersonalToken(
            user_id=principal_of(request).user.id,
            name=values["name"],
            scope=Scope(values["scope"]),
            lifetime=timedelta(days=values["expires_in_days"]),
        )
        token = unwrap(wiring.create_personal_token().handle(command))
        body = _shown(token) | {"token": token.text(container.get_settings().token_keys)}
        return Response(PersonalTokenSerializer(body).data, status=201)


class PersonalTokenView(APIView):
    token_scopes = NO_SCOPE

    @extend_schema(
        operation_id="revoke_access_token",
        summary="End one of one's own personal access tokens",
        responses={204: None} | problem_responses(401, 403, 404, 503),
    )
    def delete(self, request: Request, token_id: UUID) -> Response:
        command = RevokePersonalToken(token_id=token_id, user_id=principal_of(request).user.id)
        unwrap(wiring.revoke_personal_token().handle(command))
        return Response(status=204)


class IntrospectionsView(APIView):
    token_scopes = frozenset({Scope.INTROSPECT})
    parser_classes = (BoundedJSONParser, FormParser)

    @extend_schema(
        operation_id="introspect",
        summary="Ask whose a token is (RFC 7662)",
        request=ShownTokenSerializer,
        responses={200: IntrospectionSerializer} | BODY_PROBLEMS | problem_responses(401, 403),
    )
    def post(self, request: Request) -> Response:
        """For other services of the house, with a personal access token of the scope `introspect`
        that an admin made. Of a token that is not live only `active: false` is told. A
        `token_type_hint` is not needed."""
        if principal_of(request).session_id is not None:
            raise Refused(INSUFFICIENT_SCOPE)
        form = ShownTokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        found = wiring.introspector().introspect(form.validated_data["token"])
        return Response(_told(found) if found else {"active": False})


def _shown(token: PersonalToken) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "scope": token.scope,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
    }


def _told(found: Introspection) -> dict[str, object]:
    told = {
        "active": True,
        "token_type": "Bearer",
        "sub": str(found.user_id),
        "username": found.email,
        "role": found.role,
        "scope": found.scope,
        "iat": int(found.issued_at.timestamp()),
        "exp": int(found.expires_at.timestamp()),
    }
    return told | ({"sid": str(found.session_id)} if found.session_id else {})
