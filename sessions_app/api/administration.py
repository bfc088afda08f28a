"""What admins do to other people's sessions."""

from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.problems import unwrap
from core.serializers import BODY_PROBLEMS, problem_responses
from sessions_app import wiring
from sessions_app.api.serializers import (
    EndedSessionsSerializer,
    RotationOrderSerializer,
    RotationSerializer,
)
from sessions_app.api.views import NO_SCOPE
from sessions_app.application.revocation import RevokeSessions
from sessions_app.application.rotation import RotateTokens
from users.api.permissions import IsAdmin, RecentlyAuthenticated
from users.api.serializers import StatedReasonSerializer


class AccountSessionsView(APIView):
    token_scopes = NO_SCOPE
    permission_classes = (IsAuthenticated, IsAdmin, RecentlyAuthenticated)

    @extend_schema(
        operation_id="end_sessions_of_account",
        summary="End all sessions of a person",
        request=StatedReasonSerializer,
        responses={200: EndedSessionsSerializer}
        | BODY_PROBLEMS
        | problem_responses(401, 403, 404, 503),
    )
    def post(self, request: Request, user_id: UUID) -> Response:
        """All their devices are strangers again. Who knows the password can sign in."""
        form = StatedReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        command = RevokeSessions(user_id=user_id, **form.validated_data)
        ended = unwrap(wiring.revoke_sessions().handle(command))
        return Response(EndedSessionsSerializer({"sessions": ended}).data)


class TokenRotationsView(APIView):
    token_scopes = NO_SCOPE
    permission_classes = (IsAuthenticated, IsAdmin, RecentlyAuthenticated)

    @extend_schema(
        operation_id="rotate_tokens",
        summary="End all sessions and personal tokens, of one person or of everybody",
        request=RotationOrderSerializer,
        responses={200: RotationSerializer, 201: RotationSerializer}
        | BODY_PROBLEMS
        | problem_responses(401, 403, 404, 503),
    )
    def post(self, request: Request) -> Response:
        """With `dry_run` nothing ends: the answer (200) tells how many would. Within the grace
        period they still work; who signs in again meanwhile goes on."""
        form = RotationOrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = form.validated_data
        command = RotateTokens(
            user_id=values.get("user_id"),
            reason=values["reason"],
            grace=timedelta(seconds=values["grace_seconds"]),
        )
        if values["dry_run"]:
            rotation, status = unwrap(wiring.look_at_rotation(command)), 200
        else:
            rotation, status = unwrap(wiring.rotate_tokens().handle(command)), 201
        return Response(RotationSerializer(asdict(rotation)).data, status=status)
