"""Accounts in the panel: what changes one is an act, in `panel.py`."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, QuerySet
from django.http import HttpRequest

from core.clock import SystemClock
from core.errors import DomainError
from core.panel.pages import NOTHING, ReadOnlyAdmin, column, viewer
from core.result import Result
from users import models, queries, wiring
from users.application.reading import ViewUser, ViewUsers
from users.domain.roles import Role
from users.ports import UserCriteria


class LockedFilter(admin.SimpleListFilter):
    title = "sign-in"
    parameter_name = "locked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "locked now"), ("no", "not locked")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[models.User]
    ) -> QuerySet[models.User]:
        locked = queries.locked_now(SystemClock().now())
        asked = {"yes": locked, "no": ~locked}
        chosen = asked.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


@admin.register(models.User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("email", "shown_role", "state", "created_at")
    list_filter = ("role", "is_verified", "is_active", LockedFilter)
    search_fields = ("email",)
    search_help_text = "A part of an address, or the id of a user."
    ordering = ("-pk",)
    fields = (
        "id",
        "email",
        "state",
        "shown_role",
        "locked_until",
        "session_tier",
        "max_sessions",
        "token_version",
        "created_at",
        "updated_at",
    )
    readonly_fields = ("state", "shown_role", "locked_until")

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.User]:
        locked = queries.locked_now(SystemClock().now())
        rows: QuerySet[models.User] = super().get_queryset(request)
        return rows.annotate(is_locked=ExpressionWrapper(locked, BooleanField()))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[models.User], search_term: str
    ) -> tuple[QuerySet[models.User], bool]:
        try:
            return queryset.filter(pk=UUID(search_term.strip())), False
        except ValueError:
            found: tuple[QuerySet[models.User], bool] = super().get_search_results(
                request, queryset, search_term
            )
            return found

    def look(
        self, request: HttpRequest, row: models.User | None = None
    ) -> Result[Any, DomainError]:
        if row is not None:
            return wiring.view_user().handle(ViewUser(viewer=viewer(request), user_id=row.pk))
        asked = UserCriteria(email=request.GET.get("q") or None)
        query = ViewUsers(viewer=viewer(request), criteria=asked, size=0)
        return wiring.view_users().handle(query)

    @column(
        description="state",
        label={
            "active": "success",
            "locked": "danger",
            "deactivated": "danger",
            "not confirmed": "warning",
        },
    )
    def state(self, user: models.User) -> str:
        if not user.is_active:
            return "deactivated"
        if getattr(user, "is_locked", False):
            return "locked"
        return "active" if user.is_verified else "not confirmed"

    @column(
        description="role", ordering="role", label={Role.ADMIN: "primary", Role.AUDITOR: "info"}
    )
    def shown_role(self, user: models.User) -> str:
        return user.role

    @column(description="locked until")
    def locked_until(self, user: models.User) -> str:
        """Of strangers, of a device or of a session: the longest."""
        guards = models.SignInGuard.objects.filter(user=user, locked_until__isnull=False)
        until = guards.order_by("-locked_until").values_list("locked_until", flat=True).first()
        if until is None or not getattr(user, "is_locked", False):
            return NOTHING
        return f"{until:%Y-%m-%d %H:%M} UTC"
