"""Callers who know what no document tells: passwords, mailed tokens, whose id is whose."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeAlias, TypeVar

from schemathesis import Case as AnyCase

from core.clock import SystemClock
from core.container import get_database, get_settings
from core.ids import uuid7
from core.result import Result, Success
from sessions_app import wiring
from sessions_app.application.personal_tokens import CreatePersonalToken
from sessions_app.application.signing_in import SignedIn, SignIn
from sessions_app.domain.personal_token import PersonalToken, Scope
from tests.factories import PASSWORD, UserFactory, arranged
from users.domain.roles import Role
from users.domain.tokens import Purpose
from users.models import User
from users.wiring import one_use_tokens

T = TypeVar("T")
Case: TypeAlias = AnyCase[Any]

OTHER_PASSWORD: Final = "another horse, another battery"


class Insider:
    """An account of a role; another one when its session has ended, perhaps by its own doing."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self._calls: Counter[str] = Counter()
        self._begin()

    def token(self, operation: str) -> str:
        if not isinstance(wiring.authenticator().authenticate(self._token), Success):
            self._begin()
        if operation == "introspect" and self.role is Role.ADMIN:
            return self._introspecting
        return self._token

    def make_true(self, operation: str, case: Case) -> None:
        """Every second time, what was made up gives way to what there is."""
        self._calls[operation] += 1
        truth = _TRUTHS.get(operation)
        if truth is None or self._calls[operation] % 2:
            return
        values = truth(self)
        for part in (case.path_parameters, case.query, case.body):
            if isinstance(part, dict):
                part.update({name: values[name] for name in values if _belongs(name, part, case)})

    def make_personal_token(self, scope: Scope) -> PersonalToken:
        command = CreatePersonalToken(
            user_id=self.user.pk, name="a program", scope=scope, lifetime=timedelta(days=1)
        )
        return _done(wiring.create_personal_token().handle(command))

    def _begin(self) -> None:
        self.user = UserFactory.create(role=self.role, session_tier="pro")
        self._token = sign_in(self.user).tokens.access_token
        if self.role is Role.ADMIN:
            token = self.make_personal_token(Scope.INTROSPECT)
            self._introspecting = token.text(get_settings().token_keys)


def _belongs(name: str, part: Mapping[str, Any], case: Case) -> bool:
    return part is case.body or name in part


def sign_in(user: User) -> SignedIn:
    return _done(wiring.sign_in().handle(SignIn(email=user.email, password=PASSWORD)))


def mailed(purpose: Purpose, **more: Any) -> str:
    """What the mail to somebody holds."""
    user = UserFactory.create()
    with arranged():
        tokens = one_use_tokens(get_database())
        token = tokens.issue(purpose, user.pk, SystemClock().now(), **more)
    return token.text(tokens.keys)


def _done(result: Result[T, Any]) -> T:
    assert isinstance(result, Success), result
    return result.value


def _chosen(purpose: Purpose) -> dict[str, str]:
    return {"token": mailed(purpose), "password": OTHER_PASSWORD}


def _somebody() -> str:
    return str(UserFactory.create().pk)


_Truth = Callable[[Insider], dict[str, Any]]
_TRUTHS: Final[Mapping[str, _Truth]] = {
    "sign_in": lambda _: {"email": UserFactory.create().email, "password": PASSWORD},
    "refresh_tokens": lambda _: {
        "refresh_token": sign_in(UserFactory.create()).tokens.refresh_token
    },
    "introspect": lambda _: {"token": sign_in(UserFactory.create()).tokens.access_token},
    "reauthenticate": lambda _: {"password": PASSWORD},
    "change_password": lambda _: {"current_password": PASSWORD, "new_password": OTHER_PASSWORD},
    "register": lambda _: {"password": OTHER_PASSWORD},
    "verify_email": lambda _: {"token": mailed(Purpose.EMAIL_VERIFICATION)},
    "grant_device_pass": lambda _: {"token": mailed(Purpose.UNLOCK)},
    "reset_password": lambda _: _chosen(Purpose.PASSWORD_RESET),
    "accept_invitation": lambda _: _chosen(Purpose.INVITATION),
    "change_email": lambda _: {
        "token": mailed(Purpose.EMAIL_CHANGE, email=f"{uuid7()}@example.org")
    },
    "get_account": lambda _: {"user_id": _somebody()},
    "change_account": lambda _: {"user_id": _somebody()},
    "start_password_reset": lambda _: {"user_id": _somebody()},
    "rotate_tokens": lambda _: {"user_id": _somebody()},
    "revoke_session": lambda who: {"session_id": str(sign_in(who.user).session_id)},
    "explain_session": lambda who: {"session_id": str(sign_in(who.user).session_id)},
    "revoke_access_token": lambda who: {"token_id": str(who.make_personal_token(Scope.READ).id)},
    "get_consistency_proof": lambda _: {"from": 1, "to": 2},
}
