import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from core import container
from tests.factories import PASSWORD, UserFactory, arranged
from tests.mailing import delivered
from tests.plugin.fixtures import JsonClient
from users import models, wiring
from users.domain.roles import Role
from users.domain.tokens import Purpose

EMAIL = "test@example.com"
PAGES = {
    "/verify-email": Purpose.EMAIL_VERIFICATION,
    "/setup": Purpose.FIRST_ADMIN,
    "/reset-password": Purpose.PASSWORD_RESET,
    "/change-email": Purpose.EMAIL_CHANGE,
    "/invitation": Purpose.INVITATION,
    "/unlock": Purpose.UNLOCK,
}


def issue(purpose: Purpose) -> str:
    """For an account whose password is PASSWORD, verified where the purpose needs it; or for the
    first admin."""
    changes = purpose is Purpose.EMAIL_CHANGE
    verified = purpose in (Purpose.EMAIL_CHANGE, Purpose.UNLOCK)
    mailed = purpose is not Purpose.FIRST_ADMIN
    user = UserFactory.create(email=EMAIL, is_verified=verified) if mailed else None
    with arranged():
        repository = wiring.one_use_tokens(container.get_database())
        owner, email = user.pk if user else None, "new@example.com" if changes else None
        token = repository.issue(purpose, owner, datetime.now(UTC), email)
    return token.text(wiring.token_keys())


def submit(client: JsonClient, path: str, **fields: str) -> Any:
    form = "application/x-www-form-urlencoded"
    return client.post(path, urlencode(fields), content_type=form)


def is_open(client: JsonClient) -> bool:
    return models.OneUseToken.objects.get().spent_at is None


class TestHome:
    """Uses fixtures: client."""

    def test_it_leads_to_the_documentation_and_the_panel(self, client: JsonClient) -> None:
        page = client.get("/").content.decode()
        assert {"/api/docs", "/admin/", "/health/ready"} <= set(re.findall(r'href="([^"]+)"', page))

    def test_it_is_only_to_be_read(self, client: JsonClient) -> None:
        assert client.post("/").status_code == 405


class TestEveryPage:
    """Uses fixtures: client."""

    @pytest.mark.parametrize("path", PAGES)
    def test_opening_it_spends_nothing_and_shows_no_token(
        self, client: JsonClient, path: str
    ) -> None:
        text = issue(PAGES[path])
        answers: list[Any] = [
            client.get(path),
            client.head(path),
            client.get(path, {"token": text, "password": PASSWORD, "email": EMAIL}),
        ]
        assert [answer.status_code for answer in answers] == [200] * 3
        assert not [answer for answer in answers if text in answer.content.decode()]
        assert {"no-store" in answer.headers["Cache-Control"] for answer in answers} == {True}
        assert is_open(client)

    @pytest.mark.parametrize("path", PAGES)
    def test_its_form_posts_to_itself_and_names_no_other_address(
        self, client: JsonClient, path: str
    ) -> None:
        page = client.get(path).content.decode()
        assert re.findall(r"<form[^>]*>", page) == ['<form method="post">']
        assert not re.search(r'(src|href)="https?:', page)
        assert ('type="password"' in page) is (path != "/unlock")

    @pytest.mark.conforms("S33")
    @pytest.mark.parametrize("path", PAGES)
    def test_a_form_from_elsewhere_is_refused(self, client: JsonClient, path: str) -> None:
        text = issue(PAGES[path])
        stranger = Client(enforce_csrf_checks=True)
        fields = {"token": text, "password": PASSWORD, "email": "admin@example.com"}
        assert stranger.post(path, fields).status_code == 403
        assert is_open(client)

    @pytest.mark.parametrize("path", PAGES)
    def test_no_token_and_a_wrong_one_are_told_and_spend_nothing(
        self, client: JsonClient, path: str
    ) -> None:
        text = issue(PAGES[path])
        fields = {"password": PASSWORD, "email": "admin@example.com"}
        answers = [
            submit(client, path),
            submit(client, path, **fields),
            submit(client, path, token="nonsense", **fields),
            submit(client, path, token=text[:-5] + "AAAAA", **fields),
            submit(client, path, token="x" * 300, **fields),
            submit(client, path, token="\x00", **fields),
        ]
        assert [answer.status_code for answer in answers] == [400] * 6
        assert not [answer for answer in answers if PASSWORD in answer.content.decode()]
        assert is_open(client)


class TestVerifyEmail:
    """Uses fixtures: client."""

    def test_the_token_and_the_chosen_password_confirm_the_address(
        self, client: JsonClient
    ) -> None:
        text = issue(Purpose.EMAIL_VERIFICATION)
        answer = submit(client, "/verify-email", token=text, password=PASSWORD)
        assert answer.status_code == 200
        assert "is confirmed" in answer.content.decode()
        assert text not in answer.content.decode()
        assert models.User.objects.get().is_verified is True

    def test_a_wrong_password_confirms_nothing_and_leaves_another_try(
        self, client: JsonClient
    ) -> None:
        text = issue(Purpose.EMAIL_VERIFICATION)
        answer = submit(client, "/verify-email", token=text, password="somebody else's")
        assert answer.status_code == 400
        assert "not the password" in answer.content.decode()
        assert models.User.objects.get().is_verified is False
        assert is_open(client)


class TestChoosePassword:
    """Uses fixtures: client."""

    NEW = "another horse, another battery"

    @pytest.mark.parametrize(
        ("path", "said"),
        [("/reset-password", "password is changed"), ("/invitation", "account is ready")],
    )
    def test_the_link_sets_the_password_and_confirms_the_address(
        self, client: JsonClient, path: str, said: str
    ) -> None:
        answer = submit(client, path, token=issue(PAGES[path]), password=self.NEW)
        assert answer.status_code == 200
        assert said in answer.content.decode()
        assert client.as_user(EMAIL, self.NEW).get("/api/v1/users/me").status_code == 200

    @pytest.mark.parametrize("page", ["/reset-password", "/invitation", "/setup"])
    def test_it_asks_for_as_many_characters_as_this_installation(
        self, client: JsonClient, override: Callable[..., Any], page: str
    ) -> None:
        override(get_settings=replace(container.get_settings(), password_min_length=15))
        assert "of at least 15 characters" in client.get(page).content.decode()

    def test_a_weak_password_is_told_and_leaves_another_try(self, client: JsonClient) -> None:
        text = issue(Purpose.PASSWORD_RESET)
        assert submit(client, "/reset-password", token=text, password="short").status_code == 400
        assert is_open(client)


class TestForgottenPassword:
    """Uses fixtures: client."""

    @pytest.mark.conforms("A14")
    def test_every_address_has_one_answer_and_an_account_its_mail(self, client: JsonClient) -> None:
        UserFactory.create(email=EMAIL)
        pages = [
            client.post("/forgotten-password", {"email": address}, format="multipart")
            for address in (EMAIL, "nobody@example.com", "no address")
        ]
        assert {page.status_code for page in pages} == {200}
        assert len({page.content for page in pages}) == 1
        assert [mail.to for mail in delivered()] == [[EMAIL]]

    def test_the_door_of_the_panel_leads_here(self, client: JsonClient) -> None:
        assert "/forgotten-password" in client.get("/admin/login/").content.decode()


class TestChangeEmail:
    """Uses fixtures: client."""

    def test_the_token_and_the_accounts_password_change_the_address(
        self, client: JsonClient
    ) -> None:
        text = issue(Purpose.EMAIL_CHANGE)
        answer = submit(client, "/change-email", token=text, password=PASSWORD)
        assert "is changed" in answer.content.decode()
        assert models.User.objects.get().email == "new@example.com"

    def test_who_was_mailed_about_somebody_elses_account_lends_no_address(
        self, client: JsonClient
    ) -> None:
        text = issue(Purpose.EMAIL_CHANGE)
        answer = submit(client, "/change-email", token=text, password="my own password")
        assert answer.status_code == 400
        assert models.User.objects.get().email == EMAIL
        assert is_open(client)


class TestUnlock:
    """Uses fixtures: client."""

    @pytest.mark.conforms("S15")
    def test_the_link_makes_the_browser_known_and_signs_nobody_in(self, client: JsonClient) -> None:
        answer = submit(client, "/unlock", token=issue(Purpose.UNLOCK))
        assert "is known now" in answer.content.decode()
        assert list(answer.cookies) == ["device_token"]
        shown = wiring.device_passes().recognise(answer.cookies["device_token"].value)
        assert shown is not None
        assert shown.user_id == models.User.objects.get().pk

    def test_the_pass_is_not_on_the_page(self, client: JsonClient) -> None:
        answer = submit(client, "/unlock", token=issue(Purpose.UNLOCK))
        assert "dsh_device_" not in answer.content.decode()


class TestSetUp:
    """Uses fixtures: client."""

    FIELDS = {"email": "admin@example.com", "password": PASSWORD}

    def test_the_link_makes_the_first_admin(self, client: JsonClient) -> None:
        answer = submit(client, "/setup", token=issue(Purpose.FIRST_ADMIN), **self.FIELDS)
        admin = models.User.objects.get()
        assert answer.status_code == 200
        assert (admin.email, admin.role, admin.is_verified) == (
            "admin@example.com",
            Role.ADMIN,
            True,
        )

    def test_a_weak_password_leaves_another_try(self, client: JsonClient) -> None:
        text = issue(Purpose.FIRST_ADMIN)
        answer = submit(client, "/setup", token=text, **self.FIELDS | {"password": "short"})
        assert answer.status_code == 400
        assert "12 to 1024" in answer.content.decode()
        assert is_open(client)

    def test_who_has_no_link_does_not_learn_who_has_an_account(self, client: JsonClient) -> None:
        UserFactory.create(email="taken@example.com")
        pages = [
            submit(client, "/setup", token="nonsense", **self.FIELDS | {"email": email})
            for email in ["taken@example.com", "xaken@example.com"]
        ]
        shown = [
            re.sub(r"csrfmiddlewaretoken\S* value=\S+|[tx]aken", "", page.content.decode())
            for page in pages
        ]
        assert shown[0] == shown[1]
