from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.database import InUnitOfWork
from core.problems import unwrap
from core.serializers import BODY_PROBLEMS, problem_responses
from core.throttling import ThrottlePolicies
from users import wiring
from users.api.devices import DEVICE_HEADER
from users.api.permissions import NO_SCOPE, RecentlyAuthenticated
from users.api.principal import principal_of
from users.api.serializers import (
    EmailSerializer,
    NewPasswordSerializer,
    PasswordChangeSerializer,
)
from users.api.views import request_link
from users.application.passwords import ChangePassword, ChoosePassword
from users.devices import shown_pass


class PasswordView(APIView):
    token_scopes = NO_SCOPE
    permission_classes = (IsAuthenticated, RecentlyAuthenticated)

    @extend_schema(
        operation_id="change_password",
        summary="Change one's own password",
        request=PasswordChangeSerializer,
        responses={204: None} | BODY_PROBLEMS | problem_responses(401, 403, 503),
    )
    def put(self, request: Request) -> Response:
        """This session stays, all others end. Wrong current passwords are counted for this
        session: the fifth locks this for 15 minutes."""
        form = PasswordChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        principal = principal_of(request)
        assert principal.session_id is not None  # personal tokens do not come here
        command = ChangePassword(
            user_id=principal.user_id, session_id=principal.session_id, **form.validated_data
        )
        unwrap(wiring.change_password().handle(command))
        return Response(status=204)


class PasswordResetTokensView(APIView):
    throttle_policies: ThrottlePolicies = {"POST": ("link",)}
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="request_password_reset",
        summary="Ask for a mail on which a new password can be chosen",
        request=EmailSerializer,
        responses={202: None} | BODY_PROBLEMS | problem_responses(503),
    )
    def post(self, request: Request) -> Response:
        """The same answer for every address; at most one mail a minute leaves."""
        return request_link(request, wiring.request_password_reset())


class PasswordResetsView(APIView):
    throttle_policies: ThrottlePolicies = {"POST": ("one_use_token",)}
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="reset_password",
        summary="Choose a new password, with the token from the mail",
        parameters=[DEVICE_HEADER],
        request=NewPasswordSerializer,
        responses={204: None} | BODY_PROBLEMS | problem_responses(503),
    )
    def post(self, request: Request) -> Response:
        """Confirms the address too. All sessions and personal access tokens end, and all devices
        but this one are strangers again."""
        return _choose(request, wiring.reset_password())


class InvitationsView(APIView):
    throttle_policies: ThrottlePolicies = {"POST": ("one_use_token",)}
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="accept_invitation",
        summary="Choose a first password, with the token from the invitation",
        request=NewPasswordSerializer,
        responses={204: None} | BODY_PROBLEMS | problem_responses(503),
    )
    def post(self, request: Request) -> Response:
        return _choose(request, wiring.accept_invitation())


def _choose(request: Request, handler: InUnitOfWork[ChoosePassword, UUID]) -> Response:
    form = NewPasswordSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    command = ChoosePassword(**form.validated_data, device_token=shown_pass(request))
    unwrap(handler.handle(command))
    return Response(status=204)
