"""The load: what starts, what is looked at meanwhile, and what is counted when all have ended."""

import json
import mmap
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any, Final

from django.core.management import call_command
from django.db import connections
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from audit import upkeep, wiring
from core import container
from trials.kills.books import Books, Finding, read_books
from trials.kills.boundaries import Role
from trials.kills.checker import Checker
from trials.kills.children import Stage, note, play, record_something, spawn
from trials.kills.lanes import PHASES, point_django_at
from trials.kills.settling import settle
from trials.load.measures import Leaf, Sample, lags_of, read_leaves, sample
from trials.load.processes import be_housekeeper, be_verifier, be_worker
from trials.load.report import Outcome, Verified
from trials.places import TEMPLATE, Place

_NAME: Final = "load"
_EACH: Final = 1.0
_ATTEMPTS_EACH: Final = 5
"""Samples."""
_LAST_SEAL: Final = 30.0
"""Seconds in which the worker seals the rest, when nobody writes any more."""
_PAUSE: Final = Event()


@dataclass(frozen=True)
class Load:
    place: Place
    seconds: float
    writers: int
    seed: str

    def prepare(self) -> None:
        self.place.copy(TEMPLATE)
        self._point_at(TEMPLATE)
        call_command("migrate", interactive=False, verbosity=0)
        connections.close_all()
        self.place.copy(_NAME)
        self.folder.mkdir()
        self._point_at(_NAME)
        record_something()
        upkeep.seal_and_publish()  # which makes the key that the verifier reads
        connections.close_all()

    def run(self, console: Console) -> Outcome:
        with _progress(console) as progress:
            began = self._now()
            samples, ended = self._bear(progress)
            telling = partial(_begin, progress)
            telling("Sweeping, sealing, verifying")
            settled = self._settled()
            telling("Verifying all")
            verified = self._verified(progress)
            telling("Checking")
            books = read_books(self.place, _NAME)
            leaves = read_leaves(self.place, _NAME)
            findings = [*self._checked(books, leaves), *settled, *self._troubles()]
        return Outcome(
            seed=self.seed,
            writers=self.writers,
            seconds=ended - began,
            samples=samples,
            lags=lags_of(leaves, self._checkpoints(), began, ended),
            phases={phase: len(books.in_phase(phase)) for phase in PHASES},
            checkpoints=len(books.checkpoints),
            verifications=json.loads(self._answer.read_text()) if self._answer.exists() else {},
            verified=verified,
            findings=findings,
        )

    @property
    def folder(self) -> Path:
        return self.place.folder / _NAME

    @property
    def _answer(self) -> Path:
        return self.folder / "verifications.json"

    # --- the load -----------------------------------------------------------------------------

    def _bear(self, progress: Progress) -> tuple[list[Sample], float]:
        """When the last writer had ended, by the clock of the database."""
        writing, beside = self._stage(), self._stage()
        others = [spawn(each, beside.troubles, limit=0) for each in self._beside(beside)]
        writers = [
            spawn(partial(play, writing, Role.WRITER, number), writing.troubles, limit=0)
            for number in range(1, self.writers + 1)
        ]
        samples = list(self._samples(writing, progress))
        _stop(writing, writers)
        ended = self._now()
        self._wait_for_last_seal()
        _stop(beside, others)
        connections.close_all()
        return samples, ended

    def _beside(self, stage: Stage) -> Iterator[partial[None]]:
        yield partial(be_worker, stage)
        yield partial(be_verifier, stage, self._answer)
        yield partial(be_housekeeper, stage, self.place.url(_NAME))

    def _stage(self) -> Stage:
        return Stage(1, self.seed, self.folder, None, mmap.mmap(-1, 1), os.getpid())

    def _samples(self, stage: Stage, progress: Progress) -> Iterator[Sample]:
        """Each second, until the time is over or one of the processes has failed."""
        task = progress.add_task("Load", total=self.seconds, told="")
        began = time.monotonic()
        before = sample(0.0, with_attempts=False)
        for number in count(1):
            _PAUSE.wait(max(0.0, began + number * _EACH - time.monotonic()))
            at = time.monotonic() - began
            now = sample(at, with_attempts=number % _ATTEMPTS_EACH == 0)
            yield now
            speed = (now.rows - before.rows) / (now.at - before.at)
            told = f"{speed:,.0f} rows/s, lag {now.oldest:.2f} s"
            progress.update(task, completed=min(at, self.seconds), told=told, refresh=True)
            if at >= self.seconds or stage.troubles.exists():
                return
            before = now

    def _wait_for_last_seal(self) -> None:
        until = time.monotonic() + _LAST_SEAL
        while time.monotonic() < until and sample(0.0, with_attempts=False).waiting:
            _PAUSE.wait(0.1)

    # --- afterwards ---------------------------------------------------------------------------

    def _settled(self) -> list[Finding]:
        answer = self.folder / "settled.json"
        child = spawn(partial(settle, self.folder, answer), self.folder / "troubles", limit=0)
        os.waitpid(child, 0)
        if not answer.exists():
            return [Finding("trouble", "the load could not be settled")]
        return [Finding("seal", what) for what in json.loads(answer.read_text())]

    def _verified(self, progress: Progress) -> Verified:
        task = progress.tasks[-1].id

        def tell(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of, refresh=True)

        began = time.monotonic()
        report = wiring.verifier(wiring.key_folder().verifier_keys()).verify(progress=tell)
        connections.close_all()
        return Verified(report.exit_code, report.checked, time.monotonic() - began)

    def _checked(self, books: Books, leaves: Sequence[Leaf]) -> Iterator[Finding]:
        yield from Checker(books, container.get_settings().guard_key).findings()
        if [leaf.id for leaf in leaves] != books.sealed:
            yield Finding("seal", "the leaves are not in the order of the transactions")

    def _troubles(self) -> Iterator[Finding]:
        troubles = self.folder / "troubles"
        if troubles.exists():
            yield Finding("trouble", troubles.read_text())

    def _checkpoints(self) -> list[tuple[int, float]]:
        statement = (
            "SELECT size, extract(epoch FROM created_at)::float8 FROM audit_checkpoint"
            " ORDER BY size"
        )
        return [(size, at) for size, at in self.place.read(_NAME, statement)]

    def _now(self) -> float:
        ((now,),) = self.place.read(_NAME, "SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(now)

    def _point_at(self, name: str) -> None:
        point_django_at(self.place.url(name), self.folder / "audit")


def _stop(stage: Stage, children: Sequence[int]) -> None:
    stage.stop[0] = 1
    for child in children:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            note(stage.troubles, f"one of the processes died by signal {os.WTERMSIG(status)}")


def _begin(progress: Progress, what: str) -> None:
    for task in progress.task_ids:
        progress.remove_task(task)
    progress.add_task(what, total=None, told="")
    progress.refresh()


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[told]}"),
    )
    # Without the thread that refreshes by itself: we fork.
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        yield progress
