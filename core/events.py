"""Domain events: facts in the past tense, without secrets and without a request object."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from core.actions import AuditAction, Phase
from core.clock import SystemClock
from core.ids import uuid7


def personal(**options: Any) -> Any:
    """A field that tells who a person is: the trail keeps it apart, so that it can be erased."""
    return field(metadata={"personal": True}, **options)


def stated() -> Any:
    """What a person says why they do it. It may name somebody, so it can be erased with them."""
    return personal(default=None)


@dataclass(frozen=True, kw_only=True)
class DomainEvent:
    """`user_id` is the person it is about, where that is known."""

    action: ClassVar[AuditAction]
    phase: ClassVar[Phase]
    resource_type: ClassVar[str | None] = None
    by_subject: ClassVar[bool] = False
    """The person it is about did it, and has just proved to be that person."""
    erases_subject: ClassVar[bool] = False
    """Once it is on record, the person it is about is erased from the trail."""

    event_id: UUID = field(default_factory=uuid7)
    occurred_at: datetime = field(default_factory=SystemClock().now)
    user_id: UUID | None = None

    @property
    def resource_id(self) -> UUID | None:
        return None


@dataclass(frozen=True, kw_only=True)
class EventMetadata:
    """Where an event came from. One `correlation` for all that one request or command did."""

    ip_address: str | None = None
    user_agent: str | None = None
    trace_id: str | None = None
    actor_id: UUID | None = None
    door: str = "command"
    correlation: UUID = field(default_factory=uuid7)


@dataclass(frozen=True, kw_only=True)
class RequestsThrottled(DomainEvent):
    """The first of a window that a limit of `amount` in `seconds` refused; `by` says whose count
    it is. The others of that window are not recorded."""

    action: ClassVar[AuditAction] = AuditAction.REQUESTS_THROTTLED
    phase: ClassVar[Phase] = Phase.SOLE
    policy: str
    by: str
    amount: int
    seconds: int
