"""What stands before Django, and what Django's middleware refuses before any view."""

import io
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from config.wsgi import application
from tests.plugin.fixtures import JsonClient


def answer(**environ: Any) -> str:
    statuses: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        statuses.append(status)

    setup_testing_defaults(environ)
    environ |= {"wsgi.input": io.BytesIO(b""), "HTTP_HOST": "localhost"}
    list(application(environ, start_response))
    return statuses[0]


@pytest.mark.parametrize("charset", ["zlib", "rot13", "punycode", "utf-16", "undefined"])
def test_no_charset_of_a_request_reaches_django(charset: str) -> None:
    content_type = f"text/plain; charset={charset}"
    status = answer(PATH_INFO="/health/live", QUERY_STRING="a=b", CONTENT_TYPE=content_type)
    assert status == "200 OK"


def test_a_chunked_body_is_not_read_as_an_empty_one(client: JsonClient) -> None:
    refused = client.post("/api/v1/users", json={}, HTTP_TRANSFER_ENCODING="chunked")
    assert (refused.status_code, refused.json()["code"]) == (411, "length_required")


def test_the_limit_of_a_body_is_in_force(client: JsonClient) -> None:
    refused = client.post("/api/v1/users", json={"email": "x" * 100_000})
    assert (refused.status_code, refused.json()["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_an_unknown_address_is_not_found_by_any_method(client: JsonClient, method: str) -> None:
    client.handler.enforce_csrf_checks = True
    refused = getattr(client, method)("/api/v1/sessions/abc")
    assert (refused.status_code, refused["Content-Type"]) == (404, "application/problem+json")
