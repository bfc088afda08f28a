"""At the edge, before any view: whose request this is, and whether it is of a sane size."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from core import container, context
from core.errors import DomainError, ErrorCode
from core.events import EventMetadata
from core.forwarding import believe_trusted_proxies, read_address
from core.ids import uuid7
from core.problems import problem_response

_TRACE_ID: Final = re.compile(context.TRACE_ID)
# W3C Trace Context §3.2: version, trace id, parent id, flags.
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")
_LONGEST_USER_AGENT: Final = 256
_DOORS: Final = {"/api/": "api", "/admin/": "panel"}
LARGEST_BODY: Final = 64 * 1024
"""Bytes. No request of this API is near it."""

_GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class TraceMiddleware:
    """Takes `X-Trace-Id` when it is well-formed, else the trace of `traceparent`, else makes one;
    it stands in every log line, event and problem of the request, and in its answer. The first of
    all: from here on REMOTE_ADDR is the client's address."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _GetResponse) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._answer_async(request)
        with context.bound(metadata_of(request)) as metadata:
            response = self._get_response(request)
            assert isinstance(response, HttpResponseBase)
            return _traced(response, metadata)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        with context.bound(metadata_of(request)) as metadata:
            response = self._get_response(request)
            assert isinstance(response, Awaitable)
            return _traced(await response, metadata)


class NoStoreMiddleware:
    """What the API answers is personal, or a token: no cache keeps it (RFC 9111 §5.2.2.5)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if request.path.startswith("/api/v1/"):
            response.headers["Cache-Control"] = "no-store"
        return response


class RequestLimitMiddleware:
    """DRF reads a JSON body without Django's limit: this is the limit."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _length_of(request) > LARGEST_BODY:
            return problem_response(
                413,
                DomainError(
                    ErrorCode.REQUEST_TOO_LARGE, f"Send at most {LARGEST_BODY // 1024} KiB."
                ),
                instance=request.path,
            )
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            # WSGI would read such a body as empty.
            return problem_response(
                411,
                DomainError(ErrorCode.LENGTH_REQUIRED, "Send the body with a Content-Length."),
                instance=request.path,
            )
        return self._get_response(request)


def _length_of(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:  # Django reads no body then
        return 0


def metadata_of(request: HttpRequest) -> EventMetadata:
    """The address is the peer's, or what a trusted proxy says: any other forwarding header is only
    what its sender says."""
    believe_trusted_proxies(request.META, container.get_settings().trusted_proxies)
    address = read_address(request.META.get("REMOTE_ADDR") or "")
    agent = _UNPRINTABLE.sub("?", request.headers.get("User-Agent", ""))
    return EventMetadata(
        ip_address=str(address) if address else None,
        user_agent=agent[:_LONGEST_USER_AGENT] or None,
        trace_id=_trace_id(request),
        door=next(
            (door for start, door in _DOORS.items() if request.path.startswith(start)), "page"
        ),
    )


def _trace_id(request: HttpRequest) -> str:
    given = request.headers.get("X-Trace-Id", "")
    if _TRACE_ID.fullmatch(given):
        return given
    parent = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    return parent[1] if parent else uuid7().hex


def _traced(response: HttpResponseBase, metadata: EventMetadata) -> HttpResponseBase:
    response.headers["X-Trace-Id"] = metadata.trace_id or ""
    return response
