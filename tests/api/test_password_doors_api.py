"""Every way that takes a password goes past the same guard, and none is left out of this list."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import container
from sessions_app.models import DeviceSession
from tests.factories import PASSWORD, UserFactory, arranged
from tests.fakes.clock import FakeClock
from tests.plugin.fixtures import JsonClient
from tests.routes import routes
from users import models, wiring
from users.adapters import DjangoPasswordService
from users.domain.roles import Role
from users.domain.tokens import Purpose

EMAIL = "test@example.com"
SESSIONS, ME = "/api/v1/sessions", "/api/v1/users/me"
NEW = "another horse, another battery"


def mailed(purpose: Purpose, email: str | None = None) -> str:
    with arranged():
        tokens = wiring.one_use_tokens(container.get_database())
        owner = models.User.objects.get(email=EMAIL).pk
        return tokens.issue(purpose, owner, datetime.now(UTC), email).text(wiring.token_keys())


@dataclass(frozen=True)
class Owner:
    """Signed in, and asked by mail to confirm another address."""

    client: JsonClient = field(default_factory=JsonClient)
    link: str = ""


def sign_in(owner: Owner, password: str) -> bool:
    body = {"email": EMAIL, "password": password}
    return bool(JsonClient().post(SESSIONS, json=body).status_code == 201)


def panel(owner: Owner, password: str) -> bool:
    form = {"username": EMAIL, "password": password}
    answer = JsonClient().post("/admin/login/?next=/admin/", form, format="multipart")
    return bool(answer.status_code == 302)


def prove_again(owner: Owner, password: str) -> bool:
    answer = owner.client.post(f"{ME}/reauthentications", json={"password": password})
    return bool(answer.status_code == 201)


def change(owner: Owner, password: str) -> bool:
    body = {"current_password": password, "new_password": NEW}
    return bool(owner.client.put(f"{ME}/password", body).status_code == 204)


def confirm_address(owner: Owner, password: str) -> bool:
    form = {"token": owner.link, "password": password}
    answer = JsonClient().post("/change-email", form, format="multipart")
    return bool(answer.status_code == 200)


Door = Callable[[Owner, str], bool]
DOORS: dict[str, Door] = {
    "/api/v1/sessions": sign_in,
    "/admin/login/": panel,
    "/api/v1/users/me/reauthentications": prove_again,
    "/api/v1/users/me/password": change,
    "/change-email": confirm_address,
}
CHOOSE = {
    "/api/v1/users",
    "/api/v1/password-resets",
    "/api/v1/invitations",
    "/reset-password",
    "/invitation",
    "/setup",
}
"""Where a password is chosen, and none proved."""
CONFIRMS = {"/verify-email"}
"""Compares with the one that was just chosen, for who has the mailed link, and opens no door."""


def takes_a_password(callback: Callable[..., Any], client: JsonClient, path: str) -> bool:
    """It has a field for one in its form, or misses one in an empty body."""
    view = getattr(callback, "view_class", None)
    if form := getattr(view, "form_class", None):
        return "password" in form.base_fields
    for method in ("post", "put"):
        answer = getattr(client, method)(path, {}, format="json")
        problem = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
        if any("password" in field for field in problem.get("errors", {})):
            return True
    return False


@pytest.fixture
def owner(frozen: FakeClock, client: JsonClient) -> Owner:
    UserFactory.create(email=EMAIL, role=Role.ADMIN, session_tier="pro")
    client.as_user(EMAIL, PASSWORD)
    return Owner(client, mailed(Purpose.EMAIL_CHANGE, "new@example.com"))


@pytest.mark.conforms("A23")
class TestDoors:
    """Uses fixtures: owner."""

    @pytest.mark.slow(reason="sends something to every address of the product")
    def test_no_address_takes_a_password_that_is_not_listed(self, owner: Owner) -> None:
        found = {
            path
            for path, callback in routes()
            if "{" not in path
            and not path.startswith("/admin/")
            and takes_a_password(callback, owner.client, path)
        }
        assert found | {"/admin/login/"} == DOORS.keys() | CHOOSE | CONFIRMS

    @pytest.mark.parametrize("door", DOORS.values(), ids=list(DOORS))
    def test_the_fifth_wrong_password_shuts_it_to_the_right_one(
        self, owner: Owner, door: Door
    ) -> None:
        assert [door(owner, f"wrong {n}") for n in range(5)] == [False] * 5
        assert not door(owner, PASSWORD)
        guard = models.SignInGuard.objects.get()
        assert (guard.failures, guard.locked_until is not None) == (5, True)

    @pytest.mark.parametrize("door", DOORS.values(), ids=list(DOORS))
    def test_the_right_password_opens_it(self, owner: Owner, door: Door) -> None:
        assert not door(owner, "wrong")
        assert door(owner, PASSWORD)


TYPED = "  Correct Horse: \u00e9\u212b\U0001f40e  "
"""Spaces around it, both cases, letters that normal forms would change."""


@pytest.mark.conforms("A4")
class TestAsTyped:
    """Uses fixtures: client."""

    @pytest.mark.parametrize("door", [sign_in, panel])
    def test_nothing_but_what_was_typed_opens(self, client: JsonClient, door: Door) -> None:
        UserFactory.create(email=EMAIL, role=Role.ADMIN, password=hashed(TYPED))
        others = [TYPED.strip(), TYPED.lower(), TYPED.replace("\u212b", "\u00c5"), TYPED[:-1]]
        assert [door(Owner(), other) for other in others] == [False] * 4
        assert door(Owner(), TYPED)

    @pytest.mark.parametrize("length", [72, 1023])
    def test_no_character_is_cut_off(self, client: JsonClient, length: int) -> None:
        """Some hash functions read 72 bytes and no more."""
        UserFactory.create(email=EMAIL, password=hashed("p" * length + "a"))
        assert not sign_in(Owner(), "p" * length + "b")
        assert not sign_in(Owner(), "p" * length)
        assert sign_in(Owner(), "p" * length + "a")


def hashed(password: str) -> str:
    return DjangoPasswordService().hash_password(password)


LINKS = {
    "/api/v1/email-verifications": (Purpose.EMAIL_VERIFICATION, {}),
    "/api/v1/password-resets": (Purpose.PASSWORD_RESET, {"password": NEW}),
    "/api/v1/invitations": (Purpose.INVITATION, {"password": NEW}),
    "/api/v1/device-passes": (Purpose.UNLOCK, {}),
}


@pytest.mark.conforms("S15")
class TestNoOtherWayIn:
    """Uses fixtures: client."""

    @pytest.mark.parametrize("path", LINKS)
    def test_a_mailed_link_signs_nobody_in(self, client: JsonClient, path: str) -> None:
        purpose, more = LINKS[path]
        UserFactory.create(email=EMAIL, is_verified=purpose is Purpose.UNLOCK)
        answer = client.post(path, json={"token": mailed(purpose)} | more)
        assert answer.status_code in (201, 204)
        assert self.nobody_is_signed_in(answer)

    def test_nor_does_registering(self, client: JsonClient) -> None:
        answer = client.post("/api/v1/users", json={"email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 201
        assert self.nobody_is_signed_in(answer)

    def nobody_is_signed_in(self, answer: Any) -> bool:
        told = "dsh_access_" in answer.content.decode() or "sessionid" in answer.cookies
        return not told and not DeviceSession.objects.exists()


@pytest.mark.conforms("A8")
def test_no_password_gets_too_old(frozen: FakeClock, client: JsonClient) -> None:
    UserFactory.create(email=EMAIL)
    frozen.advance(timedelta(days=3650))
    assert sign_in(Owner(), PASSWORD)
