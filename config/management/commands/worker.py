"""What goes on behind the requests: sealing the trail, closing what was abandoned."""

import signal
from threading import Event
from typing import Any

from django.core.management import BaseCommand

from audit import wiring
from core import container
from core.jobs import work


class Command(BaseCommand):
    help = (
        "Seals the trail, closes abandoned attempts and makes partitions ahead, until it is"
        " stopped by Ctrl-C or SIGTERM. One is enough; more do no harm. `manage.py serve` runs"
        " one by itself. Example: manage.py worker"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: stop.set())
        work(wiring.jobs(), stop, container.get_logger())
