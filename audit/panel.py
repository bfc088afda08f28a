"""What the trail contributes to the panel: its figures, and stories of accounts and sessions."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse

from audit import wiring
from audit.application.explaining import Explanation
from audit.application.reading import ViewEvents, own_activity
from audit.ports import Criteria
from audit.rows import rows_of, rows_of_steps
from core.actions import AuditAction
from core.panel.parts import (
    Card,
    Chart,
    Figure,
    NotShownError,
    Ranking,
    Section,
    Span,
    parts,
)
from core.result import Failure

_EXPLANATION: Final = "audit/panel/explanation.html"
_TIMELINE: Final = "audit/panel/timeline.html"
_SHOWN: Final = 30
_LATE: Final = 60
"""Seconds for which an event waits for its seal, as the system check has it."""


def cards(request: HttpRequest, span: Span) -> Iterable[Card]:
    """Addresses are shown: that somebody looks is on record."""
    asked = Criteria(action=AuditAction.USER_LOGIN, since=span.since)
    looked = ViewEvents(criteria=asked, size=0, viewer=request.user.pk)
    if isinstance(recorded := wiring.view_events().handle(looked), Failure):
        raise NotShownError(recorded.error)
    yield from _health()
    figures, since = wiring.figures(), f"{span.since:%Y-%m-%dT%H:%M}"
    sign_ins = figures.sign_ins(span.bounds)
    yield Chart(
        title=f"Sign-ins in {span.text}",
        labels=span.labels,
        series={"succeeded": sign_ins.succeeded, "failed": sign_ins.failed},
        link=listed(action="user.login", since=since),
    )
    yield Ranking(
        title=f"Most failing sources in {span.text}",
        rows=[
            (
                source.address or "an address that nobody can read any more",
                f"{source.failures} failed",
                listed(action="user.login", phase="FAILED", ip=source.address, since=since)
                if source.address
                else reverse("admin:audit_auditevent_change", args=(source.last,)),
            )
            for source in figures.failing_sources(span.since, span.until)
        ],
        empty="No sign-in has failed.",
    )


def _health() -> Iterable[Card]:
    seals = wiring.seals()
    verified = wiring.verified_file().written_at()
    sealed = seals.sealed_ago
    link = listed()
    yield Figure(
        label="Last seal",
        value=_ago(sealed) if sealed is not None else "never",
        hint=f"{seals.size} events are sealed",
        link=link,
        is_bad=sealed is None,
    )
    yield Figure(
        label="Unsealed events",
        value=str(seals.waiting),
        hint=f"the oldest for {_ago(seals.waits)}" if seals.waiting else "nothing waits",
        link=link,
        is_bad=seals.waits > _LATE,
    )
    yield Figure(
        label="Last verified",
        value=f"{verified:%d %b}" if verified else "never",
        hint="by manage.py audit_verify",
        link=link,
    )


def _ago(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def listed(**asked: str) -> str:
    """The address of the list of these events."""
    address = reverse("admin:audit_auditevent_changelist")
    return f"{address}?{urlencode(asked)}" if asked else address


def story_of_user(request: HttpRequest, user_id: UUID) -> Section | None:
    found = wiring.explainer().account(user_id)
    return _explanation("Why was this refused, locked or ended?", found) if found else None


def timeline_of_user(request: HttpRequest, user_id: UUID) -> Section:
    events = own_activity(wiring.reader(), user_id, None, _SHOWN)
    return Section(
        "Timeline",
        _TIMELINE,
        {"rows": rows_of(events), "all": listed(subject=str(user_id))},
    )


def story_of_session(request: HttpRequest, session_id: UUID) -> Section | None:
    found = wiring.explainer().session(session_id)
    return _explanation("What happened to it", found) if found else None


def _explanation(title: str, found: Explanation) -> Section:
    return Section(
        title, _EXPLANATION, {"summary": found.summary, "rows": rows_of_steps(found.steps)}
    )


parts.cards.append(cards)
parts.sections["user"] += [story_of_user, timeline_of_user]
parts.sections["devicesession"].append(story_of_session)
