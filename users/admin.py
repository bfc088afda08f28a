"""Accounts in the panel, to look at: what changes one is a handler."""

from django.contrib import admin

from core.panel import ReadOnlyAdmin
from users import models


@admin.register(models.User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("email", "role", "is_verified", "is_active", "created_at")
    list_filter = ("role", "is_verified", "is_active")
    search_fields = ("email",)
    ordering = ("-created_at",)
    fields = (
        "id",
        "email",
        "role",
        "is_verified",
        "is_active",
        "session_tier",
        "max_sessions",
        "token_version",
        "created_at",
        "updated_at",
    )
