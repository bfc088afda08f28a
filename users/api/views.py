from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import container
from core.clock import SystemClock
from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.problems import unwrap
from core.result import Failure, Result, Success
from core.serializers import BODY_PROBLEMS, problem_responses
from users import wiring
from users.api.principal import principal_of
from users.api.serializers import (
    EmailVerificationSerializer,
    ProfileSerializer,
    RegistrationSerializer,
    UserSerializer,
)
from users.application.registration import RegisterUser, VerifyEmail
from users.domain.email import Email


class UsersView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="register",
        summary="Register an account",
        request=RegistrationSerializer,
        responses={201: UserSerializer} | BODY_PROBLEMS | problem_responses(409, 503),
    )
    def post(self, request: Request) -> Response:
        """The account signs in once its address is confirmed: a link is mailed.

        The answer is the same for an address that has an account already; its owner gets a mail.
        """
        form = RegistrationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        # Made here for both answers: an id made later would tell by its time which one it is.
        user_id, now = uuid7(), SystemClock().now()
        command = RegisterUser(**form.validated_data, user_id=user_id, at=now)
        unwrap(_unrevealing(wiring.register_user().handle(command), user_id))
        body = {
            "id": user_id,
            "email": str(unwrap(Email.create(form.validated_data["email"]))),
            "is_verified": False,
            "created_at": now,
        }
        return Response(UserSerializer(body).data, status=201)


class CurrentUserView(APIView):
    @extend_schema(
        operation_id="get_current_user",
        summary="Read one's own account",
        responses={200: ProfileSerializer} | problem_responses(401),
    )
    def get(self, request: Request) -> Response:
        return Response(ProfileSerializer(principal_of(request).user).data)


class EmailVerificationsView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="verify_email",
        summary="Confirm an e-mail address",
        request=EmailVerificationSerializer,
        responses={204: None} | BODY_PROBLEMS | problem_responses(503),
    )
    def post(self, request: Request) -> Response:
        form = EmailVerificationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        unwrap(wiring.verify_email().handle(VerifyEmail(**form.validated_data)))
        return Response(status=204)


def _unrevealing(registered: Result[UUID, DomainError], user_id: UUID) -> Result[UUID, DomainError]:
    """A stranger must not learn who has an account; the trail knows what happened."""
    taken = (
        isinstance(registered, Failure) and registered.error.code is ErrorCode.EMAIL_ALREADY_EXISTS
    )
    if taken and not container.get_settings().registration_reveals_taken:
        return Success(user_id)
    return registered
