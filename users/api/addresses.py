from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.problems import unwrap
from core.serializers import BODY_PROBLEMS, problem_responses
from core.throttling import ThrottlePolicies
from users import wiring
from users.api.permissions import NO_SCOPE, RecentlyAuthenticated
from users.api.principal import principal_of
from users.api.serializers import EmailVerificationSerializer, NewEmailSerializer
from users.api.views import unrevealing
from users.application.addresses import ChangeEmail, RequestEmailChange


class EmailView(APIView):
    token_scopes = NO_SCOPE
    permission_classes = (IsAuthenticated, RecentlyAuthenticated)

    @extend_schema(
        operation_id="request_email_change",
        summary="Ask for another e-mail address",
        request=NewEmailSerializer,
        responses={202: None} | BODY_PROBLEMS | problem_responses(401, 403, 409, 429, 503),
    )
    def put(self, request: Request) -> Response:
        """Nothing changes before the link in the mail to the new address is followed. The answer
        is the same for an address that has an account already; its owner gets a mail."""
        form = NewEmailSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        command = RequestEmailChange(user_id=principal_of(request).user_id, **form.validated_data)
        unwrap(unrevealing(wiring.request_email_change().handle(command), None))
        return Response(status=202)


class EmailChangesView(APIView):
    throttle_policies: ThrottlePolicies = {"POST": ("one_use_token",)}
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="change_email",
        summary="Confirm the new e-mail address",
        request=EmailVerificationSerializer,
        responses={204: None} | BODY_PROBLEMS | problem_responses(503),
    )
    def post(self, request: Request) -> Response:
        """Both addresses are told; sessions stay."""
        form = EmailVerificationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        unwrap(wiring.change_email().handle(ChangeEmail(**form.validated_data)))
        return Response(status=204)
