"""Any two of the journeys of one account, in any order: whoever is second may be refused, but
nobody waits for ever, and nobody is told to try again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final

from core import container
from core.ids import uuid7
from sessions_app import wiring as sessions_wiring
from sessions_app.application.personal_tokens import CreatePersonalToken
from sessions_app.application.revocation import RevokeSessions
from sessions_app.application.rotation import RotateTokens
from sessions_app.application.signing_in import SignedIn
from sessions_app.domain.personal_token import Scope
from tests.factories import PASSWORD, arranged
from trials.races.crew import Act
from trials.races.ground import Broken, Heat, Round, link, login, now, refresh, sign_in
from trials.races.of_tokens import deactivate, reauthenticate, revoke
from trials.races.orders import Duel, Order
from users import models, wiring
from users.application.accounts import ChangeAccount, DeleteAccount
from users.application.addresses import ChangeEmail, RequestEmailChange
from users.application.device_passes import GrantDevicePass
from users.application.passwords import ChangePassword, ChoosePassword
from users.application.registration import RegisterUser, VerifyEmail
from users.domain.lockout import MAX_FAILURES
from users.domain.roles import Role
from users.domain.tokens import Purpose

_ADMIN: Final = uuid7()
_NEW: Final = "another horse, another battery"
_MOST: Final = 16
"""Statements of one of them, about."""
_AT_A_TIME: Final = 4


@dataclass(frozen=True)
class Somebody:
    """An auditor, so that the role can be lost."""

    user: models.User
    signed_in: SignedIn
    links: dict[Purpose, str] = field(default_factory=dict)

    @classmethod
    def of(cls, race: Round) -> "Somebody":
        user = race.person(role=Role.AUDITOR, max_sessions=2)
        signed_in = [sign_in(user) for _ in range(2)][-1]
        for _ in range(MAX_FAILURES - 1):
            wrong = login(user, "a wrong one")
            wrong.door().handle(wrong.command)
        return cls(user, signed_in, {each: _link(each, user) for each in _PURPOSES})


_PURPOSES: Final = (
    Purpose.EMAIL_VERIFICATION,
    Purpose.PASSWORD_RESET,
    Purpose.EMAIL_CHANGE,
    Purpose.UNLOCK,
)


def _link(purpose: Purpose, user: models.User) -> str:
    if purpose is not Purpose.EMAIL_CHANGE:
        return link(purpose, user)
    with arranged():
        tokens = wiring.one_use_tokens(container.get_database())
        issued = tokens.issue(purpose, user.pk, now(), f"new.{user.email}")
    return issued.text(wiring.token_keys())


def _act(door: Callable[[], Any], command: Callable[[Somebody], Any]) -> Callable[[Somebody], Act]:
    return lambda who: Act(door, command(who))


def _change_of_password(who: Somebody) -> ChangePassword:
    return ChangePassword(
        user_id=who.user.pk,
        session_id=who.signed_in.session_id,
        current_password=PASSWORD,
        new_password=_NEW,
    )


def _personal_token(who: Somebody) -> CreatePersonalToken:
    return CreatePersonalToken(
        user_id=who.user.pk, name="a script", scope=Scope.READ, lifetime=timedelta(days=1)
    )


JOURNEYS: Final[dict[str, Callable[[Somebody], Act]]] = {
    "login": lambda who: login(who.user),
    "fifth wrong password": lambda who: login(who.user, "a wrong one"),
    "refresh": lambda who: refresh(who.signed_in.tokens.refresh_token),
    "step-up": lambda who: reauthenticate(who.user, who.signed_in),
    "revoke": lambda who: revoke(who.signed_in),
    "revoke all": _act(
        sessions_wiring.revoke_sessions, lambda who: RevokeSessions(user_id=who.user.pk)
    ),
    "rotation": _act(
        sessions_wiring.rotate_tokens,
        lambda who: RotateTokens(user_id=who.user.pk, reason="a leak"),
    ),
    "personal token": _act(sessions_wiring.create_personal_token, _personal_token),
    "password change": _act(wiring.change_password, _change_of_password),
    "reset": _act(
        wiring.reset_password,
        lambda who: ChoosePassword(token=who.links[Purpose.PASSWORD_RESET], password=_NEW),
    ),
    "verification": _act(
        wiring.verify_email, lambda who: VerifyEmail(token=who.links[Purpose.EMAIL_VERIFICATION])
    ),
    "registration": _act(
        wiring.register_user,
        lambda who: RegisterUser(email=who.user.email, password=PASSWORD),
    ),
    "unlock": _act(
        wiring.grant_device_pass, lambda who: GrantDevicePass(token=who.links[Purpose.UNLOCK])
    ),
    "new address": _act(
        wiring.request_email_change,
        lambda who: RequestEmailChange(user_id=who.user.pk, email=f"other.{who.user.email}"),
    ),
    "address change": _act(
        wiring.change_email, lambda who: ChangeEmail(token=who.links[Purpose.EMAIL_CHANGE])
    ),
    "deactivation": lambda who: deactivate(who.user, who.user),
    "demotion": _act(
        wiring.change_account,
        lambda who: ChangeAccount(user_id=who.user.pk, actor_id=_ADMIN, role=Role.USER),
    ),
    "deletion": _act(wiring.delete_account, lambda who: DeleteAccount(user_id=who.user.pk)),
}


def any_two(race: Round) -> None:
    for _ in range(_AT_A_TIME):
        one, other = race.random.choices(list(JOURNEYS), k=2)
        order = Order(*(race.random.randrange(most) for most in (2, _MOST, _MOST)))
        try:
            Duel(partial(_arranged, one=one, other=other)).fight(race, order)
        except Broken as broken:
            raise Broken(f"{one} beside {other}, in order {order}: {broken}") from broken


def _arranged(race: Round, one: str, other: str) -> tuple[Act, Act, Callable[[Heat], None]]:
    who = Somebody.of(race)
    return JOURNEYS[one](who), JOURNEYS[other](who), lambda _: None
