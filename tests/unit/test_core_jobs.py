from threading import Event
from unittest.mock import create_autospec

import pytest

from core.jobs import Job, work
from core.ports import LoggerProtocol


@pytest.fixture
def logger() -> LoggerProtocol:
    mock: LoggerProtocol = create_autospec(LoggerProtocol, instance=True)
    return mock


class TestWork:
    """Uses fixtures: logger."""

    def test_each_job_runs_until_it_is_stopped(self, logger: LoggerProtocol) -> None:
        stop, ran = Event(), list[str]()

        def second() -> None:
            ran.append("second")
            stop.set()

        work([Job("a", 60, lambda: ran.append("first")), Job("b", 60, second)], stop, logger)
        assert ran == ["first", "second"]

    def test_a_job_runs_again_when_it_is_due(self, logger: LoggerProtocol) -> None:
        stop, runs = Event(), list[int]()

        def run() -> None:
            runs.append(1)
            if len(runs) == 3:
                stop.set()

        work([Job("again", 0, run), Job("rarely", 60, lambda: None)], stop, logger)
        assert len(runs) == 3

    def test_a_job_that_fails_stops_no_other(self, logger: LoggerProtocol) -> None:
        stop = Event()

        def fail() -> None:
            raise OSError("disk full")

        work([Job("fails", 60, fail), Job("stops", 60, stop.set)], stop, logger)
        logger.error.assert_called_once_with(  # type: ignore[attr-defined]
            "job_failed", job="fails", error="OSError: disk full"
        )

    def test_what_a_job_did_is_logged(self, logger: LoggerProtocol) -> None:
        stop = Event()

        def run() -> int:
            stop.set()
            return 7

        work([Job("counts", 60, run)], stop, logger)
        logger.info.assert_called_once_with(  # type: ignore[attr-defined]
            "job_done", job="counts", result="7"
        )

    def test_nothing_runs_after_the_stop(self, logger: LoggerProtocol) -> None:
        stop, ran = Event(), list[int]()
        stop.set()
        work([Job("never", 0, lambda: ran.append(1))], stop, logger)
        assert ran == []
