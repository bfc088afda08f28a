from typing import TypeVar

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import container
from core.clock import SystemClock
from core.database import InUnitOfWork
from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.problems import unwrap
from core.result import Failure, Result, Success
from core.serializers import BODY_PROBLEMS, problem_responses
from core.throttling import ThrottlePolicies
from users import wiring
from users.api.permissions import NO_SCOPE, require_recent
from users.api.principal import principal_of
from users.api.serializers import (
    EmailSerializer,
    EmailVerificationSerializer,
    ExportSerializer,
    ProfileSerializer,
    RegistrationSerializer,
    UserSerializer,
)
from users.application.accounts import DeleteAccount
from users.application.exporting import ExportAccount
from users.application.links import RequestLink
from users.application.registration import RegisterUser, VerifyEmail
from users.domain.email import Email

T = TypeVar("T")


class UsersView(APIView):
    throttle_policies: ThrottlePolicies = {"POST": ("register",)}
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="register",
        summary="Register an account",
        request=RegistrationSerializer,
        responses={201: UserSerializer} | BODY_PROBLEMS | problem_responses(403, 409, 503),
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
        unwrap(unrevealing(wiring.register_user().handle(command), user_id))
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

    @extend_schema(
        operation_id="delete_current_user",
        summary="Delete one's own account",
        responses={204: None} | problem_responses(401, 409, 503),
    )
    def delete(self, request: Request) -> Response:
        """At once, for good, and with every session; on the trail nobody can read any more who it
        was. Needs a password that was proved in the last ten minutes."""
        require_recent(request)
        command = DeleteAccount(user_id=principal_of(request).user_id)
        unwrap(wiring.delete_account().handle(command))
        return Response(status=204)


class ExportView(APIView):
    token_scopes = NO_SCOPE

    @extend_schema(
        operation_id="export_current_user",
        summary="Read all that is kept of one's own account",
        responses={200: ExportSerializer} | problem_responses(401, 403, 503),
    )
    def get(self, request: Request) -> Response:
        """Without secrets. What happened to it is at `users/me/activity`."""
        command = ExportAccount(user_id=principal_of(request).user_id)
        return Response(unwrap(wiring.export_account().handle(command)))


class EmailVerificationsView(APIView):
    throttle_policies: ThrottlePolicies = {"POST": ("one_use_token",)}
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


class EmailVerificationTokensView(APIView):
    throttle_policies: ThrottlePolicies = {"POST": ("link",)}
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="request_email_verification",
        summary="Ask for another mail that confirms an address",
        request=EmailSerializer,
        responses={202: None} | BODY_PROBLEMS | problem_responses(503),
    )
    def post(self, request: Request) -> Response:
        """The same answer for every address; at most one mail a minute leaves."""
        return request_link(request, wiring.request_verification())


def request_link(request: Request, handler: InUnitOfWork[RequestLink, None]) -> Response:
    form = EmailSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    unwrap(handler.handle(RequestLink(**form.validated_data)))
    return Response(status=202)


def unrevealing(done: Result[T, DomainError], told: T) -> Result[T, DomainError]:
    """A stranger must not learn who has an account; the trail knows what happened."""
    taken = isinstance(done, Failure) and done.error.code is ErrorCode.EMAIL_ALREADY_EXISTS
    if taken and not container.get_settings().registration_reveals_taken:
        return Success(told)
    return done
