"""Devices that are known: how they show their pass, to the API and to the pages alike."""

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.result import Success
from users import wiring
from users.application.reading import GetUser
from users.domain.device_pass import LIFETIME
from users.domain.email import Email

if TYPE_CHECKING:  # a command has no use for it, and would wait for it
    from rest_framework.request import Request

HEADER: Final = "X-Device-Token"
_COOKIE: Final = "device_token"


def shown_pass(request: "HttpRequest | Request") -> str | None:
    """Programs send a header, browsers a cookie that no script reads."""
    return request.headers.get(HEADER) or request.COOKIES.get(_COOKIE)


def known_device(request: "HttpRequest | Request", address: object) -> UUID | None:
    """Whose address that is: with the pass of somebody else nobody is known."""
    recognised = wiring.device_passes().recognise(shown_pass(request))
    owner = wiring.get_user().handle(GetUser(user_id=recognised.user_id)) if recognised else None
    asked = Email.create(address) if isinstance(address, str) else None
    if recognised is None or not isinstance(owner, Success) or not isinstance(asked, Success):
        return None
    return recognised.id if owner.value.email == asked.value.value else None


def keep_pass(response: HttpResponseBase, device_token: str) -> None:
    response.set_cookie(
        _COOKIE,
        device_token,
        max_age=LIFETIME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
