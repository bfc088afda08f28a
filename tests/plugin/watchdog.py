"""Where every thread stands, for a test that hangs where no signal interrupts it.

pytest's own `faulthandler_timeout` starts a thread for each test and waits for its end: longer than
most tests take. Here it is started again when some seconds have passed.
"""

import faulthandler
import time
from collections.abc import Generator

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key

_EVERY = 5.0  # seconds; by so much a test may be told too early
_now = time.monotonic  # bound here: freezegun replaces the functions of modules


class Watchdog:
    def __init__(self, patience: float, stderr: int) -> None:
        self.patience, self.stderr = patience, stderr
        self._since = float("-inf")

    def watch(self, now: float) -> None:
        if now > self._since + _EVERY:
            self._since = now
            faulthandler.dump_traceback_later(self.patience, file=self.stderr)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        self.watch(_now())
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_enter_pdb(self) -> None:
        faulthandler.cancel_dump_traceback_later()

    def pytest_sessionfinish(self) -> None:
        faulthandler.cancel_dump_traceback_later()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("stuck_after", "seconds until every thread is shown; 0: never", default="0")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if patience := float(config.getini("stuck_after")):
        stderr = config.stash[fault_handler_stderr_fd_key]
        config.pluginmanager.register(Watchdog(patience, stderr), "watchdog")
