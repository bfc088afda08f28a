"""Where the queue of mails is put together."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from core import container
from core.jobs import Job
from mail.delivery import Postman
from mail.letters import letters
from mail.outbox import Outbox

_SECOND: Final = 1
_DAY: Final = timedelta(days=1).total_seconds()


def outbox() -> Outbox:
    return Outbox(container.get_database())


def postman() -> Postman:
    return Postman(letters, container.get_logger())


def jobs() -> Sequence[Job]:
    """For `manage.py worker`."""
    return [
        Job("send mail", _SECOND, lambda: postman().deliver()),
        Job("purge mail", _DAY, lambda: postman().purge()),
    ]
