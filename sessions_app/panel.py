"""The admin panel's door: it signs in through the same handler as the API, and a browser there
is a device session like any other, ended as soon as it is revoked."""

from typing import Any, Final
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from unfold.sites import UnfoldAdminSite

from core import context
from core.result import Failure
from core.throttling import throttled
from sessions_app import wiring
from sessions_app.application.revocation import RevokeSession
from sessions_app.application.signing_in import SignIn
from sessions_app.domain.session import SessionKind
from users import models
from users.api.devices import keep_pass, known_device, shown_pass
from users.domain.roles import Role

_DEVICE_SESSION: Final = "device_session"
_GRANTED: Final = "granted_device"
_ROLES: Final = frozenset({Role.ADMIN, Role.AUDITOR})


class DeviceSessionBackend:
    """For AUTHENTICATION_BACKENDS."""

    def authenticate(
        self, request: HttpRequest | None, username: str = "", password: str = ""
    ) -> models.User | None:
        source = context.current()
        result = wiring.sign_in().handle(
            SignIn(
                email=username,
                password=password,
                device_token=shown_pass(request) if request else None,
                ip_address=source.ip_address,
                user_agent=source.user_agent,
                kind=SessionKind.BROWSER,
                roles=_ROLES,
            )
        )
        if isinstance(result, Failure):
            return None
        if request is not None:
            _end_device_session_of(request)  # one browser, one session
        user = self.get_user(result.value.user_id)
        if user is not None:
            setattr(user, _DEVICE_SESSION, result.value.session_id)
            if request is not None:
                setattr(request, _GRANTED, result.value.device_token)
        return user

    def get_user(self, user_id: UUID) -> models.User | None:
        return models.User.objects.filter(pk=user_id, is_active=True).first()


class PanelSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    @method_decorator(
        throttled("sign_in", "sign_in_account", account="username", device=known_device)
    )
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = super().login(request, extra_context)
        if device_token := getattr(request, _GRANTED, None):
            keep_pass(response, device_token)
        return response

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django's own knows neither the policy nor the trail."""
        raise Http404

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        raise Http404

    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Across all models; each list here has a search of its own."""
        raise Http404

    def has_permission(self, request: HttpRequest) -> bool:
        """At each request: a Django session outlives a revocation, a device session does not."""
        device_session = request.session.get(_DEVICE_SESSION)
        if device_session is None or not super().has_permission(request):
            return False
        found = wiring.authenticator().authenticate_browser(UUID(device_session))
        if isinstance(found, Failure) or found.value.user.role not in _ROLES:
            return False
        context.amend(actor_id=found.value.user.id)
        return True


def remember_device_session(
    sender: object, request: HttpRequest, user: models.User, **_: Any
) -> None:
    """After Django has made its session anew (against fixation)."""
    if device_session := getattr(user, _DEVICE_SESSION, None):
        request.session[_DEVICE_SESSION] = str(device_session)


def end_device_session(
    sender: object, request: HttpRequest, user: models.User | None, **_: Any
) -> None:
    _end_device_session_of(request)


def _end_device_session_of(request: HttpRequest) -> None:
    session = getattr(request, "session", {})
    device_session, user_id = session.get(_DEVICE_SESSION), session.get(SESSION_KEY)
    if device_session is not None and user_id is not None:
        command = RevokeSession(session_id=UUID(device_session), user_id=UUID(user_id))
        wiring.revoke_session().handle(command)
