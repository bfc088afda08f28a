"""The trail in the panel, to read."""

import json
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html

from audit import models, wiring
from audit.domain.events import EventViewed, TrailViewed
from audit.domain.subject import named_user
from core.panel import ReadOnlyAdmin


@admin.register(models.AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("recorded_at", "action", "outcome", "subject_ref", "actor_ref")
    list_filter = ("phase", "action")
    search_fields = ("action",)
    search_help_text = "An action; or paste the id of an event, a user, a session or a request."
    ordering = ("-id",)
    fields = (
        "id",
        "recorded_at",
        "action",
        "outcome",
        "subject_ref",
        "actor_ref",
        "resource_type",
        "resource_id",
        "correlation",
        "record",
    )
    readonly_fields = ("outcome", "record")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """That somebody looks is on record before they see anything."""
        wiring.record(TrailViewed(user_id=request.user.pk, asked_for=request.GET.dict()))
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        with suppress(ValueError):  # what is no id is not found
            wiring.record(EventViewed(user_id=request.user.pk, event=UUID(object_id)))
        page: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return page

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Events have none."""
        raise Http404

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[models.AuditEvent], search_term: str
    ) -> tuple[QuerySet[models.AuditEvent], bool]:
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return queryset.filter(action__startswith=search_term.strip()), False
        # A user's id stands nowhere on the trail: it is looked up by their pseudonym.
        refs = [wanted, *models.refs_of(named_user(wanted))]
        named = Q(pk=wanted) | Q(subject_ref__in=refs) | Q(actor_ref__in=refs)
        return queryset.filter(named | Q(resource_id__in=refs) | Q(correlation=wanted)), False

    @admin.display(description="phase", ordering="phase")
    def outcome(self, event: models.AuditEvent) -> str:
        return event.get_phase_display()

    @admin.display(description="entry")
    def record(self, event: models.AuditEvent) -> str:
        entry = json.loads(bytes(event.entry))
        text = json.dumps(entry, indent=2, ensure_ascii=False)
        readable = text.encode("utf-8", "backslashreplace").decode()
        style = "white-space: pre-wrap; overflow-wrap: anywhere"
        return format_html('<pre style="{}">{}</pre>', style, readable)
