"""Processes that begin together: each started anew, with a Django of its own, and five threads with
a connection each, as a web server has them."""

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier
from threading import Event
from typing import Any, Final
from uuid import UUID

PROCESSES: Final = 4
THREADS: Final = 5
RUNNERS: Final = PROCESSES * THREADS
_PATIENCE: Final = 60
"""Seconds; whoever is not back then hangs."""
_PAUSE: Final = Event()


class CrewError(Exception):
    """The trial itself failed."""


@dataclass(frozen=True)
class Act:
    """`door` is a function of a wiring, `command` what its handler is told; `delay` is in seconds,
    after the start."""

    door: Callable[[], Any]
    command: Any
    delay: float = 0.0


@dataclass(frozen=True)
class Raised:
    """What nobody expected, in the place of a result."""

    traceback: str


@dataclass(frozen=True)
class Turn:
    """What one process is to do at once. `keys` are its TOKEN_KEYS from here on."""

    acts: Sequence[Act]
    correlation: UUID
    keys: str


@dataclass(frozen=True)
class Start:
    """What all processes share; `ahead` is how many seconds the clock of the house goes fast."""

    barrier: Barrier
    ahead: "Synchronized[float]"
    control: str | None


@dataclass
class Crew:
    ahead: "Synchronized[float]"
    pipes: list[Connection] = field(default_factory=list)

    def pass_time(self, time: timedelta) -> None:
        self.ahead.value += time.total_seconds()

    def at_once(self, acts: Sequence[Act], keys: Sequence[str], correlation: UUID) -> list[Any]:
        """A Result or `Raised` of each, in their order; act n is done by process n % PROCESSES."""
        assert len(acts) == RUNNERS
        for number, pipe in enumerate(self.pipes):
            pipe.send(Turn(acts[number::PROCESSES], correlation, keys[number]))
        answers = [self._answer(pipe) for pipe in self.pipes]
        return [answers[n % PROCESSES][n // PROCESSES] for n in range(RUNNERS)]

    def _answer(self, pipe: Connection) -> list[Any]:
        if not wait([pipe], _PATIENCE):
            raise CrewError(f"a process did not come back within {_PATIENCE} s")
        try:
            answer: list[Any] = pipe.recv()
        except EOFError:
            raise CrewError("a process died") from None
        return answer


@contextmanager
def crew(control: str | None) -> Iterator[Crew]:
    """This process follows their clock, too."""
    context = multiprocessing.get_context("spawn")
    start = Start(context.Barrier(RUNNERS), context.Value("d", 0.0), control)
    follow_clock(start.ahead)
    ours = Crew(start.ahead)
    processes = []
    for _ in range(PROCESSES):
        mine, theirs = context.Pipe()
        process = context.Process(target=_run, args=(theirs, start), daemon=True)
        process.start()
        theirs.close()
        ours.pipes.append(mine)
        processes.append(process)
    try:
        yield ours
    finally:
        for pipe in ours.pipes:
            pipe.close()
        for process in processes:
            process.join(_PATIENCE)


def follow_clock(ahead: "Synchronized[float]") -> None:
    from core import clock

    class Shared:
        @staticmethod
        def now(zone: tzinfo = UTC) -> datetime:
            return datetime.now(zone) + timedelta(seconds=ahead.value)

    vars(clock)["datetime"] = Shared


def _run(pipe: Connection, start: Start) -> None:
    """A process of the crew: until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it sees the end of whoever started it
    import django

    django.setup()
    follow_clock(start.ahead)
    if start.control:
        from trials.races.controls import CONTROLS

        CONTROLS[start.control].install()
    with ThreadPoolExecutor(THREADS) as threads:
        while True:
            try:
                turn: Turn = pipe.recv()
            except EOFError:
                return
            use_keys(turn.keys)
            done = [threads.submit(_act, act, turn, start.barrier) for act in turn.acts]
            pipe.send([each.result() for each in done])


def use_keys(keys: str) -> None:
    """As after a restart with these TOKEN_KEYS."""
    from core import container
    from core.settings import get_settings

    if os.environ.get("TOKEN_KEYS") != keys:
        os.environ["TOKEN_KEYS"] = keys
        get_settings.cache_clear()
        container.reset()


def _act(act: Act, turn: Turn, barrier: Barrier) -> Any:
    from django.db import connection

    from core import context
    from core.events import EventMetadata

    connection.ensure_connection()
    # All threads of all processes: none waits for another's import or connection.
    barrier.wait(_PATIENCE)
    if act.delay:
        _PAUSE.wait(act.delay)
    try:
        with context.bound(EventMetadata(door="race", correlation=turn.correlation)):
            return act.door().handle(act.command)
    except Exception:  # noqa: BLE001  it is told, and breaks the round
        return Raised(traceback.format_exc())
