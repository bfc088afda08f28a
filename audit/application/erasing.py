"""Erasing a person: their key is destroyed, and every proof stays what it was."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from audit.domain.events import PseudonymsExpired, SubjectErased
from audit.domain.subject import named_day, named_month_of_addresses, named_user
from audit.ports import ErasableSubjects
from core.clock import SystemClock
from core.errors import DomainError, ErrorCode, NotFoundError
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success

NOT_ON_THE_TRAIL = NotFoundError(
    ErrorCode.USER_NOT_FOUND,
    "Nobody of this id is on the trail, or they were erased already.",
    resource_type="user",
)


@dataclass(frozen=True, kw_only=True)
class EraseSubject:
    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class EraseSubjectHandler:
    subjects: ErasableSubjects
    event_bus: EventBusProtocol

    def handle(self, command: EraseSubject) -> Result[None, DomainError]:
        name = named_user(command.user_id)
        if not self.subjects.knows(name):
            return Failure(NOT_ON_THE_TRAIL)
        # First, and in the same transaction: afterwards the person has no pseudonym any more.
        self.event_bus.publish(SubjectErased(user_id=command.user_id))
        if not self.subjects.erase(name):
            return Failure(NOT_ON_THE_TRAIL)
        return Success(None)


@dataclass(frozen=True, kw_only=True)
class ExpirePseudonyms:
    unknown_after: timedelta
    addresses_after: timedelta


@dataclass(frozen=True, kw_only=True)
class ExpirePseudonymsHandler:
    subjects: ErasableSubjects
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: ExpirePseudonyms) -> Result[int, DomainError]:
        """How many keys were destroyed."""
        now = self.clock.now()
        limits = (
            named_day(now - command.unknown_after),
            named_month_of_addresses(now - command.addresses_after),
        )
        due = [found for limit in limits for found in self.subjects.before(limit)]
        if not due:
            return Success(0)
        self.event_bus.publish(PseudonymsExpired(refs=tuple(ref for _, ref in due)))
        return Success(sum(self.subjects.erase(name) for name, _ in due))
