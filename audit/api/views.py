import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any, Final, Never
from urllib.parse import urlencode
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import wiring
from audit.api.permissions import MayReadTheTrail
from audit.api.serializers import (
    ActivityPageSerializer,
    CheckpointSerializer,
    ConsistencyQuerySerializer,
    ConsistencySerializer,
    EventPageSerializer,
    EventsQuerySerializer,
    ExplanationSerializer,
    ExportQuerySerializer,
    PageQuerySerializer,
    ProvedEventSerializer,
)
from audit.application.explaining import NO_SUCH_SESSION, Explanation
from audit.application.reading import ExportEvents, SeenEvent, ViewEvent, ViewEvents, own_activity
from core import container
from core.callers import caller_of
from core.problems import Refused, unwrap
from core.serializers import problem_responses
from core.throttling import ThrottlePolicies

LINES: Final = "application/x-ndjson"


class TrailView(APIView):
    permission_classes = (IsAuthenticated, MayReadTheTrail)

    def permission_denied(
        self, request: Request, message: str | None = None, code: str | None = None
    ) -> Never:
        if request.user is not None:
            # REST framework asks for the limit after the permission: here that is too late.
            self.check_throttles(request)
            wiring.refuse_view(request.path)
        super().permission_denied(request, message, code)


class EventsView(TrailView):
    @extend_schema(
        operation_id="list_audit_events",
        summary="Read the trail, newest first",
        parameters=[EventsQuerySerializer],
        responses={200: EventPageSerializer} | problem_responses(400, 401, 403, 503),
    )
    def get(self, request: Request) -> Response:
        """For auditors and admins. That somebody looks is on record, with what they asked for."""
        query = EventsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        size = query.validated_data["limit"]
        before = query.validated_data.get("before")
        asked = ViewEvents(
            criteria=query.criteria(),
            before=before,
            size=size + 1,
            viewer=caller_of(request).user_id,
        )
        found = unwrap(wiring.view_events().handle(asked))
        results = [event.as_document() for event in found[:size]]
        return Response(EventPageSerializer(_page(request, results, len(found) > size)).data)


class EventView(TrailView):
    @extend_schema(
        operation_id="get_audit_event",
        summary="Read one event, with its proof",
        responses={200: ProvedEventSerializer} | problem_responses(401, 403, 404, 500, 503),
    )
    def get(self, request: Request, event_id: UUID) -> Response:
        """The proof holds without this server: `audit_verify.py` of a bundle checks it."""
        asked = ViewEvent(id=event_id, viewer=caller_of(request).user_id)
        event, proof = unwrap(wiring.view_event().handle(asked))
        body = {
            **event.as_document(),
            "entry": event.entry.decode(),
            "proof": {"leaf": proof.leaf, "text": proof.text} if proof else None,
        }
        return Response(ProvedEventSerializer(body).data)


class ExportView(TrailView):
    throttle_policies: ThrottlePolicies = {"GET": ("api", "audit_export")}

    @extend_schema(
        operation_id="export_audit_events",
        summary="Stream the trail, oldest first",
        parameters=[ExportQuerySerializer],
        responses={(200, LINES): OpenApiTypes.STR} | problem_responses(400, 401, 403, 503),
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """One event a line, as in the list. Where the stream broke, continue with `after`."""
        query = ExportQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = ExportEvents(
            criteria=query.criteria(),
            after=query.validated_data.get("after"),
            viewer=caller_of(request).user_id,
        )
        events = unwrap(wiring.export_events().handle(asked))
        return StreamingHttpResponse(_lines(events), content_type=LINES)


class LatestCheckpointView(TrailView):
    @extend_schema(
        operation_id="get_latest_checkpoint",
        summary="Read the last signed checkpoint",
        responses={200: CheckpointSerializer} | problem_responses(401, 403, 404),
    )
    def get(self, request: Request) -> Response:
        """Keep it: whoever rewrites the trail later cannot have changed what you hold."""
        checkpoint, note = unwrap(wiring.prover().latest())
        body = {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root_hash": checkpoint.root.hex(),
            "note": note,
        }
        return Response(CheckpointSerializer(body).data)


class ConsistencyView(TrailView):
    @extend_schema(
        operation_id="get_consistency_proof",
        summary="Prove that the trail only grew",
        parameters=[ConsistencyQuerySerializer],
        responses={200: ConsistencySerializer} | problem_responses(400, 401, 403, 404),
    )
    def get(self, request: Request) -> Response:
        """Between two checkpoints that you hold, by their sizes."""
        query = ConsistencyQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        proof = unwrap(wiring.prover().consistency(asked["from"], asked.get("to")))
        hashes = [b64encode(each).decode() for each in proof.hashes]
        body = {"from": proof.old, "to": proof.new, "hashes": hashes}
        return Response(ConsistencySerializer(body).data)


class ActivityView(APIView):
    @extend_schema(
        operation_id="list_own_activity",
        summary="Read what happened to one's own account, newest first",
        parameters=[PageQuerySerializer],
        responses={200: ActivityPageSerializer} | problem_responses(400, 401),
    )
    def get(self, request: Request) -> Response:
        query = PageQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        size, before = query.validated_data["limit"], query.validated_data.get("before")
        me = caller_of(request).user_id
        found = own_activity(wiring.reader(), me, before, size + 1)
        results = [_activity(event, me) for event in found[:size]]
        return Response(ActivityPageSerializer(_page(request, results, len(found) > size)).data)


class SessionExplanationView(APIView):
    @extend_schema(
        operation_id="explain_session",
        summary="Read why one's own session ended, or what happened to it",
        responses={200: ExplanationSerializer} | problem_responses(401, 404),
    )
    def get(self, request: Request, session_id: UUID) -> Response:
        """In plain words, from the trail. Who did it is told, but not which admin it was."""
        found = wiring.explainer().session(session_id, caller_of(request).user_id)
        if found is None:
            raise Refused(NO_SUCH_SESSION)
        return Response(ExplanationSerializer(_explanation(found)).data)


def _explanation(found: Explanation) -> dict[str, Any]:
    steps = [
        {
            "id": step.event.id,
            "at": step.event.at,
            "action": step.event.action,
            "phase": step.event.phase,
            "text": step.text,
            "by": step.doer,
        }
        for step in found.steps
    ]
    return {"summary": found.summary, "steps": steps, "is_whole": found.is_whole}


def _page(request: Request, results: list[dict[str, Any]], more: bool) -> dict[str, Any]:
    if not more:
        return {"results": results, "next": None}
    asked = [
        (name, value)
        for name, values in request.query_params.lists()
        if name != "before"
        for value in values
    ]
    query = urlencode([*asked, ("before", results[-1]["id"])])
    here = container.get_settings().public_url + request.path
    return {"results": results, "next": f"{here}?{query}"}


def _lines(events: Iterable[SeenEvent]) -> Iterator[bytes]:
    for event in events:
        yield json.dumps(event.as_document(), ensure_ascii=False).encode() + b"\n"


def _activity(event: SeenEvent, me: UUID) -> dict[str, Any]:
    by_me = event.actor is not None and event.actor.user_id == me
    # Where a known other person came from is theirs.
    source = event.source if by_me or event.actor is None else None
    return {
        "id": event.id,
        "at": event.at,
        "action": event.action,
        "phase": event.phase,
        "by_me": by_me,
        "door": event.door,
        "reason": event.context.get("reason"),
        "ip": source.get("ip") if source else None,
        "agent": source.get("agent") if source else None,
    }
