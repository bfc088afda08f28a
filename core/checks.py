"""System checks: what would quietly break a promise is refused at start."""

from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from core.signals import trail

UPKEEP: Final = "upkeep"
"""The tag of checks whose messages mean: it works, and somebody should look. `/health/ready` says
`degraded` then, and stays ready."""


@register()
def no_transaction_per_request(**_: Any) -> list[CheckMessage]:
    offenders = [name for name, db in settings.DATABASES.items() if db.get("ATOMIC_REQUESTS")]
    return [
        Error(
            f"ATOMIC_REQUESTS is on for the database {name!r}.",
            hint="Turn it off: it would roll back the counter and the record of each refusal.",
            id="core.E001",
        )
        for name in offenders
    ]


@register()
def somebody_writes_the_trail(**_: Any) -> list[CheckMessage]:
    if trail.has_listeners():
        return []
    return [
        Error(
            "No receiver is connected to the audit trail.",
            hint="Keep 'audit' in INSTALLED_APPS: its AppConfig connects the receiver.",
            id="core.E002",
        )
    ]
