"""What device sessions contribute to the panel: how many are open, whose they are, and how admins
end them."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse

from core.clock import SystemClock
from core.panel.acts import Act, Order, acts
from core.panel.parts import Card, Figure, Section, Span, parts
from core.result import Failure, Result
from sessions_app import models, queries, wiring
from sessions_app.application.revocation import RevokeSession, RevokeSessions
from sessions_app.application.rotation import RotateTokens, Rotation
from sessions_app.mapping import live_sessions, session_entity

_SHOWN: Final = 20
_SESSION: Final = "devicesession"
_USER: Final = "user"


def cards(request: HttpRequest, span: Span) -> Iterable[Card]:
    live = queries.count_live(span.now)
    link = f"{reverse('admin:sessions_app_devicesession_changelist')}?state=live"
    yield Figure(label="Live sessions", value=str(live), hint="now", link=link)


def sessions_of_user(request: HttpRequest, user_id: UUID) -> Section:
    now = SystemClock().now()
    rows = queries.sessions_with_rotation().filter(user_id=user_id).order_by("-pk")[:_SHOWN]
    listed = reverse("admin:sessions_app_devicesession_changelist")
    return Section(
        "Sessions",
        "sessions_app/panel/sessions.html",
        {
            "rows": [(row, session_entity(row).state(now).replace("_", " ")) for row in rows],
            "live": models.DeviceSession.objects.filter(
                live_sessions(now), user_id=user_id
            ).count(),
            "all": f"{listed}?user={user_id}",
        },
    )


def _end(order: Order) -> Result[Any, Any]:
    session = models.DeviceSession.objects.get(pk=order.thing)
    command = RevokeSession(
        session_id=session.pk, user_id=session.user_id, stated_reason=order.reason
    )
    return wiring.revoke_session().handle(command)


def _end_all(order: Order) -> Result[Any, Any]:
    command = RevokeSessions(user_id=order.thing, stated_reason=order.reason)
    return wiring.revoke_sessions().handle(command)


def _rotate(order: Order) -> Result[Any, Any]:
    return wiring.rotate_tokens().handle(RotateTokens(user_id=order.thing, reason=order.reason))


def _would_rotate(user_id: UUID) -> str:
    looked = wiring.look_at_rotation(RotateTokens(user_id=user_id, reason=""))
    if isinstance(looked, Failure):
        return looked.error.message
    return f"This ends {_told(looked.value)} of the person at once. They can sign in again."


def _told(rotation: Rotation) -> str:
    return f"{rotation.sessions} sessions and {rotation.personal_tokens} personal tokens"


def is_live(row: models.DeviceSession) -> bool:
    now = SystemClock().now()
    return models.DeviceSession.objects.filter(live_sessions(now), pk=row.pk).exists()


acts[_SESSION].append(
    Act(
        slug="end",
        label="End this session",
        foretell=lambda _: "Its tokens are refused from the next request on.",
        perform=_end,
        done=lambda _: "The session has ended.",
        suits=is_live,
        is_dangerous=True,
    )
)
acts[_USER] += [
    Act(
        slug="end-sessions",
        label="End all sessions",
        foretell=lambda _: (
            "All sessions of the person end at once, in browsers and programs, and their known"
            " devices become strangers. They can sign in again."
        ),
        perform=_end_all,
        done=lambda ended: f"{ended} sessions have ended.",
        is_dangerous=True,
    ),
    Act(
        slug="rotate-tokens",
        label="Rotate tokens",
        foretell=_would_rotate,
        perform=_rotate,
        done=lambda rotation: f"{_told(rotation)} have ended.",
        is_dangerous=True,
    ),
]
parts.cards.append(cards)
parts.sections[_USER].append(sessions_of_user)
