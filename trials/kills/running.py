"""Batches of trials, two beside each other, each in a process of its own."""

import os
import pickle
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

from django.core.management import call_command
from django.db import connections

from trials.kills.books import Finding
from trials.kills.boundaries import ANY_MOMENT, FIRST_SEAL, NAMED, Boundary
from trials.kills.children import spawn
from trials.kills.controls import Control
from trials.kills.lanes import Lane, Outcome, Trial, point_django_at
from trials.kills.report import Tally
from trials.places import TEMPLATE, Place

_SMALLEST: Final = 4
_LARGEST: Final = 50
_LANES: Final = 2


@dataclass(frozen=True)
class Batch:
    name: str
    trials: list[Trial]
    pid: int
    answer: int
    """Where the lane's process writes; a pickle of ours to us."""


@dataclass(frozen=True)
class Plan:
    """Begins no trial after so many seconds."""

    place: Place
    trials: int
    seconds: float
    seed: str
    control: Control | None

    def prepare(self) -> None:
        self.place.copy(TEMPLATE)
        point_django_at(self.place.url(TEMPLATE), Path("/nonexistent"))
        call_command("migrate", interactive=False, verbosity=0)
        if self.control:
            self.control.arrange()
        connections.close_all()

    def run(self, tally: Tally, progress: Callable[[], None]) -> None:
        began = time.monotonic()
        waiting = self._batches(began + self.seconds)
        running = {batch.answer: batch for batch in islice(waiting, _LANES)}
        while running:
            for answer in select.select(list(running), [], [])[0]:
                batch = running.pop(answer)
                tally.add(batch.trials, _outcome_of(batch))
                self.place.drop(batch.name)
                tally.seconds = time.monotonic() - began
                progress()
                running |= {each.answer: each for each in islice(waiting, 1)}

    def _batches(self, deadline: float) -> Iterator[Batch]:
        """Each is begun when it is asked for."""
        boundaries = self._boundaries()
        size = max(_SMALLEST, min(_LARGEST, -(-self.trials // len(FIRST_SEAL))))
        for number, first in enumerate(range(1, self.trials + 1, size)):
            if time.monotonic() >= deadline:
                return
            numbers = range(first, min(first + size, self.trials + 1))
            batch = list(map(Trial, numbers, boundaries))
            if self.control is None:
                batch[0] = Trial(first, FIRST_SEAL[number % len(FIRST_SEAL)])
            yield self._begin(f"batch_{number}", batch, deadline)

    def _boundaries(self) -> Iterator[Boundary]:
        """Every one in turn, in another order each time."""
        random = Random(self.seed)  # noqa: S311  trials can be repeated
        boundaries = self.control.boundaries if self.control else (*NAMED, *ANY_MOMENT)
        while True:
            yield from random.sample(boundaries, len(boundaries))

    def _begin(self, name: str, trials: list[Trial], deadline: float) -> Batch:
        self.place.copy(name)
        lane = Lane(self.place, name, self.seed, self.control)
        answer, written = os.pipe()

        def play() -> None:
            os.close(answer)
            outcome = lane.run(trials, deadline)
            with os.fdopen(written, "wb") as file:
                pickle.dump(outcome, file)

        pid = spawn(play, self.place.folder / f"{name}.troubles", limit=0)
        os.close(written)
        return Batch(name, trials, pid, answer)


def _outcome_of(batch: Batch) -> Outcome:
    with os.fdopen(batch.answer, "rb") as file:
        written = file.read()
    os.waitpid(batch.pid, 0)
    if written:
        outcome: Outcome = pickle.loads(written)  # noqa: S301  from our own child
        return outcome
    return Outcome(findings=[Finding("trouble", f"{batch.name} came to no end")])
