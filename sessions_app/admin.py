"""Device sessions in the panel: what ends one is an act, in `panel.py`."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from core.clock import SystemClock
from core.errors import DomainError
from core.panel.acts import Order, ReasonForm, acts
from core.panel.pages import NOTHING, ReadOnlyAdmin, column, viewer
from core.result import Failure, Result
from sessions_app import models, queries
from sessions_app.mapping import live_sessions, session_entity
from users import wiring as users_wiring
from users.application.reading import ViewUser, ViewUsers

Sessions = QuerySet[models.DeviceSession]


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "live"), ("ended", "ended")]

    def queryset(self, request: HttpRequest, queryset: Sessions) -> Sessions:
        live = live_sessions(SystemClock().now())
        asked = {"live": live, "ended": ~live}
        chosen = asked.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


@admin.register(models.DeviceSession)
class DeviceSessionAdmin(ReadOnlyAdmin):
    list_display = ("device", "user", "state", "kind", "ip_address", "last_seen_at")
    list_filter = (StateFilter, "kind", "revoked_reason")
    list_select_related = ("user",)
    search_fields = ("user__email", "ip_address", "device")
    search_help_text = "An address of mail or of the network, or a device."
    ordering = ("-pk",)
    actions = ("end_chosen",)
    fields = (
        "id",
        "user",
        "device",
        "state",
        "kind",
        "ip_address",
        "location",
        "created_at",
        "last_seen_at",
        "expires_at",
        "marked",
        "generation",
        "revoked_at",
        "revoked_reason",
    )
    readonly_fields = ("state", "expires_at", "marked")

    def look(
        self, request: HttpRequest, row: models.DeviceSession | None = None
    ) -> Result[Any, DomainError]:
        """At whose sessions, as `manage.py sessions` has it."""
        if row is None:
            return users_wiring.view_users().handle(ViewUsers(viewer=viewer(request), size=0))
        query = ViewUser(viewer=viewer(request), user_id=row.user_id)
        return users_wiring.view_user().handle(query)

    def get_queryset(self, request: HttpRequest) -> Sessions:
        return queries.sessions_with_rotation().order_by(*self.ordering)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "user" or super().lookup_allowed(lookup, value, request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        offered: dict[str, Any] = super().get_actions(request)
        return offered if self.admin_site.may_act(request) else {}

    @admin.action(description="End the chosen sessions")
    def end_chosen(self, request: HttpRequest, chosen: Sessions) -> HttpResponse | None:
        """Each by the handler of its own, with the same reason."""
        if not self.admin_site.may_act(request):
            raise PermissionDenied
        if not self.admin_site.proved_recently(request):
            asked: HttpResponse = self.admin_site.ask_to_prove(request)
            return asked
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            (end,) = [act for act in acts[self.opts.model_name] if act.slug == "end"]
            orders = (
                Order(thing=session.pk, admin=viewer(request), values=form.cleaned_data)
                for session in chosen
            )
            ended = sum(not isinstance(end.perform(order), Failure) for order in orders)
            messages.success(request, f"{ended} of {len(chosen)} sessions have ended.")
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "End the chosen sessions",
            "opts": self.opts,
            "chosen": chosen,
            "form": form,
        }
        return TemplateResponse(request, "sessions_app/panel/end_chosen.html", context)

    @column(description="state", label={"live": "success"})
    def state(self, session: models.DeviceSession) -> str:
        return session_entity(session).state(SystemClock().now()).replace("_", " ")

    @column(description="expires at")
    def expires_at(self, session: models.DeviceSession) -> str:
        return f"{session_entity(session).expires_at:%Y-%m-%d %H:%M} UTC"

    @column(description="new about it")
    def marked(self, session: models.DeviceSession) -> str:
        return ", ".join(mark.replace("_", " ") for mark in session.marks) or NOTHING
