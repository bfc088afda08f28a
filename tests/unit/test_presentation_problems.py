import json
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from rest_framework import exceptions
from structlog.testing import capture_logs

from core import context, problems
from core.errors import (
    CacheError,
    ConflictError,
    DomainError,
    ErrorCode,
    RateLimitedError,
    ValidationError,
)
from core.events import EventMetadata
from core.problems import Refused, handle_exception, problem_response, unwrap
from core.result import Failure, Success

NOT_FOUND = DomainError(ErrorCode.NOT_FOUND, "There is nothing here.")


def handled(exception: Exception) -> HttpResponse:
    request = RequestFactory().get("/api/v1/users/me")
    with capture_logs():
        return handle_exception(exception, {"request": request})


def document(response: HttpResponse) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(response.content)
    return parsed


class TestUnwrap:
    def test_a_success_is_its_value(self):
        assert unwrap(Success(7)) == 7

    def test_a_failure_is_carried_to_the_handler(self):
        with pytest.raises(Refused) as refused:
            unwrap(Failure(NOT_FOUND))
        assert refused.value.error is NOT_FOUND


class TestDocument:
    """RFC 9457."""

    @pytest.mark.conforms("L20")
    def test_it_says_what_happened_in_every_member(self):
        with context.bound(EventMetadata(trace_id="trace-id")):
            response = problem_response(404, NOT_FOUND, instance="/api/v1/users/me")
        assert document(response) == {
            "type": "urn:dashtam:problem:not_found",
            "title": "Not found",
            "status": 404,
            "detail": "There is nothing here.",
            "instance": "/api/v1/users/me",
            "code": "not_found",
            "trace_id": "trace-id",
        }

    @pytest.mark.conforms("L20")
    def test_its_media_type_is_that_of_a_problem(self):
        response = problem_response(404, NOT_FOUND, instance="/")
        assert response.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.conforms("L20")
    def test_its_status_is_that_of_the_response(self):
        assert problem_response(418, NOT_FOUND, instance="/").status_code == 418

    def test_nobody_may_keep_it(self):
        response = problem_response(404, NOT_FOUND, instance="/")
        assert response.headers["Cache-Control"] == "no-store"

    def test_it_takes_further_headers(self):
        response = problem_response(429, NOT_FOUND, instance="/", headers={"Retry-After": "1"})
        assert response.headers["Retry-After"] == "1"

    def test_a_validation_error_is_told_at_its_field(self):
        error = ValidationError(ErrorCode.INVALID_EMAIL, "Enter an address.", field="email")
        response = problem_response(400, error, instance="/")
        assert document(response)["errors"] == {"email": ["Enter an address."]}

    def test_a_validation_error_of_no_field_has_no_errors(self):
        error = ValidationError(ErrorCode.VALIDATION_FAILED, "No.")
        assert "errors" not in document(problem_response(400, error, instance="/"))

    def test_other_details_stay_inside(self):
        error = ConflictError(ErrorCode.EMAIL_ALREADY_EXISTS, "No.", {"owner": "ada"})
        assert "ada" not in problem_response(409, error, instance="/").content.decode()

    @pytest.mark.conforms("L21")
    def test_what_the_driver_said_stays_inside(self):
        error = CacheError(ErrorCode.CACHE_ERROR, "No.", infrastructure_code="ConnectionError")
        assert b"ConnectionError" not in problem_response(503, error, instance="/").content


class TestRefusal:
    @pytest.mark.conforms("L21")
    @pytest.mark.parametrize(
        ("code", "status"),
        [
            (ErrorCode.MALFORMED_REQUEST, 400),
            (ErrorCode.VALIDATION_FAILED, 400),
            (ErrorCode.INVALID_EMAIL, 400),
            (ErrorCode.WEAK_PASSWORD, 400),
            (ErrorCode.INVALID_ONE_USE_TOKEN, 400),
            (ErrorCode.INVALID_CREDENTIALS, 401),
            (ErrorCode.NOT_AUTHENTICATED, 401),
            (ErrorCode.INVALID_TOKEN, 401),
            (ErrorCode.INVALID_GRANT, 401),
            (ErrorCode.PERMISSION_DENIED, 403),
            (ErrorCode.NOT_FOUND, 404),
            (ErrorCode.USER_NOT_FOUND, 404),
            (ErrorCode.SESSION_NOT_FOUND, 404),
            (ErrorCode.METHOD_NOT_ALLOWED, 405),
            (ErrorCode.NOT_ACCEPTABLE, 406),
            (ErrorCode.EMAIL_ALREADY_EXISTS, 409),
            (ErrorCode.ADMIN_ALREADY_EXISTS, 409),
            (ErrorCode.REQUEST_TOO_LARGE, 413),
            (ErrorCode.UNSUPPORTED_MEDIA_TYPE, 415),
            (ErrorCode.RATE_LIMITED, 429),
            (ErrorCode.CACHE_ERROR, 503),
            (ErrorCode.AUDIT_UNAVAILABLE, 503),
            (ErrorCode.DATABASE_UNAVAILABLE, 503),
            (ErrorCode.SECRET_NOT_FOUND, 500),
            (ErrorCode.INVALID_SECRET, 500),
            (ErrorCode.INTERNAL_ERROR, 500),
        ],
    )
    def test_each_code_has_its_status(self, code: ErrorCode, status: int):
        assert handled(Refused(DomainError(code, "No."))).status_code == status

    def test_its_words_are_those_of_the_error(self):
        assert document(handled(Refused(NOT_FOUND)))["detail"] == "There is nothing here."

    def test_it_happened_where_the_request_went(self):
        assert document(handled(Refused(NOT_FOUND)))["instance"] == "/api/v1/users/me"

    def test_a_rate_limit_says_when_to_come_back(self):
        error = RateLimitedError(ErrorCode.RATE_LIMITED, "No.", retry_after=90)
        assert handled(Refused(error)).headers["Retry-After"] == "90"

    def test_no_other_refusal_says_when_to_come_back(self):
        assert "Retry-After" not in handled(Refused(NOT_FOUND)).headers


class TestChallenge:
    """RFC 6750 §3."""

    @pytest.mark.conforms("S27")
    @pytest.mark.parametrize(
        ("code", "challenge"),
        [
            (ErrorCode.INVALID_TOKEN, 'Bearer realm="dashtam", error="invalid_token"'),
            (ErrorCode.NOT_AUTHENTICATED, 'Bearer realm="dashtam"'),
            (ErrorCode.INVALID_CREDENTIALS, 'Bearer realm="dashtam"'),
        ],
    )
    def test_a_401_says_how_to_authenticate(self, code: ErrorCode, challenge: str):
        response = handled(Refused(DomainError(code, "No.")))
        assert response.headers["WWW-Authenticate"] == challenge

    def test_a_403_does_not(self):
        response = handled(Refused(DomainError(ErrorCode.PERMISSION_DENIED, "No.")))
        assert "WWW-Authenticate" not in response.headers


class TestFrameworkErrors:
    @pytest.mark.parametrize(
        ("exception", "status", "code"),
        [
            (exceptions.ValidationError("No."), 400, "validation_failed"),
            (exceptions.ParseError(), 400, "malformed_request"),
            (SuspiciousOperation(), 400, "malformed_request"),
            (exceptions.AuthenticationFailed(), 401, "invalid_token"),
            (exceptions.NotAuthenticated(), 401, "not_authenticated"),
            (exceptions.PermissionDenied(), 403, "permission_denied"),
            (PermissionDenied(), 403, "permission_denied"),
            (exceptions.NotFound(), 404, "not_found"),
            (Http404(), 404, "not_found"),
            (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
            (exceptions.NotAcceptable(), 406, "not_acceptable"),
            (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported_media_type"),
            (RequestDataTooBig(), 413, "request_too_large"),
            (exceptions.Throttled(), 429, "rate_limited"),
            (OperationalError(), 503, "database_unavailable"),
            (InterfaceError(), 503, "database_unavailable"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
    )
    def test_each_becomes_a_problem(self, exception: Exception, status: int, code: str):
        problem = document(handled(exception))
        assert (problem["status"], problem["code"]) == (status, code)

    def test_its_words_are_those_of_the_framework(self):
        problem = document(handled(exceptions.MethodNotAllowed("PUT")))
        assert problem["detail"] == 'Method "PUT" not allowed.'

    def test_an_exception_s_own_words_may_be_secret(self):
        response = handled(SuspiciousOperation("the header was hunter2"))
        assert (b"hunter2" in response.content, document(response)["detail"]) == (
            False,
            "Bad request syntax or unsupported method",
        )

    def test_a_throttle_says_when_to_come_back(self):
        assert handled(exceptions.Throttled(wait=29.5)).headers["Retry-After"] == "30"

    def test_a_throttle_that_does_not_know_says_nothing(self):
        assert "Retry-After" not in handled(exceptions.Throttled()).headers

    def test_every_field_is_told_what_is_wrong(self):
        invalid = exceptions.ValidationError({"email": ["One.", "Two."], "password": "Three."})
        assert document(handled(invalid))["errors"] == {
            "email": ["One.", "Two."],
            "password": ["Three."],
        }

    def test_what_is_wrong_with_no_field_has_a_name_too(self):
        invalid = exceptions.ValidationError("No.")
        assert document(handled(invalid))["errors"] == {"non_field_errors": ["No."]}


class TestSurprise:
    @pytest.mark.conforms("L13")
    def test_it_tells_the_caller_nothing(self):
        response = handled(ZeroDivisionError("hunter2"))
        assert (response.status_code, document(response)["detail"]) == (
            500,
            "Something went wrong here; it is logged under this trace id.",
        )

    @pytest.mark.conforms("L13")
    def test_no_word_of_it_leaves_the_house(self):
        assert b"hunter2" not in handled(ZeroDivisionError("hunter2")).content

    @pytest.mark.conforms("L9", "L15")
    def test_it_is_logged_with_its_traceback(self):
        surprise = ZeroDivisionError()
        with capture_logs() as logs:
            handle_exception(surprise, {"request": RequestFactory().get("/api/")})
        assert logs == [
            {
                "event": "request_failed",
                "log_level": "error",
                "code": ErrorCode.INTERNAL_ERROR,
                "reason": None,
                "exc_info": surprise,
            }
        ]

    def test_a_service_that_is_away_is_logged_without_a_traceback(self):
        away = Refused(CacheError(ErrorCode.CACHE_ERROR, "No.", infrastructure_code="TimeoutError"))
        with capture_logs() as logs:
            handle_exception(away, {"request": RequestFactory().get("/api/")})
        told = [(log["code"], log["reason"], log["exc_info"]) for log in logs]
        assert told == [("cache_error", "TimeoutError", None)]

    def test_a_refusal_is_on_the_trail_and_not_in_the_log(self):
        with capture_logs() as logs:
            handle_exception(Refused(NOT_FOUND), {"request": RequestFactory().get("/api/")})
        assert logs == []


def fail_at(name: str, path: str) -> HttpResponse:
    request: HttpRequest = RequestFactory().get(path)
    answer = getattr(problems, name)
    response: HttpResponse = (
        answer(request) if name == "server_error" else answer(request, Http404())
    )
    return response


class TestHandlers:
    """What Django calls when no view answered."""

    @pytest.mark.parametrize(
        ("name", "status", "code"),
        [
            ("bad_request", 400, "malformed_request"),
            ("not_found", 404, "not_found"),
            ("server_error", 500, "internal_error"),
        ],
    )
    def test_under_api_they_answer_with_a_problem(self, name: str, status: int, code: str):
        problem = document(fail_at(name, "/api/v2"))
        assert (problem["status"], problem["code"], problem["instance"]) == (
            status,
            code,
            "/api/v2",
        )

    @pytest.mark.parametrize(
        ("name", "default"),
        [
            ("bad_request", "bad_request"),
            ("not_found", "page_not_found"),
            ("server_error", "server_error"),
        ],
    )
    @pytest.mark.parametrize("path", ["/", "/admin/", "/apiary"])
    def test_elsewhere_they_answer_with_django_s_page(self, name: str, default: str, path: str):
        page = HttpResponse()
        with patch(f"core.problems.defaults.{default}", autospec=True, return_value=page):
            assert fail_at(name, path) is page
