import json

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from core.middleware import LARGEST_BODY, RequestLimitMiddleware


def answer(length: str | None) -> HttpResponse:
    request = RequestFactory().post("/api/v1/users", b"", content_type="application/json")
    request.META["CONTENT_LENGTH"] = length
    return RequestLimitMiddleware(passed_on)(request)


def passed_on(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def test_the_limit_is_64_kib():
    assert LARGEST_BODY == 65536


@pytest.mark.parametrize("length", [None, "", "0", "1", "65535", "65536"])
def test_a_body_of_a_sane_size_is_passed_on(length: str | None):
    assert answer(length).status_code == 204


@pytest.mark.parametrize("length", ["65537", "1" + "0" * 100])
def test_a_larger_body_is_refused(length: str):
    assert answer(length).status_code == 413


@pytest.mark.parametrize("length", ["abc", "-1", "1.5", "0x10", "1" * 5000])
def test_a_length_that_is_no_length_is_no_surprise(length: str):
    """Django then reads no body at all."""
    assert answer(length).status_code == 204


def test_the_refusal_is_a_problem_that_says_the_limit():
    response = answer("65537")
    problem = json.loads(response.content)
    assert (problem["code"], problem["detail"], problem["instance"]) == (
        "request_too_large",
        "Send at most 64 KiB.",
        "/api/v1/users",
    )
