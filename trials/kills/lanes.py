"""A lane runs a batch of trials on a database of its own, settles it, and checks it."""

import json
import mmap
import os
import select
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Final

from django.db import connections
from environ import Env

from core import container
from core.settings import get_settings
from trials.kills.books import Books, Finding, read_books
from trials.kills.boundaries import Boundary, Role
from trials.kills.checker import Checker
from trials.kills.children import Stage, note, play, play_victim, play_worker, spawn
from trials.kills.controls import Control
from trials.kills.settling import settle
from trials.places import Place

PHASES: Final = ("ATTEMPTED", "SUCCEEDED", "FAILED", "ABANDONED", "SOLE")
_PATIENCE: Final = 5.0
"""Seconds in which a victim reaches its boundary, or is killed where it is."""
_ANY_MOMENT: Final = 0.15


@dataclass(frozen=True)
class Trial:
    number: int
    boundary: Boundary


@dataclass(frozen=True)
class Outcome:
    """Of a batch. `killed` are the trials whose victim died where it was to die."""

    findings: list[Finding]
    ran: list[int] = field(default_factory=list)
    killed: list[int] = field(default_factory=list)
    abandoned: Counter[int | None] = field(default_factory=Counter)
    phases: dict[str, int] = field(default_factory=dict)
    facts: int = 0
    checkpoints: int = 0
    behind: bool = False
    """Whether the file outside was behind the database when all were dead."""


@dataclass(frozen=True)
class Lane:
    place: Place
    name: str
    seed: str
    control: Control | None

    def run(self, trials: Sequence[Trial], deadline: float) -> Outcome:
        """By the monotonic clock."""
        self.folder.mkdir()
        point_django_at(self.place.url(self.name), self.folder / "audit")
        in_time = takewhile(lambda _: time.monotonic() < deadline, trials)
        ran = {trial.number: self._kill(trial) for trial in in_time}
        outside = self._outside()
        settled = self._settled()
        books = read_books(self.place, self.name)
        checker = Checker(books, container.get_settings().guard_key)
        compared = self._compare(books, outside)
        return Outcome(
            findings=[*checker.findings(), *settled, *compared, *self._troubles()],
            ran=list(ran),
            killed=[number for number, died in ran.items() if died],
            abandoned=Counter(map(books.trial_of, books.in_phase("ABANDONED"))),
            phases={phase: len(books.in_phase(phase)) for phase in PHASES},
            facts=len(list(checker.facts())),
            checkpoints=len(books.checkpoints),
            behind=outside not in [each.note for each in books.checkpoints[-2:]],
        )

    @property
    def folder(self) -> Path:
        return self.place.folder / f"{self.name}.lane"

    # --- one trial ----------------------------------------------------------------------------

    def _kill(self, trial: Trial) -> bool:
        stage = Stage(
            trial=trial.number,
            seed=self.seed,
            folder=self.folder,
            control=self.control,
            stop=mmap.mmap(-1, 1),
            lane=os.getpid(),
        )
        others = [spawn(each, stage.troubles) for each in self._others(stage, trial.boundary)]
        victim, its_end = self._victim(stage, trial.boundary)
        at_any_moment = trial.boundary.name == "at any moment"
        patience = stage.random("moment").uniform(0, _ANY_MOMENT) if at_any_moment else _PATIENCE
        died, _, _ = select.select([its_end], [], [], patience)
        if not died:
            os.kill(victim, signal.SIGKILL)
        os.close(its_end)
        _, status = os.waitpid(victim, 0)
        stage.stop[0] = 1
        for other in others:
            self._end(other)
        return os.WIFSIGNALED(status) and (bool(died) or at_any_moment)

    def _end(self, other: int) -> None:
        _, status = os.waitpid(other, 0)
        if os.WIFSIGNALED(status):
            note(self.folder / "troubles", f"a companion died by signal {os.WTERMSIG(status)}")

    def _victim(self, stage: Stage, boundary: Boundary) -> tuple[int, int]:
        """And what can be read when it is dead: nobody else holds the other end."""
        its_end, held = os.pipe()
        victim = spawn(partial(play_victim, stage, boundary), stage.troubles)
        os.close(held)
        return victim, its_end

    def _others(self, stage: Stage, boundary: Boundary) -> Iterator[partial[None]]:
        for number in range(1, self._writers(boundary) + 1):
            yield partial(play, stage, Role.WRITER, number)
        if boundary.role is not Role.SEALER:
            yield partial(play_worker, stage, 9)

    def _writers(self, boundary: Boundary) -> int:
        writers = self.control.writers if self.control else 2
        return writers - 1 if boundary.role is Role.WRITER else writers

    # --- after the trials ---------------------------------------------------------------------

    def _settled(self) -> list[Finding]:
        """By a process that comes later, as the worker of an installation would."""
        answer = self.folder / "settled.json"
        child = spawn(partial(settle, self.folder, answer), self.folder / "troubles")
        os.waitpid(child, 0)
        if not answer.exists():
            return [Finding("trouble", "the batch could not be settled")]
        return [Finding("seal", what) for what in json.loads(answer.read_text())]

    def _outside(self) -> str | None:
        file = self.folder / "audit" / "checkpoint"
        return file.read_text() if file.exists() else None

    def _compare(self, books: Books, before: str | None) -> Iterator[Finding]:
        notes = [each.note for each in books.checkpoints]
        # The empty tree is signed before the first seal, so that a file that is missing was lost.
        if before is not None and before.splitlines()[1] != "0" and before not in notes:
            yield Finding("seal", "the file outside had a checkpoint that was never committed")
        if self._outside() != (notes[-1] if notes else None):
            yield Finding("seal", "the file outside has not caught up with the database")

    def _troubles(self) -> Iterator[Finding]:
        troubles = self.folder / "troubles"
        if troubles.exists():
            yield Finding("trouble", troubles.read_text())
        refusals = self.folder / "refusals"
        if refusals.exists():
            for reason, times in Counter(refusals.read_text().splitlines()).items():
                yield Finding("seal", f"the sealer refused {times} times: {reason}")


def point_django_at(url: str, audit_folder: Path) -> None:
    """In place: the connection that exists is the one that a child opens."""
    wanted = Env.db_url_config(url)
    ours = connections.settings["default"]
    ours |= {key: wanted[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    os.environ["DATABASE_URL"], os.environ["AUDIT_FOLDER"] = url, str(audit_folder)
    get_settings.cache_clear()
    container.reset()
