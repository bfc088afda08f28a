"""What the panel's pages share."""

from collections.abc import Callable
from typing import Any, Final, TypeVar
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import TO_FIELD_VAR
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.decorators import display

from core.errors import DomainError
from core.panel.acts import Act, Order, acts
from core.panel.parts import parts
from core.result import Failure, Result

F = TypeVar("F", bound=Callable[..., Any])
NOTHING: Final = "-"


def column(**options: Any) -> Callable[[F], F]:
    """unfold's `display`, which has no types. `label` colours the words of a state."""
    decorated: Callable[[F], F] = display(**options)
    return decorated


def viewer(request: HttpRequest) -> UUID:
    found = request.user.pk
    assert isinstance(found, UUID)  # the door lets nobody else in
    return found


def _refuse_nonsense(request: HttpRequest) -> None:
    """What Django's admin would make a fault of."""
    if any("\0" in text for _, texts in request.GET.lists() for text in texts):
        raise SuspiciousOperation("No text of PostgreSQL holds a NUL.")
    if not all(map(_is_id, request.POST.getlist(ACTION_CHECKBOX_NAME))):
        raise SuspiciousOperation("What is chosen has an id.")
    if TO_FIELD_VAR in request.GET:
        raise SuspiciousOperation("A row is known by its id alone.")


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Shows rows. Django's forms would change them past the handlers and the trail; what changes
    something is an act. Acts and sections are contributed under the name of the model."""

    change_form_template = "panel/thing.html"
    show_full_result_count = False
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what the page offers: `?password__startswith=` would spell out a hash."""
        field = lookup.partition("__")[0]
        offered = {getattr(each, "parameter_name", each) for each in self.list_filter}
        return field in offered and lookup in (field, f"{field}__exact", f"{field}__isnull")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def history_view(self, request: HttpRequest, object_id: str, *args: Any) -> HttpResponse:
        """The trail is the history."""
        raise Http404

    def unavailable(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        """What cannot be recorded is not shown."""
        context = {**self.admin_site.each_context(request), "title": "Not now", "error": error}
        return TemplateResponse(request, "panel/unavailable.html", context, status=503)

    def get_urls(self) -> list[URLPattern]:
        meta = self.opts
        act = path(
            "<uuid:thing>/do/<slug:slug>/",
            self.admin_site.admin_view(self.act_view),
            name=f"{meta.app_label}_{meta.model_name}_act",
        )
        return [act, *super().get_urls()]

    def look(self, request: HttpRequest, row: Any = None) -> Result[Any, DomainError]:
        """Puts on record that somebody looks: at the list, or at a row of it."""
        raise NotImplementedError

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        _refuse_nonsense(request)
        if isinstance(looked := self.look(request), Failure):
            return self.unavailable(request, looked.error)
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        _refuse_nonsense(request)
        row = self.get_object(request, object_id)
        context = {**(extra_context or {}), "show_close": False}
        if row is not None:
            if isinstance(looked := self.look(request, row), Failure):
                return self.unavailable(request, looked.error)
            context |= {
                "title": str(row),
                "acts": self.acts_of(request, row),
                "sections": parts.sections_of(self.opts.model_name, request, row.pk),
            }
        page: HttpResponse = super().change_view(request, object_id, form_url, context)
        return page

    def acts_of(self, request: HttpRequest, row: Any) -> list[tuple[str, Act]]:
        """With the address of the page of each. Auditors look."""
        if not self.admin_site.may_act(request):
            return []
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_act"
        return [
            (reverse(name, args=(row.pk, act.slug)), act)
            for act in acts[self.opts.model_name]
            if act.suits(row)
        ]

    def act_view(self, request: HttpRequest, thing: UUID, slug: str) -> HttpResponse:
        if not self.admin_site.may_act(request):
            raise PermissionDenied
        row = self.get_object(request, str(thing))
        act = next((each for each in acts[self.opts.model_name] if each.slug == slug), None)
        if row is None or act is None:
            raise Http404
        here = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=(thing,))
        if not act.suits(row):
            messages.info(request, "That is done already, or cannot be done now.")
            return HttpResponseRedirect(here)
        if isinstance(looked := self.look(request, row), Failure):
            return self.unavailable(request, looked.error)
        if not self.admin_site.proved_recently(request):
            asked: HttpResponse = self.admin_site.ask_to_prove(request)
            return asked
        form = act.form(request.POST or None)
        if form.is_valid():
            order = Order(thing=thing, admin=viewer(request), values=form.cleaned_data)
            result = act.perform(order)
            if not isinstance(result, Failure):
                messages.success(request, act.done(result.value))
                return HttpResponseRedirect(here)
            form.add_error(None, result.error.message)
        context = {
            **self.admin_site.each_context(request),
            "title": act.label,
            "subtitle": str(row),
            "opts": self.opts,
            "act": act,
            "foretold": act.foretell(thing),
            "form": form,
            "back": here,
        }
        status = 400 if form.is_bound else 200
        return TemplateResponse(request, "panel/act.html", context, status=status)
