"""Device sessions in the panel, to look at: what ends one is a handler."""

from django.contrib import admin

from core.panel import ReadOnlyAdmin
from sessions_app import models


@admin.register(models.DeviceSession)
class DeviceSessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "device", "kind", "ip_address", "last_seen_at", "revoked_reason")
    list_filter = ("kind", "revoked_reason")
    list_select_related = ("user",)
    search_fields = ("user__email", "ip_address", "device")
    ordering = ("-created_at",)
    fields = (
        "id",
        "user",
        "kind",
        "device",
        "ip_address",
        "location",
        "created_at",
        "last_seen_at",
        "generation",
        "revoked_at",
        "revoked_reason",
    )
