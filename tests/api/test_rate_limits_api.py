"""Too often: what is answered, what is recorded, and what is not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from audit.models import AuditEvent
from core import container
from core.actions import AuditAction, Phase
from core.events import DomainEvent, RequestsThrottled
from core.quotas import read_overrides
from tests.factories import PASSWORD, UserFactory
from tests.plugin.fixtures import JsonClient
from users.domain.roles import Role

EMAIL = "test@example.com"
CREDENTIALS = {"email": EMAIL, "password": "wrong wrong wrong"}
TOKEN = {"token": "dsh_once_nothing"}
DOORS: dict[str, tuple[str, dict[str, str]]] = {
    "/api/v1/sessions": ("sign_in", CREDENTIALS),
    "/api/v1/users": ("register", {"email": "new@example.com", "password": PASSWORD}),
    "/api/v1/tokens": ("refresh", {"refresh_token": "dsh_refresh_nothing"}),
    "/api/v1/email-verifications": ("one_use_token", TOKEN),
    "/api/v1/email-verification-tokens": ("link", {"email": EMAIL}),
    "/api/v1/password-reset-tokens": ("link", {"email": EMAIL}),
    "/api/v1/password-resets": ("one_use_token", TOKEN | {"password": PASSWORD}),
    "/api/v1/email-changes": ("one_use_token", TOKEN | {"password": PASSWORD}),
    "/api/v1/device-passes": ("one_use_token", TOKEN),
    "/api/v1/invitations": ("one_use_token", TOKEN | {"password": PASSWORD}),
}
PAGES = ["/verify-email", "/setup", "/change-email", "/reset-password", "/invitation", "/unlock"]

Limits = Callable[[str], None]


@pytest.fixture
def limits(override: Callable[..., Any]) -> Limits:
    def set_them(text: str) -> None:
        known = container.get_settings()
        override(
            get_settings=replace(known, rate_limits={**known.rate_limits, **read_overrides(text)})
        )

    return set_them


def form(client: JsonClient, path: str, **fields: str) -> Any:
    return client.post(path, urlencode(fields), content_type="application/x-www-form-urlencoded")


class TestDoors:
    """Uses fixtures: client, limits, published."""

    @pytest.mark.parametrize("path", DOORS)
    @pytest.mark.conforms("Z5", "Z10")
    def test_one_more_than_the_limit_is_refused_and_told_when_to_come_back(
        self, client: JsonClient, limits: Limits, path: str
    ) -> None:
        policy, body = DOORS[path]
        limits(f"{policy}=2/minute;7/hour")
        first, _, third = [client.post(path, json=body) for _ in range(3)]
        name = f'"{policy}-60s"'
        assert first.status_code != 429
        assert first.headers["RateLimit"] == f'{name};r=1;t=60, "{policy}-3600s";r=6;t=3600'
        assert third.status_code == 429
        assert third.headers["Content-Type"] == "application/problem+json"
        assert third.headers["Cache-Control"] == "no-store"
        assert third.json()["code"] == "rate_limited"
        wait = int(third.headers["Retry-After"])
        assert 55 <= wait <= 60
        assert third.headers["RateLimit"] == f"{name};r=0;t={wait}"
        policies = f'{name};q=2;w=60, "{policy}-3600s";q=7;w=3600'
        assert first.headers["RateLimit-Policy"] == third.headers["RateLimit-Policy"] == policies

    @pytest.mark.parametrize("path", DOORS)
    def test_what_is_refused_leaves_one_record_and_no_attempt(
        self, client: JsonClient, limits: Limits, published: list[DomainEvent], path: str
    ) -> None:
        policy, body = DOORS[path]
        limits(f"{policy}=1/minute")
        client.post(path, json=body)
        before = len(published)
        for _ in range(5):
            assert client.post(path, json=body).status_code == 429
        [event] = published[before:]
        assert isinstance(event, RequestsThrottled)
        assert (event.policy, event.by, event.amount, event.seconds) == (policy, "source", 1, 60)

    @pytest.mark.conforms("L8")
    def test_it_stands_on_the_trail_with_where_it_came_from(
        self, client: JsonClient, limits: Limits
    ) -> None:
        limits("refresh=1/minute")
        for _ in range(3):
            client.post("/api/v1/tokens", json=DOORS["/api/v1/tokens"][1])
        event = AuditEvent.objects.get(action=AuditAction.REQUESTS_THROTTLED)
        assert event.phase == Phase.SOLE
        assert event.ip_bi is not None

    def test_an_unreadable_body_is_counted_as_well(
        self, client: JsonClient, limits: Limits
    ) -> None:
        limits("sign_in=1/minute")
        answers = [
            client.generic("POST", "/api/v1/sessions", "{", content_type="application/json")
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [400, 429]

    @pytest.mark.conforms("Z9")
    def test_each_source_has_its_own_count_and_a_spoofed_one_none(
        self, client: JsonClient, limits: Limits
    ) -> None:
        limits("sign_in=1/minute")

        def status(**extra: str) -> int:
            answer = client.post("/api/v1/sessions", json=CREDENTIALS, **extra)
            return int(answer.status_code)

        assert (status(), status()) == (401, 429)
        assert status(HTTP_X_FORWARDED_FOR="192.0.2.9", HTTP_X_REAL_IP="192.0.2.9") == 429
        assert status(REMOTE_ADDR="192.0.2.9") == 401
        assert status(REMOTE_ADDR="2001:db8::1") == 401
        assert status(REMOTE_ADDR="2001:db8::2") == 429
        assert status(REMOTE_ADDR="2001:db8:0:1::2") == 401

    @pytest.mark.conforms("A12")
    def test_a_known_device_has_a_count_of_its_own_at_its_own_account_alone(
        self, client: JsonClient, limits: Limits
    ) -> None:
        for email in (EMAIL, "thief@example.com"):
            UserFactory.create(email=email)
        right = {"email": EMAIL, "password": PASSWORD}
        own, foreign = (
            client.post("/api/v1/sessions", json=right | {"email": email}).json()["device_token"]
            for email in (EMAIL, "thief@example.com")
        )
        limits("sign_in_account=1/hour")
        client.post("/api/v1/sessions", json=CREDENTIALS)
        tries = [
            client.post("/api/v1/sessions", json=right, HTTP_X_DEVICE_TOKEN=token).status_code
            for token in (foreign, own)
        ]
        assert tries == [429, 201]

    def test_an_account_is_limited_from_everywhere_and_no_count_is_told(
        self, client: JsonClient, limits: Limits, published: list[DomainEvent]
    ) -> None:
        limits("sign_in_account=2/hour")
        answers = [
            client.post("/api/v1/sessions", json=CREDENTIALS, REMOTE_ADDR=f"192.0.2.{n}")
            for n in range(4)
        ]
        assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
        assert "account" not in answers[0].headers["RateLimit-Policy"]
        assert int(answers[3].headers["Retry-After"]) > 3500
        throttled = [event for event in published if isinstance(event, RequestsThrottled)]
        assert [(event.policy, event.by) for event in throttled] == [("sign_in_account", "account")]

    def test_the_owner_signs_in_when_the_window_is_over(
        self, client: JsonClient, limits: Limits
    ) -> None:
        UserFactory.create(email=EMAIL)
        limits("sign_in=1/second")
        answer = client.post("/api/v1/sessions", json=CREDENTIALS | {"password": PASSWORD})
        assert answer.status_code == 201


class TestPages:
    """Uses fixtures: client, limits."""

    @pytest.mark.parametrize("path", PAGES)
    def test_the_form_of_a_link_is_limited_and_looking_at_it_is_not(
        self, client: JsonClient, limits: Limits, path: str
    ) -> None:
        limits("one_use_token=1/minute")
        fields = {"token": "nothing", "email": EMAIL, "password": PASSWORD}
        first, second = form(client, path, **fields), form(client, path, **fields)
        assert (first.status_code, second.status_code) == (400, 429)
        assert 0 < int(second.headers["Retry-After"]) <= 60
        assert "Try again in" in second.content.decode()
        assert client.get(path).status_code == 200

    def test_the_door_of_the_panel_is_that_of_the_api(
        self, client: JsonClient, limits: Limits, published: list[DomainEvent]
    ) -> None:
        limits("sign_in=2/minute,sign_in_account=9/hour")
        client.post("/api/v1/sessions", json=CREDENTIALS)
        fields = {"username": EMAIL, "password": "wrong"}
        statuses = [form(client, "/admin/login/", **fields).status_code for _ in range(3)]
        assert statuses == [200, 429, 429]
        assert [type(event) for event in published[-2:]] == [type(published[-2]), RequestsThrottled]
        assert client.get("/admin/login/").status_code == 200


class TestUsers:
    """Uses fixtures: client, limits, published."""

    @pytest.mark.conforms("Z5")
    def test_every_operation_has_a_limit(self, client: JsonClient, limits: Limits) -> None:
        user = UserFactory.create()
        client.as_user(user.email, PASSWORD)
        limits("api=2/minute")
        answers = [client.get("/api/v1/users/me", REMOTE_ADDR=f"192.0.2.{n}") for n in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0].headers["RateLimit"] == '"api-60s";r=1;t=60'
        assert answers[0].headers["RateLimit-Policy"] == '"api-60s";q=2;w=60'
        assert client.get("/api/v1/sessions").status_code == 429

    def test_without_a_token_it_is_by_source(self, client: JsonClient, limits: Limits) -> None:
        limits("public=1/minute")
        assert [client.get("/api/schema").status_code for _ in range(2)] == [200, 429]

    def test_guessing_the_password_in_a_session_is_limited(
        self, client: JsonClient, limits: Limits, published: list[DomainEvent]
    ) -> None:
        user = UserFactory.create()
        client.as_user(user.email, PASSWORD)
        limits("reauthenticate=1/minute")
        path, wrong = "/api/v1/users/me/reauthentications", {"password": "wrong"}
        assert [client.post(path, json=wrong).status_code for _ in range(2)] == [401, 429]
        event = published[-1]
        assert isinstance(event, RequestsThrottled)
        assert event.user_id == user.pk

    def test_an_export_of_the_trail_has_a_limit_of_its_own(
        self, client: JsonClient, limits: Limits
    ) -> None:
        client.as_user(UserFactory.create(role=Role.AUDITOR).email, PASSWORD)
        limits("audit_export=1/minute")
        answers = [client.get("/api/v1/audit/export") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]
        assert '"audit_export-60s";r=0' in answers[0].headers["RateLimit"]
        assert client.get("/api/v1/audit/events").status_code == 200

    def test_who_may_not_read_the_trail_cannot_fill_it(
        self, client: JsonClient, limits: Limits, published: list[DomainEvent]
    ) -> None:
        client.as_user(UserFactory.create().email, PASSWORD)
        limits("api=2/minute")
        before = len(published)
        statuses = [client.get("/api/v1/audit/events").status_code for _ in range(5)]
        assert statuses == [403, 403, 429, 429, 429]
        assert len(published[before:]) == 3


class TestAway:
    """Uses fixtures: client, override."""

    @pytest.mark.fault
    @pytest.mark.conforms("L14")
    def test_without_redis_the_doors_are_limited_all_the_same(
        self, client: JsonClient, override: Callable[..., Any]
    ) -> None:
        override(
            get_settings=replace(
                container.get_settings(),
                redis_url="redis://127.0.0.1:1/0",
                rate_limits=read_overrides("sign_in=2/minute"),
            )
        )
        container.reset()
        answers = [client.post("/api/v1/sessions", json=CREDENTIALS) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
        assert AuditEvent.objects.filter(action=AuditAction.REQUESTS_THROTTLED).count() == 1
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["cache"]) == (503, False)
