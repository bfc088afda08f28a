from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import container, context
from core.clock import SystemClock
from core.errors import ErrorCode, ValidationError
from core.problems import unwrap
from core.result import Failure, Result, Success
from core.serializers import BODY_PROBLEMS, problem_responses
from core.throttling import ThrottlePolicies
from sessions_app import queries, wiring
from sessions_app.api.serializers import (
    CredentialsSerializer,
    PasswordSerializer,
    RefreshSerializer,
    SessionPageSerializer,
    SignedInSerializer,
    TokensSerializer,
)
from sessions_app.application.reauthenticating import Reauthenticate
from sessions_app.application.refreshing import RefreshSession
from sessions_app.application.revocation import RevokeSession, RevokeSessions
from sessions_app.application.signing_in import SignIn
from sessions_app.domain.personal_token import Scope
from sessions_app.domain.session import DeviceSession
from sessions_app.domain.tokens import TokenPair
from users.api.devices import DEVICE_HEADER
from users.api.permissions import RecentlyAuthenticated, require_recent
from users.api.principal import Principal, principal_of
from users.api.serializers import DevicePassSerializer
from users.devices import known_device, shown_pass

PAGE_SIZE: Final = 50
NO_SCOPE: Final = frozenset[Scope]()
"""For `token_scopes`: a session is needed."""


class SessionsView(APIView):
    token_scopes = NO_SCOPE
    throttle_policies: ThrottlePolicies = {"POST": ("sign_in", "sign_in_account")}
    throttle_device = staticmethod(known_device)

    def get_authenticators(self) -> list[Any]:
        # Signing in needs no token, and an old one must not stand in its way.
        return super().get_authenticators() if self._needs_a_session() else []

    def get_permissions(self) -> list[Any]:
        if not self._needs_a_session():
            return [AllowAny()]
        if _is(self.request, "DELETE"):
            return [IsAuthenticated(), RecentlyAuthenticated()]
        return [IsAuthenticated()]

    def _needs_a_session(self) -> bool:
        """A method that is not there is refused as such, whoever sends it."""
        request: Request | None = self.request  # None when the schema is made
        return request is None or request.method in {"GET", "HEAD", "DELETE"}

    @extend_schema(
        operation_id="sign_in",
        summary="Sign in: begin a session",
        parameters=[DEVICE_HEADER],
        request=CredentialsSerializer,
        responses={201: SignedInSerializer} | BODY_PROBLEMS | problem_responses(401, 503),
        auth=[],
    )
    def post(self, request: Request) -> Response:
        form = CredentialsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        source = context.current()
        signed_in = unwrap(
            wiring.sign_in().handle(
                SignIn(
                    **form.validated_data,
                    device_token=shown_pass(request),
                    ip_address=source.ip_address,
                    user_agent=source.user_agent,
                )
            )
        )
        answer = tokens_response(signed_in.tokens)
        answer.data |= DevicePassSerializer({"device_token": signed_in.device_token}).data
        return answer

    @extend_schema(
        operation_id="list_sessions",
        summary="List one's own sessions",
        parameters=[OpenApiParameter("before", UUID, description="Continue after this session.")],
        responses={200: SessionPageSerializer} | problem_responses(400, 401),
    )
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        before = unwrap(_cursor(request))
        found = queries.page_of_live_sessions(
            principal.user.id, SystemClock().now(), before=before, size=PAGE_SIZE + 1
        )
        page = found[:PAGE_SIZE]
        here = container.get_settings().public_url + request.path
        body = {
            "results": [_shown(session, principal) for session in page],
            "next": f"{here}?before={page[-1].id}" if len(found) > PAGE_SIZE else None,
        }
        return Response(SessionPageSerializer(body).data)

    @extend_schema(
        operation_id="sign_out_everywhere",
        summary="End all of one's own sessions, this one too",
        responses={204: None} | problem_responses(401, 403, 503),
    )
    def delete(self, request: Request) -> Response:
        """Needs a password that was proved in the last ten minutes. All known devices but this one
        are strangers again."""
        command = RevokeSessions(
            user_id=principal_of(request).user.id, device_token=shown_pass(request)
        )
        unwrap(wiring.revoke_sessions().handle(command))
        return Response(status=204)


class OtherSessionsView(APIView):
    token_scopes = NO_SCOPE
    permission_classes = (IsAuthenticated, RecentlyAuthenticated)

    @extend_schema(
        operation_id="revoke_other_sessions",
        summary="End all of one's own sessions but this one",
        responses={204: None} | problem_responses(401, 403, 503),
    )
    def delete(self, request: Request) -> Response:
        """Needs a password that was proved in the last ten minutes. All known devices but this one
        are strangers again."""
        principal = principal_of(request)
        command = RevokeSessions(
            user_id=principal.user.id,
            except_for=principal.session_id,
            device_token=shown_pass(request),
        )
        unwrap(wiring.revoke_sessions().handle(command))
        return Response(status=204)


class CurrentSessionView(APIView):
    token_scopes = NO_SCOPE

    @extend_schema(
        operation_id="sign_out",
        summary="Sign out: end this session",
        responses={204: None} | problem_responses(401, 503),
    )
    def delete(self, request: Request) -> Response:
        session_id = principal_of(request).session_id
        assert session_id is not None  # no personal token comes here
        return _revoke(session_id, request)


class SessionView(APIView):
    token_scopes = NO_SCOPE

    @extend_schema(
        operation_id="revoke_session",
        summary="End one of one's own sessions",
        responses={204: None} | problem_responses(401, 404, 503),
    )
    def delete(self, request: Request, session_id: UUID) -> Response:
        """Its tokens are refused from the next request on. For another one than this, a password
        must have been proved in the last ten minutes."""
        if session_id != principal_of(request).session_id:
            require_recent(request)
        return _revoke(session_id, request)


class TokensView(APIView):
    throttle_policies: ThrottlePolicies = {"POST": ("refresh",)}
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="refresh_tokens",
        summary="Refresh: new tokens for a refresh token",
        request=RefreshSerializer,
        responses={201: TokensSerializer} | BODY_PROBLEMS | problem_responses(401, 503),
    )
    def post(self, request: Request) -> Response:
        """When the answer was lost, the same request gives the same new tokens again, until ten
        seconds after the first of them was used. A token that comes back later ends the session."""
        form = RefreshSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        command = RefreshSession(**form.validated_data)
        return tokens_response(unwrap(wiring.refresh_session().handle(command)))


class ReauthenticationsView(APIView):
    throttle_policies: ThrottlePolicies = {"POST": ("reauthenticate",)}
    token_scopes = NO_SCOPE

    @extend_schema(
        operation_id="reauthenticate",
        summary="Prove one's password again",
        request=PasswordSerializer,
        responses={201: TokensSerializer} | BODY_PROBLEMS | problem_responses(401, 403, 503),
    )
    def post(self, request: Request) -> Response:
        """New tokens of the same session; the older ones end at once. For ten minutes they may do
        what needs a recent proof. Wrong passwords are counted for this session: the fifth locks
        this for 15 minutes."""
        form = PasswordSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        principal = principal_of(request)
        assert principal.session_id is not None  # no personal token comes here
        command = Reauthenticate(
            session_id=principal.session_id,
            user_id=principal.user.id,
            email=principal.user.email,
            **form.validated_data,
        )
        return tokens_response(unwrap(wiring.reauthenticate().handle(command)))


def tokens_response(tokens: TokenPair) -> Response:
    lives_for = tokens.access_ends_at - SystemClock().now()
    body = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "token_type": "Bearer",
        "expires_in": max(0, round(lives_for.total_seconds())),
    }
    return Response(TokensSerializer(body).data, status=201)


def _is(request: Request | None, method: str) -> bool:
    """Without a request when the schema is made."""
    return request is not None and request.method == method


def _revoke(session_id: UUID, request: Request) -> Response:
    command = RevokeSession(session_id=session_id, user_id=principal_of(request).user.id)
    unwrap(wiring.revoke_session().handle(command))
    return Response(status=204)


def _shown(session: DeviceSession, principal: Principal) -> dict[str, object]:
    return {
        "id": session.id,
        "device": session.device,
        "ip_address": session.ip_address,
        "location": session.location,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "is_current": session.id == principal.session_id,
        "marks": session.marks,
    }


def _cursor(request: Request) -> Result[UUID | None, ValidationError]:
    text = request.query_params.get("before")
    try:
        return Success(None if text is None else UUID(text))
    except ValueError:
        return Failure(
            ValidationError(
                ErrorCode.VALIDATION_FAILED, "This must be the id of a session.", field="before"
            )
        )
