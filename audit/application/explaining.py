"""Why something was refused, locked or ended: from what was recorded, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from audit.application.reading import Reader, SeenEvent
from audit.application.wording import sentence
from audit.ports import Criteria
from core.actions import AuditAction, Phase
from core.errors import ErrorCode, NotFoundError

SESSION: Final = "session"
NO_SUCH_SESSION: Final = NotFoundError(
    ErrorCode.SESSION_NOT_FOUND, "There is nothing on the trail of such a session of yours."
)
_AS_FAR_BACK: Final = 400
_SHOWN: Final = 50
_ENDINGS: Final = frozenset({AuditAction.SESSION_ENDED, AuditAction.SESSION_REVOKED})
_EXPLAIN: Final = _ENDINGS | {
    AuditAction.USER_LOCKED,
    AuditAction.USER_UNLOCKED,
    AuditAction.USER_ACTIVITY_CHANGED,
    AuditAction.USER_ROLE_CHANGED,
    AuditAction.USER_PASSWORD_CHANGED,
    AuditAction.USER_PASSWORD_RESET,
    AuditAction.SESSIONS_REVOKED,
    AuditAction.TOKENS_ROTATED,
    AuditAction.REQUESTS_THROTTLED,
}
"""Beside whatever was refused."""
_BY_RULE: Final = frozenset(
    {
        AuditAction.SESSION_ENDED,
        AuditAction.USER_LOCKED,
        AuditAction.USER_SESSIONS_FORFEITED,
        AuditAction.USER_DEVICES_FORGOTTEN,
        AuditAction.REQUESTS_THROTTLED,
    }
)
"""Where nobody has proved who they are, it follows from what somebody tried."""
_BY_ITSELF: Final = (
    "No event has ended it. A session is over by itself 14 days after it was last used, 30 days"
    " after it began, and when all tokens are rotated."
)
_NOTHING: Final = "Nothing was refused, locked or ended, as far back as this looks."


class Doer(StrEnum):
    OWNER = "its owner"
    SOMEBODY_ELSE = "somebody else who had signed in"
    COMMAND = "the command line or a job"
    HOUSE = "the rules of this house"
    NOBODY_KNOWN = "somebody who had not signed in"


@dataclass(frozen=True, kw_only=True)
class Step:
    """`stated_reason` is what the person said who did it."""

    event: SeenEvent
    text: str
    doer: Doer
    stated_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Newest first. `is_whole` is False where older events are not among the steps."""

    summary: str
    steps: Sequence[Step]
    is_whole: bool = True


@dataclass(frozen=True)
class Explainer:
    """Asks nobody who asks: whoever hands an explanation out has looked at that, and recorded it
    where it is another's."""

    reader: Reader

    def session(self, session_id: UUID, owner: UUID | None = None) -> Explanation | None:
        """None where the trail has nothing of it, or of another person than `owner`."""
        criteria = Criteria(subject=owner, resource_type=SESSION, resource_id=session_id)
        own = self.reader.newest(criteria, None, _AS_FAR_BACK)
        if not own:
            return None
        ending = next(filter(_is_ending, own), None)
        # Of this person alone: one request of an admin ends sessions of several.
        beside = self._beside(ending) if ending else []
        events = {each.id: each for each in beside if ending and each.subject == ending.subject}
        events |= {event.id: event for event in own}
        steps = _outcomes([events[each] for each in sorted(events, reverse=True)])
        told = [step for step in steps if not _is_routine(step.event)]
        summary = _ended(next(step for step in told if step.event is ending)) if ending else None
        is_whole = len(own) < _AS_FAR_BACK and len(told) <= _SHOWN
        return Explanation(summary=summary or _BY_ITSELF, steps=told[:_SHOWN], is_whole=is_whole)

    def account(self, user_id: UUID) -> Explanation | None:
        """None where the trail has nothing of this person."""
        events = self.reader.newest(Criteria(subject=user_id), None, _AS_FAR_BACK)
        if not events:
            return None
        told = [step for step in _outcomes(events) if _explains(step.event)]
        summary = f"Last of all, {_at(told[0].event)}: {told[0].text}" if told else _NOTHING
        is_whole = len(events) < _AS_FAR_BACK and len(told) <= _SHOWN
        return Explanation(summary=summary, steps=told[:_SHOWN], is_whole=is_whole)

    def around(self, event: SeenEvent) -> Sequence[Step]:
        """Oldest first: what the same request or command has done, this event among it."""
        return steps_of(self._beside(event))[::-1]

    def _beside(self, event: SeenEvent) -> list[SeenEvent]:
        return self.reader.newest(Criteria(correlation=event.correlation), None, _AS_FAR_BACK)


def steps_of(events: Sequence[SeenEvent]) -> list[Step]:
    """Attempts among them. What was said at one is said of all that came of it."""
    said = {
        event.correlation: event.personal["stated_reason"]
        for event in events
        if event.personal and "stated_reason" in event.personal
    }
    return [
        Step(
            event=event,
            text=_told(event),
            doer=doer_of(event),
            stated_reason=said.get(event.correlation),
        )
        for event in events
    ]


def _outcomes(events: Sequence[SeenEvent]) -> list[Step]:
    return [step for step in steps_of(events) if step.event.phase != Phase.ATTEMPTED.name]


def _told(event: SeenEvent) -> str:
    return sentence(
        event.action, Phase[event.phase], event.context, event.personal or {}, event.error
    )


def doer_of(event: SeenEvent) -> Doer:
    if event.actor is None and event.action in _BY_RULE and event.phase == Phase.SOLE.name:
        return Doer.HOUSE
    if event.actor is None:
        return Doer.COMMAND if event.door == "command" else Doer.NOBODY_KNOWN
    is_owner = event.subject is not None and event.subject.ref == event.actor.ref
    return Doer.OWNER if is_owner else Doer.SOMEBODY_ELSE


def _is_ending(event: SeenEvent) -> bool:
    return event.action in _ENDINGS and event.phase in (Phase.SOLE.name, Phase.SUCCEEDED.name)


def _is_routine(event: SeenEvent) -> bool:
    is_refresh = event.action == AuditAction.SESSION_REFRESHED
    return is_refresh and event.phase == Phase.SUCCEEDED.name and not event.context.get("repeated")


def _explains(event: SeenEvent) -> bool:
    refused = event.phase in (Phase.FAILED.name, Phase.ABANDONED.name)
    return refused or event.action in _EXPLAIN


def _ended(step: Step) -> str:
    """Without what was said: that is not for everybody whose session it was."""
    return f"{_at(step.event)}, by {step.doer}: {step.text}"


def _at(event: SeenEvent) -> str:
    return f"{event.at[:16].replace('T', ' ')} UTC"
