"""The whole, over HTTP and PostgreSQL, against the same reference as the handlers."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from core import container
from core.keys import KeyRing
from mail.models import OutgoingMail
from sessions_app import queries
from sessions_app import wiring as sessions_wiring
from sessions_app.application.rotation import RotateTokens
from tests.assertions import assert_success
from tests.factories import UserFactory, arranged
from tests.fakes.clock import FakeClock
from tests.machine import Door, Entry, Machine, Pair
from tests.plugin.fixtures import JsonClient
from users import models, wiring
from users.application.accounts import ChangeAccount
from users.domain.roles import Role
from users.domain.tokens import Purpose

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "60")) // 50
PASSWORDS = [f"a password that nobody guesses {n}" for n in range(100)]


@dataclass
class Http:
    """A `Door`."""

    clock: FakeClock
    override: Callable[..., Any]
    chosen: int = 0
    admin: models.User = field(default_factory=lambda: UserFactory.create(role=Role.ADMIN))
    owner: models.User = field(init=False)

    def __post_init__(self) -> None:
        hashed = make_password(self.password)
        self.owner = UserFactory.create(max_sessions=2, password=hashed)

    @property
    def password(self) -> str:
        return PASSWORDS[self.chosen]

    def now(self) -> datetime:
        return self.clock.now()

    def advance(self, step: timedelta) -> None:
        self.clock.advance(step)

    def sign_in(self, right: bool, device_token: str | None) -> Entry | None:
        body = {"email": self.owner.email, "password": self.password if right else "wrong"}
        answer = _ask("post", "sessions", body, device_token=device_token)
        if answer.status_code == 401:
            return None
        assert answer.status_code == 201
        return Entry(_pair(answer), answer.json()["device_token"])

    def opens(self, access: str) -> bool:
        return bool(_ask("get", "users/me", access=access).status_code == 200)

    def refresh(self, refresh: str) -> Pair | None:
        answer = _ask("post", "tokens", {"refresh_token": refresh})
        return _pair(answer) if answer.status_code == 201 else None

    def reauthenticate(self, access: str, right: bool) -> Pair | None:
        body = {"password": self.password if right else "wrong"}
        answer = _ask("post", "users/me/reauthentications", body, access=access)
        return _pair(answer) if answer.status_code == 201 else None

    def sign_out(self, access: str) -> bool:
        return bool(_ask("delete", "sessions/current", access=access).status_code == 204)

    def end_all(self, access: str, device_token: str | None) -> bool:
        answer = _ask("delete", "sessions", access=access, device_token=device_token)
        return bool(answer.status_code == 204)

    def end_others(self, access: str, device_token: str | None) -> bool:
        answer = _ask("delete", "sessions/others", access=access, device_token=device_token)
        return bool(answer.status_code == 204)

    def live_sessions(self) -> int:
        now = self.clock.now()
        return len(queries.page_of_live_sessions(self.owner.pk, now, before=None, size=50))

    def mails(self) -> int:
        return int(self._unlocking().count())

    def unlock(self, mail: int) -> str | None:
        reference = self._unlocking().order_by("pk")[mail].reference
        assert reference is not None
        token = wiring.one_use_tokens(container.get_database()).find_by_id(reference)
        assert token is not None
        answer = _ask("post", "device-passes", {"token": token.text(wiring.token_keys())})
        return str(answer.json()["device_token"]) if answer.status_code == 201 else None

    def reset_password(self, device_token: str | None) -> None:
        self.chosen += 1
        with arranged():
            tokens = wiring.one_use_tokens(container.get_database())
            token = tokens.issue(Purpose.PASSWORD_RESET, self.owner.pk, self.clock.now())
        body = {"token": token.text(wiring.token_keys()), "password": self.password}
        answer = _ask("post", "password-resets", body, device_token=device_token)
        assert answer.status_code == 204

    def set_active(self, active: bool) -> None:
        self._change(is_active=active)

    def set_limit(self, limit: int) -> None:
        self._change(max_sessions=limit)

    def rotate_tokens(self, grace: timedelta) -> None:
        command = RotateTokens(user_id=self.owner.pk, reason="a drill", grace=grace)
        assert_success(sessions_wiring.rotate_tokens().handle(command))

    def rotate_keys(self) -> None:
        known = container.get_settings()
        number = str(len(known.token_keys.keys) + 1)
        keys = KeyRing(number, {**known.token_keys.keys, number: number.zfill(32).encode()})
        self.override(get_settings=replace(known, token_keys=keys))

    def _change(self, **changes: Any) -> None:
        command = ChangeAccount(user_id=self.owner.pk, actor_id=self.admin.pk, **changes)
        assert_success(wiring.change_account().handle(command))

    def _unlocking(self) -> Any:
        return OutgoingMail.objects.filter(kind="users.unlock", recipient=self.owner.email)


def _ask(
    method: str,
    path: str,
    body: Any = None,
    *,
    access: str | None = None,
    device_token: str | None = None,
) -> Any:
    headers = {"HTTP_AUTHORIZATION": f"Bearer {access}"} if access else {}
    if device_token:
        headers["HTTP_X_DEVICE_TOKEN"] = device_token
    return getattr(JsonClient(), method)(f"/api/v1/{path}", body, **headers)


def _pair(answer: Any) -> Pair:
    tokens = answer.json()
    return Pair(tokens["access_token"], tokens["refresh_token"])


@pytest.mark.model
@pytest.mark.slow(reason="a request a step")
def test_over_http_it_does_what_the_reference_says(
    client: JsonClient, frozen: FakeClock, override: Callable[..., Any]
) -> None:
    class HttpMachine(Machine):
        sieges = False

        def open(self) -> Door:
            return Http(frozen, override)

    run_state_machine_as_test(
        HttpMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=50,
            suppress_health_check=list(HealthCheck),
        ),
    )
