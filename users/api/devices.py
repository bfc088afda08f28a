"""How a device that is to be known gets its pass by a mailed link."""

from typing import Final

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.problems import unwrap
from core.serializers import BODY_PROBLEMS, problem_responses
from core.throttling import ThrottlePolicies
from users import wiring
from users.api.serializers import DevicePassSerializer, EmailVerificationSerializer
from users.application.device_passes import GrantDevicePass
from users.devices import HEADER

DEVICE_HEADER: Final = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="The `device_token` of an earlier sign-in: strangers cannot lock this device out.",
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
