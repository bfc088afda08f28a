"""What a proxy may say of a request, and what a browser may do from another origin."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from core import container
from core.quotas import read_overrides
from tests.factories import PASSWORD, UserFactory
from tests.plugin.fixtures import JsonClient
from users.domain.roles import Role

CREDENTIALS = {"email": "test@example.com", "password": PASSWORD}
ORIGIN = "https://app.example.com"


@pytest.fixture
def proxied(override: Callable[..., Any]) -> None:
    """The client of the tests, 127.0.0.1, is a trusted proxy."""
    settings = replace(
        container.get_settings(),
        trusted_proxies=(ip_network("127.0.0.1"),),
        rate_limits=read_overrides("sign_in=1/minute"),
    )
    override(get_settings=settings)


def status(client: JsonClient, **headers: str) -> int:
    answer = client.post("/api/v1/sessions", json=CREDENTIALS, **headers)
    return int(answer.status_code)


@pytest.mark.usefixtures("proxied")
class TestAddress:
    """Uses fixtures: client."""

    def test_who_is_limited_is_the_client_and_not_the_proxy(self, client: JsonClient) -> None:
        assert status(client, HTTP_X_FORWARDED_FOR="203.0.113.1") == 401
        assert status(client, HTTP_X_FORWARDED_FOR="203.0.113.1") == 429
        assert status(client, HTTP_X_FORWARDED_FOR="203.0.113.2") == 401

    def test_what_the_client_made_up_is_no_other_source(self, client: JsonClient) -> None:
        assert status(client, HTTP_X_FORWARDED_FOR="203.0.113.1") == 401
        assert status(client, HTTP_X_FORWARDED_FOR="198.51.100.7, 203.0.113.1") == 429

    def test_the_session_comes_from_the_client(self, client: JsonClient) -> None:
        UserFactory.create(email=CREDENTIALS["email"])
        forwarded = {"HTTP_X_FORWARDED_FOR": "203.0.113.1"}
        tokens = client.post("/api/v1/sessions", json=CREDENTIALS, **forwarded).json()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
        listed = client.get("/api/v1/sessions").json()["results"]
        assert [session["ip_address"] for session in listed] == ["203.0.113.1"]


class TestScheme:
    """Uses fixtures: client, settings."""

    def test_behind_https_the_answer_asks_for_https_from_now_on(
        self, client: JsonClient, proxied: None, settings: Settings
    ) -> None:
        settings.SECURE_HSTS_SECONDS = 60
        answer = client.get("/health/live", HTTP_X_FORWARDED_PROTO="https")
        assert answer.headers["Strict-Transport-Security"] == "max-age=60"
        assert "Strict-Transport-Security" not in client.get("/health/live").headers

    def test_a_stranger_makes_no_request_secure(
        self, client: JsonClient, settings: Settings
    ) -> None:
        settings.SECURE_HSTS_SECONDS = 60
        answer = client.get("/health/live", HTTP_X_FORWARDED_PROTO="https")
        assert "Strict-Transport-Security" not in answer.headers

    @pytest.mark.usefixtures("proxied")
    def test_no_proxy_chooses_the_host(self, client: JsonClient) -> None:
        UserFactory.create(email="admin@example.com", role=Role.ADMIN)
        answer = client.get("/admin/", HTTP_X_FORWARDED_HOST="evil.example")
        assert "evil.example" not in answer.headers["Location"]


@pytest.fixture
def listed(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]


def preflight(client: JsonClient, path: str, origin: str) -> Any:
    asked: dict[str, Any] = {
        "HTTP_ORIGIN": origin,
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST",
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "authorization,content-type",
    }
    return client.options(path, **asked)


@pytest.mark.usefixtures("listed")
class TestOrigins:
    """Uses fixtures: client."""

    def test_a_listed_origin_may_ask_and_send_its_token(self, client: JsonClient) -> None:
        answer = preflight(client, "/api/v1/sessions", ORIGIN)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "Access-Control-Allow-Credentials" not in answer.headers

    def test_it_may_read_what_a_program_needs(self, client: JsonClient) -> None:
        answer = client.post("/api/v1/sessions", json=CREDENTIALS, HTTP_ORIGIN=ORIGIN)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Vary"] == "origin"
        assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) == {
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "WWW-Authenticate",
            "X-Trace-Id",
        }

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "https://app.example.com.evil.example",
            "http://app.example.com",
            "https://app.example.com:8443",
            "null",
        ],
    )
    def test_no_other_origin_is_let_in(self, client: JsonClient, origin: str) -> None:
        answers = [
            preflight(client, "/api/v1/sessions", origin),
            client.get("/api/schema", HTTP_ORIGIN=origin),
        ]
        for answer in answers:
            assert "Access-Control-Allow-Origin" not in answer.headers

    @pytest.mark.parametrize("path", ["/admin/login/", "/", "/health/ready"])
    def test_outside_the_api_nobody_is(self, client: JsonClient, path: str) -> None:
        answer = client.get(path, HTTP_ORIGIN=ORIGIN)
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_by_default_no_origin_is_listed(client: JsonClient) -> None:
    answer = preflight(client, "/api/v1/sessions", ORIGIN)
    assert "Access-Control-Allow-Origin" not in answer.headers
