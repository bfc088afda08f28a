from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import NotFoundError
from core.parsers import BoundedJSONParser
from core.problems import Refused
from core.result import Failure
from core.serializers import BODY_PROBLEMS, problem_responses
from core.throttling import ThrottlePolicies
from sessions_app import wiring
from sessions_app.api.serializers import ShownTokenSerializer


class RevocationsView(APIView):
    throttle_policies: ThrottlePolicies = {"POST": ("refresh",)}
    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (BoundedJSONParser, FormParser)

    @extend_schema(
        operation_id="revoke_token",
        summary="End what a token opens (RFC 7009)",
        request=ShownTokenSerializer,
        responses={200: None} | BODY_PROBLEMS | problem_responses(503),
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """The session of an access or refresh token, also of one that has expired, or a personal
        access token. Of a token that is not known the answer is the same."""
        form = ShownTokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        ended = wiring.end_by_token(form.validated_data["token"])
        if isinstance(ended, Failure) and not isinstance(ended.error, NotFoundError):
            raise Refused(ended.error)
        return Response(status=200)
