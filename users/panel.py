"""What accounts contribute to the panel: who somebody is, what admins do to accounts, and how many
there are."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from core.clock import SystemClock
from core.ids import first_id_of
from core.panel.acts import Act, Order, ReasonForm, acts
from core.panel.parts import Card, Figure, Span, parts
from core.result import Result
from users import models, queries, wiring
from users.application.accounts import ChangeAccount
from users.application.links import StartPasswordReset
from users.application.locking import LONGEST_LOCK, LockAccount, UnlockAccount
from users.domain.roles import Role

_USER: Final = "user"
_HOUR: Final = timedelta(hours=1)


def cards(request: HttpRequest, span: Span) -> Iterable[Card]:
    users = models.User.objects
    made = users.filter(pk__gte=first_id_of(span.since)).count()
    locked = users.filter(queries.locked_now(span.now)).count()
    accounts = reverse("admin:users_user_changelist")
    yield Figure(label="New accounts", value=str(made), hint=f"in {span.text}", link=accounts)
    yield Figure(
        label="Locked accounts",
        value=str(locked),
        hint="now",
        link=f"{accounts}?locked=yes",
        is_bad=locked > 0,
    )


def find_person(text: str) -> UUID | None:
    found = models.User.objects.filter(email__iexact=text.strip()).first()
    return found.pk if found else None


def name_people(ids: Iterable[UUID]) -> Mapping[UUID, tuple[str, str]]:
    known = models.User.objects.filter(pk__in=list(ids)).values_list("pk", "email")
    return {pk: (email, reverse("admin:users_user_change", args=(pk,))) for pk, email in known}


class LockForm(ReasonForm):
    hours = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_LOCK // _HOUR,
        initial=24,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=f"At most {LONGEST_LOCK // _HOUR}.",
    )
    field_order = ("hours", "reason")


class RoleForm(ReasonForm):
    role = forms.ChoiceField(
        choices=[(role.value, role.value) for role in Role], widget=UnfoldAdminSelectWidget
    )
    field_order = ("role", "reason")


def _change(order: Order, **changes: Any) -> Result[Any, Any]:
    command = ChangeAccount(
        user_id=order.thing, actor_id=order.admin, stated_reason=order.reason, **changes
    )
    return wiring.change_account().handle(command)


def _lock(order: Order) -> Result[Any, Any]:
    period = order.values["hours"] * _HOUR
    command = LockAccount(user_id=order.thing, period=period, stated_reason=order.reason)
    return wiring.lock_account().handle(command)


def _unlock(order: Order) -> Result[Any, Any]:
    command = UnlockAccount(user_id=order.thing, stated_reason=order.reason)
    return wiring.unlock_account().handle(command)


def _mail_reset(order: Order) -> Result[Any, Any]:
    command = StartPasswordReset(user_id=order.thing, stated_reason=order.reason)
    return wiring.start_password_reset().handle(command)


def _says(text: str) -> Callable[[Any], str]:
    return lambda _: text


def _locked_until(until: datetime) -> str:
    return f"Nobody signs in on this account until {until:%Y-%m-%d %H:%M} UTC."


def is_locked(row: models.User) -> bool:
    now = SystemClock().now()
    return models.User.objects.filter(queries.locked_now(now), pk=row.pk).exists()


acts[_USER] += [
    Act(
        slug="verify",
        label="Vouch for the address",
        foretell=_says(
            "The address counts as confirmed, without a link having been shown. Do this when you"
            " know by another way that it is the person's."
        ),
        perform=lambda order: _change(order, is_verified=True),
        done=_says("The address counts as confirmed."),
        suits=lambda row: not row.is_verified,
    ),
    Act(
        slug="reset",
        label="Mail a password reset",
        foretell=_says(
            "The person is mailed a link on which they choose a new password. The password that"
            " is there works until then; you learn neither."
        ),
        perform=_mail_reset,
        done=_says("The link is on its way."),
        suits=lambda row: row.is_active,
    ),
    Act(
        slug="role",
        label="Change the role",
        foretell=_says("A lower role ends all sessions and personal tokens of the person at once."),
        perform=lambda order: _change(order, role=Role(order.values["role"])),
        done=lambda user: f"The role is {user.role} now.",
        form=RoleForm,
    ),
    Act(
        slug="unlock",
        label="Unlock",
        foretell=_says(
            "Every lock is lifted, and wrong passwords are counted from nothing again: of"
            " strangers and of each device."
        ),
        perform=_unlock,
        done=_says("The account is unlocked."),
        suits=is_locked,
    ),
    Act(
        slug="lock",
        label="Lock",
        foretell=_says(
            "Nobody signs in on this account for so long, on known devices neither; sessions that"
            " are there go on. Who reads the person's mail can lift it by resetting the password:"
            " to shut a person out, deactivate the account."
        ),
        perform=_lock,
        done=_locked_until,
        suits=lambda row: row.is_active,
        form=LockForm,
        is_dangerous=True,
    ),
    Act(
        slug="reactivate",
        label="Reactivate",
        foretell=_says("The person can sign in again, with the password that they had."),
        perform=lambda order: _change(order, is_active=True),
        done=_says("The account is active again."),
        suits=lambda row: not row.is_active,
    ),
    Act(
        slug="deactivate",
        label="Deactivate",
        foretell=_says(
            "All sessions and personal tokens of the person end at once, mailed links stop"
            " working, and nobody signs in on this account until it is reactivated."
        ),
        perform=lambda order: _change(order, is_active=False),
        done=_says("The account is deactivated, and its sessions have ended."),
        suits=lambda row: row.is_active,
        is_dangerous=True,
    ),
]
parts.cards.append(cards)
parts.find_person, parts.name_people = find_person, name_people
