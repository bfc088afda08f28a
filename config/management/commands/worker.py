"""What goes on behind the requests: sealing the trail, closing what was abandoned, sending mail."""

import signal
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

from django.core.management import BaseCommand
from django.db import close_old_connections

from audit import upkeep
from core import container
from core.jobs import Job, work
from mail import wiring as mail_wiring
from sessions_app import wiring as sessions_wiring
from users import wiring as users_wiring


class Command(BaseCommand):
    help = (
        "Seals the trail, closes abandoned attempts, makes partitions ahead and sends mail, until"
        " it is stopped by Ctrl-C or SIGTERM. One is enough; more do no harm. `manage.py serve`"
        " runs one by itself. Example: manage.py worker"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: stop.set())
        # Side by side: a mail server that hangs must not keep the seal waiting.
        threads = [_thread(jobs, stop) for jobs in _all_jobs()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _all_jobs() -> Sequence[Sequence[Job]]:
    purges = [*users_wiring.jobs(), *sessions_wiring.jobs()]
    return upkeep.jobs(), mail_wiring.jobs(), purges


def _thread(jobs: Sequence[Job], stop: Event) -> Thread:
    jobs = [Job(job.name, job.every, _reconnected(job)) for job in jobs]
    return Thread(target=work, args=(jobs, stop, container.get_logger()))


def _reconnected(job: Job) -> Any:
    """A database that was restarted has closed the connection: nobody else would notice here."""

    def run() -> object:
        close_old_connections()
        return job.run()

    return run
