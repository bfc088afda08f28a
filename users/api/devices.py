"""Devices that are known: how they show their pass, and how one gets it by a mailed link."""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.problems import unwrap
from core.result import Success
from core.serializers import BODY_PROBLEMS, problem_responses
from core.throttling import ThrottlePolicies
from users import wiring
from users.api.serializers import DevicePassSerializer, EmailVerificationSerializer
from users.application.device_passes import GrantDevicePass
from users.application.reading import GetUser
from users.domain.device_pass import LIFETIME
from users.domain.email import Email

_COOKIE: Final = "device_token"
_HEADER: Final = "X-Device-Token"
DEVICE_HEADER: Final = OpenApiParameter(
    _HEADER,
    str,
    OpenApiParameter.HEADER,
    description="The `device_token` of an earlier sign-in: strangers cannot lock this device out.",
)


def shown_pass(request: HttpRequest | Request) -> str | None:
    """Programs send a header, browsers a cookie that no script reads."""
    return request.headers.get(_HEADER) or request.COOKIES.get(_COOKIE)


def known_device(request: HttpRequest | Request, address: object) -> UUID | None:
    """Whose address that is: with the pass of somebody else nobody is known."""
    recognised = wiring.device_passes().recognise(shown_pass(request))
    owner = wiring.get_user().handle(GetUser(user_id=recognised.user_id)) if recognised else None
    asked = Email.create(address) if isinstance(address, str) else None
    if recognised is None or not isinstance(owner, Success) or not isinstance(asked, Success):
        return None
    return recognised.id if owner.value.email == asked.value.value else None


def keep_pass(response: HttpResponseBase, device_token: str) -> None:
    response.set_cookie(
        _COOKIE,
        device_token,
        max_age=LIFETIME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


class DevicePassesView(APIView):
    throttle_policies: ThrottlePolicies = {"POST": ("one_use_token",)}
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="grant_device_pass",
        summary="Make this device known, with the token from the mail about a lock",
        request=EmailVerificationSerializer,
        responses={201: DevicePassSerializer} | BODY_PROBLEMS | problem_responses(503),
    )
    def post(self, request: Request) -> Response:
        """When strangers have locked an account, its owner is mailed a link that lets one device
        sign in all the same: it shows this `device_token` in `X-Device-Token`. It still needs the
        password."""
        form = EmailVerificationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        granted = unwrap(wiring.grant_device_pass().handle(GrantDevicePass(**form.validated_data)))
        body = DevicePassSerializer({"device_token": granted}).data
        return Response(body, status=201)
