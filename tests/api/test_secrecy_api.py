"""What the answers of the whole product leave behind in a browser or a cache."""

import pytest
from django.conf import LazySettings

from tests.factories import PASSWORD, UserFactory
from tests.plugin.fixtures import JsonClient
from tests.routes import filled, in_panel, operations, routes
from users.domain.roles import Role

EMAIL = "admin@example.com"
FORM = {"username": EMAIL, "password": PASSWORD}


@pytest.fixture
def admin(client: JsonClient) -> JsonClient:
    UserFactory.create(email=EMAIL, role=Role.ADMIN, session_tier="pro")
    return client


@pytest.mark.conforms("S32")
class TestCaches:
    """Uses fixtures: admin."""

    @pytest.mark.slow(reason="asks every operation of the API")
    def test_none_keeps_what_the_api_answers(self, admin: JsonClient) -> None:
        told = {}
        for method, path in sorted(operations(), reverse=True):
            if path.startswith("/api/v1/") and path != "/api/v1/users/me":
                admin.as_user(EMAIL, PASSWORD)
                answer = admin.generic(method, filled(path), "", content_type="application/json")
                told[method, path] = answer.headers.get("Cache-Control")
        told["GET", "me"] = admin.get("/api/v1/users/me").headers["Cache-Control"]
        assert len(told) > 30
        assert set(told.values()) == {"no-store"}

    @pytest.mark.slow(reason="opens every page of the panel")
    def test_none_keeps_a_page_of_the_panel(self, admin: JsonClient) -> None:
        admin.post("/admin/login/?next=/admin/", FORM, format="multipart")
        pages = ["/admin/login/", *(filled(path) for path, _ in routes() if in_panel(path))]
        answers = [admin.get(page) for page in pages]
        kept = [
            page
            for page, answer in zip(pages, answers, strict=True)
            if answer.status_code == 200
            and "no-store" not in answer.headers.get("Cache-Control", "")
        ]
        assert kept == ["/admin/jsi18n/"]  # the words of the buttons


@pytest.mark.conforms("S33")
def test_every_cookie_is_for_tls_for_no_script_and_for_no_other_site(
    admin: JsonClient, settings: LazySettings
) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    admin.get("/admin/login/")
    answer = admin.post("/admin/login/?next=/admin/", FORM, format="multipart")
    assert answer.cookies.keys() == {"csrftoken", "device_token", "sessionid"}
    found = {
        name: (bool(each["secure"]), bool(each["httponly"]), each["samesite"], each["path"])
        for name, each in answer.cookies.items()
    }
    assert found == {
        "csrftoken": (True, True, "Lax", "/"),
        "device_token": (True, True, "Strict", "/"),
        "sessionid": (True, True, "Lax", "/admin/"),
    }
    assert {each["domain"] for each in answer.cookies.values()} == {""}


@pytest.mark.conforms("S33")
def test_the_api_sets_no_cookie_and_reads_none_as_a_proof(admin: JsonClient) -> None:
    admin.post("/admin/login/?next=/admin/", FORM, format="multipart")
    assert admin.get("/api/v1/users/me").status_code == 401
    answer = admin.post("/api/v1/sessions", json={"email": EMAIL, "password": PASSWORD})
    assert (answer.status_code, dict(answer.cookies)) == (201, {})
