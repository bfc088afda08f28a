"""System checks of the mail queue."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.core.checks import CheckMessage, register
from django.core.checks import Warning as CheckWarning
from django.db import connections

from core.checks import UPKEEP
from core.clock import SystemClock
from mail.models import OutgoingMail

LATE: Final = timedelta(minutes=10)


@register(UPKEEP)
def mail_leaves(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    if "default" not in (databases or []) or not _has_queue():
        return []
    given_up = OutgoingMail.objects.filter(given_up_at__isnull=False)
    found: list[CheckMessage] = []
    if count := count_late():
        found.append(
            CheckWarning(
                f"{count} mails have waited for more than ten minutes.",
                hint="Is `manage.py worker` running, and does EMAIL_URL answer? Its log says"
                " `mail_not_sent` with the reason; it tries again by itself.",
                id="mail.W001",
            )
        )
    if count := given_up.count():
        found.append(
            CheckWarning(
                f"{count} mails were given up: the mail server refused them.",
                hint="The log says `mail_given_up` with the reason. The rows go after 30 days.",
                id="mail.W002",
            )
        )
    return found


def count_late() -> int:
    long_ago = SystemClock().now() - LATE
    return OutgoingMail.objects.filter(given_up_at__isnull=True, created_at__lt=long_ago).count()


def _has_queue() -> bool:
    with connections["default"].cursor() as cursor:
        return OutgoingMail._meta.db_table in connections["default"].introspection.table_names(
            cursor
        )
