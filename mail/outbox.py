"""Where mails are ordered: in the unit of work that is the reason for them."""

from dataclasses import dataclass
from uuid import UUID

from core.clock import SystemClock
from core.database import Database
from core.ports import Clock
from mail.models import OutgoingMail


@dataclass(frozen=True)
class Outbox:
    database: Database
    clock: Clock = SystemClock()

    def put(
        self, kind: str, recipient: str, *, reference: UUID | None = None, **details: str
    ) -> None:
        """It leaves after the commit, at least once; or never, when the unit rolls back. Nothing
        secret belongs into `details`."""
        self.database.write()
        now = self.clock.now()
        OutgoingMail.objects.create(
            kind=kind,
            recipient=recipient,
            reference=reference,
            details=details,
            created_at=now,
            due_at=now,
        )
