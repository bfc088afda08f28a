"""What has to be done again and again, by `manage.py worker`."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

from core.ports import LoggerProtocol


@dataclass(frozen=True)
class Job:
    """`run` returns what is worth a line of the log, or nothing; `every` is in seconds."""

    name: str
    every: float
    run: Callable[[], object]


def work(jobs: Sequence[Job], stop: Event, logger: LoggerProtocol) -> None:
    """Until `stop` is set. A job that fails is logged and due again: the others go on."""
    due = {job.name: 0.0 for job in jobs}
    while not stop.is_set():
        for job in jobs:
            if time.monotonic() >= due[job.name] and not stop.is_set():
                _run(job, logger)
                due[job.name] = time.monotonic() + job.every
        stop.wait(max(0.0, min(due.values()) - time.monotonic()))


def _run(job: Job, logger: LoggerProtocol) -> None:
    try:
        result = job.run()
    except Exception as error:  # noqa: BLE001  logged, and tried again
        logger.error("job_failed", job=job.name, error=f"{type(error).__name__}: {error}")
        return
    if result:
        logger.info("job_done", job=job.name, result=str(result))
