from collections.abc import Awaitable
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from core import context
from core.events import EventMetadata
from core.middleware import TraceMiddleware, metadata_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


class View:
    """Answers with nothing and keeps what was bound while it did."""

    def __init__(self, error: Exception | None = None) -> None:
        self.seen = EventMetadata()
        self._error = error

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.seen = context.current()
        if self._error is not None:
            raise self._error
        return HttpResponse()


def get(path: str = "/api/v1/users", **headers: Any) -> HttpRequest:
    return RequestFactory().get(path, headers=headers)


def answer(request: HttpRequest, view: View | None = None) -> HttpResponse:
    response = TraceMiddleware(view or View())(request)
    assert isinstance(response, HttpResponse)
    return response


def given(trace_id: str) -> HttpRequest:
    request = get()
    request.META["HTTP_X_TRACE_ID"] = trace_id
    return request


class TestTraceId:
    @pytest.mark.parametrize(
        "trace_id", ["a" * 8, "z" * 64, "Az09._-Az", "018cc251-f400-7000-8000-000000000000"]
    )
    def test_a_well_formed_one_is_taken(self, trace_id: str):
        assert answer(given(trace_id)).headers["X-Trace-Id"] == trace_id

    @pytest.mark.parametrize(
        "trace_id",
        [
            "",
            "short-7",
            "l" * 65,
            "with space",
            "line\nbreak",
            "carriage\r\nSet-Cookie: a=b",
            "trailing-newline\n",
            "<script>alert(1)</script>",
            "naïvenaïve",
            "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
            "semi;colon",
            "nul\x00nul\x00",
        ],
    )
    def test_a_hostile_one_is_replaced(self, trace_id: str):
        made = answer(given(trace_id)).headers["X-Trace-Id"]
        assert (len(made), int(made, 16) >> 76 & 0xF) == (32, 7)

    def test_without_one_it_is_made(self):
        made = answer(get()).headers["X-Trace-Id"]
        assert (len(made), int(made, 16) >> 76 & 0xF) == (32, 7)

    def test_each_request_gets_its_own(self):
        assert answer(get()).headers["X-Trace-Id"] != answer(get()).headers["X-Trace-Id"]

    def test_the_trace_of_a_traceparent_is_taken(self):
        assert answer(get(traceparent=PARENT)).headers["X-Trace-Id"] == TRACE

    def test_our_own_header_wins_over_a_traceparent(self):
        request = get(traceparent=PARENT, x_trace_id="ours-1234")
        assert answer(request).headers["X-Trace-Id"] == "ours-1234"

    def test_a_traceparent_helps_when_our_own_header_is_hostile(self):
        request = get(traceparent=PARENT, x_trace_id="<>")
        assert answer(request).headers["X-Trace-Id"] == TRACE

    @pytest.mark.parametrize(
        "parent",
        [
            f"00-{'0' * 32}-00f067aa0ba902b7-01",
            f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
            f"00-{TRACE[:-1]}-00f067aa0ba902b7-01",
            f"00-{TRACE}-00f067aa0ba902b7",
            f"00-{TRACE}-00f067aa0ba902b7-01-more",
            f"0-{TRACE}-00f067aa0ba902b7-01",
            "rubbish",
        ],
    )
    def test_a_traceparent_that_is_none_is_not_taken(self, parent: str):
        assert answer(get(traceparent=parent)).headers["X-Trace-Id"] not in {TRACE, "0" * 32}

    def test_the_view_sees_the_one_that_is_answered(self):
        view = View()
        assert answer(get(), view).headers["X-Trace-Id"] == view.seen.trace_id

    def test_a_streaming_answer_carries_it_too(self):
        middleware = TraceMiddleware(lambda request: StreamingHttpResponse())
        response = middleware(given("trace-of-a-stream"))
        assert isinstance(response, StreamingHttpResponse)
        assert response.headers["X-Trace-Id"] == "trace-of-a-stream"


class TestBinding:
    def test_it_is_cleared_after_the_request(self):
        answer(given("trace-id"))
        assert context.current().trace_id is None

    def test_it_is_cleared_after_an_exception(self):
        with pytest.raises(ZeroDivisionError):
            answer(given("trace-id"), View(error=ZeroDivisionError()))
        assert context.current().trace_id is None

    def test_one_request_has_one_correlation(self):
        correlations = set()

        def view(request: HttpRequest) -> HttpResponse:
            correlations.update({context.current().correlation, context.current().correlation})
            return HttpResponse()

        TraceMiddleware(view)(get())
        assert len(correlations) == 1

    def test_an_actor_that_is_learned_does_not_outlive_the_request(self):
        def view(request: HttpRequest) -> HttpResponse:
            context.amend(actor_id=context.current().correlation)
            return HttpResponse()

        TraceMiddleware(view)(get())
        assert context.current().actor_id is None


class TestMetadata:
    @pytest.mark.parametrize(
        ("peer", "address"),
        [
            ("192.0.2.1", "192.0.2.1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("unix:", None),
            ("", None),
            ("192.0.2.1, 198.51.100.7", None),
        ],
    )
    def test_the_address_is_the_peers_or_none(self, peer: str, address: str | None):
        assert metadata_of(RequestFactory().get("/", REMOTE_ADDR=peer)).ip_address == address

    @pytest.mark.parametrize(
        ("path", "door"),
        [("/api/v1/users", "api"), ("/admin/", "panel"), ("/", "page"), ("/apiary", "page")],
    )
    def test_the_path_tells_the_door(self, path: str, door: str):
        assert metadata_of(get(path)).door == door

    def test_the_address_is_the_peer_s(self):
        request = get(x_forwarded_for="203.0.113.9", forwarded="for=203.0.113.9")
        assert metadata_of(request).ip_address == "127.0.0.1"

    @pytest.mark.parametrize("address", ["", None])
    def test_a_peer_without_an_address_is_unknown(self, address: str | None):
        request = get()
        request.META["REMOTE_ADDR"] = address
        assert metadata_of(request).ip_address is None

    @pytest.mark.parametrize(
        ("agent", "kept"),
        [
            ("Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"),
            ("a\r\nb", "a??b"),
            ("naïve\x00\x7f", "na?ve??"),
            ("a" * 257, "a" * 256),
            ("", None),
        ],
    )
    def test_the_user_agent_is_kept_printable_and_short(self, agent: str, kept: str | None):
        request = get()
        request.META["HTTP_USER_AGENT"] = agent
        assert metadata_of(request).user_agent == kept

    def test_a_request_without_a_user_agent_has_none(self):
        assert metadata_of(get()).user_agent is None

    def test_nobody_is_known_before_authentication(self):
        assert metadata_of(get()).actor_id is None


class TestAsync:
    """The same, in front of an async view."""

    async def test_the_view_sees_the_id_that_is_answered(self):
        seen: list[str | None] = []

        async def view(request: HttpRequest) -> HttpResponse:
            seen.append(context.current().trace_id)
            return HttpResponse()

        answering = TraceMiddleware(view)(given("trace-id"))
        assert isinstance(answering, Awaitable)
        response = await answering
        assert [response.headers["X-Trace-Id"]] == seen == ["trace-id"]

    async def test_it_is_cleared_after_the_request(self):
        async def view(request: HttpRequest) -> HttpResponse:
            return HttpResponse()

        answering = TraceMiddleware(view)(given("trace-id"))
        assert isinstance(answering, Awaitable)
        await answering
        assert context.current().trace_id is None

    async def test_it_is_cleared_after_an_exception(self):
        async def view(request: HttpRequest) -> HttpResponse:
            raise ZeroDivisionError

        answering = TraceMiddleware(view)(given("trace-id"))
        assert isinstance(answering, Awaitable)
        with pytest.raises(ZeroDivisionError):
            await answering
        assert context.current().trace_id is None

    def test_django_need_not_adapt_it_to_either_kind(self):
        assert (TraceMiddleware.sync_capable, TraceMiddleware.async_capable) == (True, True)

    def test_it_looks_async_in_front_of_an_async_view(self):
        async def view(request: HttpRequest) -> HttpResponse:
            return HttpResponse()

        assert iscoroutinefunction(TraceMiddleware(view))

    def test_it_looks_sync_in_front_of_a_sync_view(self):
        assert not iscoroutinefunction(TraceMiddleware(View()))
