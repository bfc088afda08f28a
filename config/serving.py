"""The server of `manage.py serve`: its processes end together, whoever ends them and how."""

import os
import select
import signal
from collections.abc import Set
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Event, Thread
from typing import Any

from django.core.management import call_command
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import MPServer

_ENDINGS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_SECONDS_FOR_REQUESTS = 1
_THREADS = 4
"""More than one, so that a slow sender does not keep everybody else out."""


def serve(address: str, port: int) -> None:
    """Returns after Ctrl-C, after SIGTERM, and when its terminal was closed."""
    server = MPServer(
        "config.wsgi:application",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=_THREADS,
        log_level=LogLevels.warning,
    )
    # granian's handlers set an Event. A second signal, or one that comes as the main thread begins
    # to wait for that Event, would lock the process for good: so they never run in this one.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    # Forked, and before there are threads: spawning would unblock the signals again.
    get_context("fork").Process(target=run_worker, daemon=True).start()
    Thread(target=_end_on_signal, args=(server, _not_ignored()), daemon=True).start()
    if _holds_the_terminal():
        Thread(target=_hear_the_terminal_close, daemon=True).start()
    server.serve(target_loader=load_application, wrap_loader=False)


def _not_ignored() -> Set[signal.Signals]:
    """`nohup` lets a server outlive its terminal."""
    return {each for each in _ENDINGS if signal.getsignal(each) != signal.SIG_IGN}


def _end_on_signal(server: MPServer, wanted: Set[signal.Signals]) -> None:
    signal.sigwait(wanted)
    server.signal_handler_interrupt()  # type: ignore[no-untyped-call]
    Event().wait(_SECONDS_FOR_REQUESTS)
    for worker in active_children():
        worker.kill()


def _holds_the_terminal() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def _hear_the_terminal_close() -> None:
    # Where `make run` is the first program of a terminal, SIGHUP reaches make alone, which waits.
    terminal = select.poll()
    terminal.register(0, 0)
    terminal.poll()
    os.kill(os.getpid(), signal.SIGHUP)


def load_application() -> Any:
    """Runs in the worker of granian."""
    _live_with_parent()
    from config.wsgi import application

    return application


def run_worker() -> None:
    """`manage.py worker` in a process of its own; what it was doing when it is killed, a
    transaction undoes."""
    _live_with_parent()
    call_command("worker")


def _live_with_parent() -> None:
    """A child inherits the blocked signals: its parent alone tells it to end."""
    # Until the child listens to SIGTERM, one that came earlier ends it at once.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    parent = parent_process()
    assert parent is not None
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(0)
