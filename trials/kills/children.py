"""The processes of a trial. Each is forked from one that has imported everything, and opens a
connection of its own."""

import mmap
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from threading import Event
from typing import Final

from django.db import connection, connections

from audit import upkeep, wiring
from audit.application.sealing import SealRefusedError
from audit.domain.events import TrailExported
from core import container, context
from core.events import EventMetadata
from trials.kills.boundaries import Boundary, Role, Trap
from trials.kills.controls import Control
from trials.kills.journeys import Walk

_TILE: Final = 256
_IMPATIENT: Final = timedelta(milliseconds=20)
_LONGEST: Final = 60  # seconds; whoever is here then hangs
_PAUSE: Final = Event()


@dataclass(frozen=True)
class Stage:
    """What the processes of one trial share."""

    trial: int
    seed: str
    folder: Path
    control: Control | None
    stop: mmap.mmap
    lane: int

    def is_over(self) -> bool:
        return self.stop[0] != 0 or os.getppid() != self.lane

    @property
    def troubles(self) -> Path:
        return self.folder / "troubles"

    @property
    def refusals(self) -> Path:
        return self.folder / "refusals"

    def seal(self) -> None:
        try:
            upkeep.seal_and_publish()
        except SealRefusedError as refused:
            note(self.refusals, str(refused))

    def random(self, name: str) -> Random:
        return Random(f"{self.seed}/{self.trial}/{name}")  # noqa: S311  trials can be repeated


def spawn(play: Callable[[], None], troubles: Path, limit: int = _LONGEST) -> int:
    """The child's id. What it raises is written to `troubles`; 0 is no limit of seconds."""
    if child := os.fork():
        return child
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.alarm(limit)
        play()
        connections.close_all()
        status = 0
    except BaseException:  # noqa: BLE001  nothing may return into the parent's code
        note(troubles, traceback.format_exc())
    finally:
        os._exit(status)


def note(file: Path, text: str) -> None:
    with file.open("a") as notes:
        notes.write(text + "\n")


def play_victim(stage: Stage, boundary: Boundary) -> None:
    random = stage.random("trap")
    _prepare(stage, 0)
    if boundary.name.startswith("after a tile"):
        _fill_tile(stage)
    boundary.arm(Trap(random, random.randint(1, boundary.passes)))
    _ROLES[boundary.role](stage, 0)


def play(stage: Stage, role: Role, number: int) -> None:
    _prepare(stage, number)
    _ROLES[role](stage, number)


def play_worker(stage: Stage, number: int) -> None:
    """As `manage.py worker`, in a hurry."""
    _prepare(stage, number)
    sweeper = wiring.sweeper()
    while not stage.is_over():
        stage.seal()
        if stage.control is None:
            sweeper.sweep(_IMPATIENT)
        _PAUSE.wait(0.01)


def _write(stage: Stage, number: int) -> None:
    walk = Walk(stage.trial, number, stage.random(f"walk {number}"))
    while not stage.is_over():
        walk.step()


def _seal(stage: Stage, number: int) -> None:
    while not stage.is_over():
        stage.seal()
        _PAUSE.wait(0.002)


def _sweep(stage: Stage, number: int) -> None:
    """Without patience: it abandons what a writer is just doing, and that writer is late."""
    sweeper = wiring.sweeper()
    while not stage.is_over():
        sweeper.sweep(timedelta(0))
        _PAUSE.wait(0.002)


_ROLES: Final = {Role.WRITER: _write, Role.SEALER: _seal, Role.SWEEPER: _sweep}


def _prepare(stage: Stage, number: int) -> None:
    if stage.control:
        stage.control.install(stage.random(f"control {number}"))


def _fill_tile(stage: Stage) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_event")
        (count,) = cursor.fetchone()
    with context.bound(EventMetadata(door=f"trial-{stage.trial}")):
        for _ in range(_TILE - count % _TILE):
            record_something()


def record_something() -> None:
    """A fact that changes nothing."""
    with container.get_database().get_session() as unit:
        container.get_event_bus().publish(TrailExported(first=0, last=1), session=unit)
