"""The trail in the panel, to read: through the same handlers as over the API."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import chain
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator

from audit import models, wiring
from audit.application.explaining import steps_of
from audit.application.proving import Proof
from audit.application.reading import ExportEvents, SeenEvent, ViewEvent, ViewEvents
from audit.domain.inclusion import check
from audit.forms import TrailForm
from audit.ports import Criteria
from audit.rows import facts_of, rows_of, rows_of_steps
from core.errors import ErrorCode
from core.panel.pages import ReadOnlyAdmin, viewer
from core.result import Failure
from core.throttling import throttled

_PAGE: Final = 50
_BESIDE: Final = timedelta(hours=1)
"""Before and after an event, for what else its trace has done."""
_COLUMNS: Final = ("at", "action", "phase", "subject", "actor", "ip", "text", "id")


@admin.register(models.AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    def get_urls(self) -> list[URLPattern]:
        export = path(
            "export.<str:form>", self.admin_site.admin_view(self.export), name="audit_export"
        )
        return [export, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """That somebody looks is on record before they see anything."""
        form = TrailForm(request.GET)
        before = _id_or_none(request.GET.get("before"))
        found: list[SeenEvent] = []
        if form.is_valid():
            asked = ViewEvents(
                criteria=form.criteria(), before=before, size=_PAGE + 1, viewer=viewer(request)
            )
            viewed = wiring.view_events().handle(asked)
            if isinstance(viewed, Failure):
                return self.unavailable(request, viewed.error)
            found = viewed.value
        page = found[:_PAGE]
        context = {
            **self.admin_site.each_context(request),
            "title": "Audit trail",
            "opts": self.opts,
            "form": form,
            "is_narrowed": any(request.GET.get(name) for name in form.fields),
            "rows": rows_of(page),
            "older": _query(request, before=page[-1].id) if len(found) > _PAGE else None,
            "newest": _query(request) if before else None,
            "exports": [
                (form, f"{reverse('admin:audit_export', args=(form,))}?{_query(request)}")
                for form in ("csv", "ndjson")
            ],
        }
        status = 200 if form.is_valid() else 400
        return TemplateResponse(request, "audit/panel/events.html", context, status=status)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        entry_id = _id_or_none(object_id)
        if entry_id is None:
            raise Http404
        viewed = wiring.view_event().handle(ViewEvent(id=entry_id, viewer=viewer(request)))
        if isinstance(viewed, Failure):
            if viewed.error.code is ErrorCode.EVENT_NOT_FOUND:
                raise Http404
            return self.unavailable(request, viewed.error)
        event, proof = viewed.value
        (row,) = rows_of([event])
        context = {
            **self.admin_site.each_context(request),
            "title": row.step.text,
            "subtitle": event.action,
            "opts": self.opts,
            "row": row,
            "event": event,
            "facts": facts_of(event),
            "entry": _readable(event.entry),
            "request_rows": rows_of_steps(wiring.explainer().around(event)),
            "trace_rows": rows_of(_same_trace(event)),
            "proof": proof,
            "verdict": _verdict(event, proof) if proof and "verify" in request.GET else None,
        }
        return TemplateResponse(request, "audit/panel/event.html", context)

    @method_decorator(throttled("audit_export", method="GET"))
    def export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """What the list is narrowed to, oldest first, as it is read: no page of it is kept."""
        asked = TrailForm(request.GET)
        if form not in _EXPORTS or not asked.is_valid():
            raise Http404
        order = ExportEvents(criteria=asked.criteria(), viewer=viewer(request))
        exported = wiring.export_events().handle(order)
        if isinstance(exported, Failure):
            return self.unavailable(request, exported.error)
        kind, lines = _EXPORTS[form]
        headers = {"Content-Disposition": f'attachment; filename="audit.{form}"'}
        return StreamingHttpResponse(lines(exported.value), content_type=kind, headers=headers)


def _same_trace(event: SeenEvent) -> list[SeenEvent]:
    """Of the hours around it: other requests that say they belong to the same piece of work."""
    if event.trace_id is None:
        return []
    around = Criteria(
        trace=event.trace_id,
        since=event.recorded_at - _BESIDE,
        until=event.recorded_at + _BESIDE,
    )
    found = wiring.reader().oldest(around, None, _PAGE)
    return [one for one in found if one.correlation != event.correlation]


def _verdict(event: SeenEvent, proof: Proof) -> tuple[bool, str]:
    """As whoever is handed the entry, the proof and a public key would find it."""
    try:
        leaf = check(proof.text, event.entry, wiring.key_folder().verifier_keys())
    except (ValueError, OSError) as error:  # `NotAuthentic` is one
        return False, f"This proof does not hold: {error}. Run manage.py audit_verify."
    return True, f"Proved: leaf {leaf} of the signed tree is this event, byte for byte."


def _readable(entry: bytes) -> str:
    text = json.dumps(json.loads(entry), indent=2, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def _query(request: HttpRequest, **more: Any) -> str:
    kept = [(name, value) for name, value in request.GET.items() if value and name != "before"]
    return urlencode([*kept, *more.items()])


def _id_or_none(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _as_lines(events: Iterable[SeenEvent]) -> Iterator[bytes]:
    for event in events:
        yield json.dumps(event.as_document(), ensure_ascii=False).encode() + b"\n"


class _Echo:
    """`csv` writes to something; here each line is handed on as it is made."""

    def write(self, line: str) -> bytes:
        return line.encode()


def _as_csv(events: Iterable[SeenEvent]) -> Iterator[bytes]:
    writer = csv.writer(_Echo())
    return chain([writer.writerow(_COLUMNS)], (writer.writerow(_cells(event)) for event in events))


def _cells(event: SeenEvent) -> list[str]:
    (step,) = steps_of([event])
    people = [one and (one.user_id or one.ref) for one in (event.subject, event.actor)]
    cells = [event.at, event.action, event.phase, *people, (event.source or {}).get("ip")]
    return [_harmless(str(cell or "")) for cell in [*cells, step.text, event.id]]


def _harmless(cell: str) -> str:
    """Spreadsheets take what begins so for a formula (OWASP CSV injection)."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


_EXPORTS: Final = {
    "csv": ("text/csv; charset=utf-8", _as_csv),
    "ndjson": ("application/x-ndjson", _as_lines),
}
