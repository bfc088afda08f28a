"""The admin panel's door: it signs in through the same handler as the API, and a browser there
is a device session like any other, ended as soon as it is revoked."""

from functools import cache
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import autodiscover_modules
from unfold.sites import UnfoldAdminSite
from unfold.widgets import UnfoldAdminPasswordWidget

from core import context
from core.clock import SystemClock
from core.panel.dashboard import dashboard_of
from core.panel.parts import NotShownError, parts, span_of
from core.result import Failure
from core.throttling import throttled
from core.validation import LONGEST_PASSWORD
from sessions_app import wiring
from sessions_app.application.reauthenticating import Reauthenticate
from sessions_app.application.revocation import RevokeSession
from sessions_app.application.signing_in import SignIn
from sessions_app.domain.session import DeviceSession, SessionKind
from users import models
from users.devices import keep_pass, known_device, shown_pass
from users.domain.password import RECENT
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


class ProofForm(forms.Form):
    password = forms.CharField(
        label="Your password",
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )


class PanelSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    index_title = "Dashboard"
    index_template = "panel/dashboard.html"

    def get_urls(self) -> list[URLPattern]:
        prove = path("prove/", self.admin_view(self.prove), name="prove")
        return [prove, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        span = span_of(request.GET.get("span"), SystemClock().now())
        try:
            cards = [card for show in parts.cards for card in show(request, span)]
        except NotShownError as refused:
            values = {**self.each_context(request), "title": "Not now", "error": refused.error}
            return TemplateResponse(request, "panel/unavailable.html", values, status=503)
        context = {**dashboard_of(cards, span), **(extra_context or {})}
        page: HttpResponse = super().index(request, context)
        return page

    def may_act(self, request: HttpRequest) -> bool:
        return getattr(request.user, "role", None) == Role.ADMIN

    def proved_recently(self, request: HttpRequest) -> bool:
        """As the API has it: a browser that was left open must not change accounts."""
        session: DeviceSession = getattr(request, _DEVICE_SESSION)
        return SystemClock().now() - session.authenticated_at < RECENT

    def ask_to_prove(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:prove')}?{urlencode({'next': request.path})}")

    @method_decorator(throttled("reauthenticate"))
    def prove(self, request: HttpRequest) -> HttpResponse:
        """The password again; then on to what it was asked for."""
        session: DeviceSession = getattr(request, _DEVICE_SESSION)
        form = ProofForm(request.POST or None)
        if form.is_valid():
            command = Reauthenticate(
                session_id=session.id,
                user_id=session.user_id,
                email=str(request.user),
                password=form.cleaned_data["password"],
            )
            proved = wiring.reauthenticate().handle(command)
            if not isinstance(proved, Failure):
                return HttpResponseRedirect(self._wanted(request))
            form.add_error("password", proved.error.message)
        context = {**self.each_context(request), "title": "Confirm that it is you", "form": form}
        status = 400 if form.is_bound else 200
        return TemplateResponse(request, "panel/prove.html", context, status=status)

    def _wanted(self, request: HttpRequest) -> str:
        """Only within this site: a link from elsewhere must not send anybody elsewhere."""
        wanted = request.GET.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()})
        return wanted if is_ours else reverse("admin:index")

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

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """It would list all addresses, past the trail."""
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
        setattr(request, _DEVICE_SESSION, found.value.session)
        return True


@cache
def open_panel() -> admin.AdminSite:
    """With the pages that the apps have for it."""
    autodiscover_modules("admin", "panel", register_to=admin.site)
    # Roles say who may do what; groups would say it a second time.
    admin.site.unregister(Group)
    user_logged_in.connect(remember_device_session, dispatch_uid="panel.sign_in")
    user_logged_out.connect(end_device_session, dispatch_uid="panel.sign_out")
    return admin.site


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
