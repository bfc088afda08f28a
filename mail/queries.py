"""What is read of the queue."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Min

from mail.models import OutgoingMail


class Queue(NamedTuple):
    """Mails; `longest` is in seconds, of the one that has waited longest."""

    waiting: int
    longest: float
    given_up: int


def queue(now: datetime) -> Queue:
    waiting = OutgoingMail.objects.filter(given_up_at__isnull=True)
    found = waiting.aggregate(mails=Count("pk"), since=Min("created_at"))
    longest = (now - found["since"]).total_seconds() if found["since"] else 0.0
    given_up = OutgoingMail.objects.filter(given_up_at__isnull=False).count()
    return Queue(found["mails"], max(0.0, longest), given_up)
