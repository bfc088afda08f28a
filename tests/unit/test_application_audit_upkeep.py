"""Erasing people, ending what nobody finished, and the trail at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from audit.application.erasing import (
    EraseSubject,
    EraseSubjectHandler,
    ExpirePseudonyms,
    ExpirePseudonymsHandler,
)
from audit.application.status import TrailStatus
from audit.application.sweeping import PATIENCE, Sweeper
from audit.domain.entry import Entry, attempt_id, outcome_id
from audit.domain.events import PseudonymsExpired
from audit.domain.subject import named_user
from core.actions import Phase
from core.errors import ErrorCode
from core.ids import uuid7
from tests.assertions import assert_failure, assert_success
from tests.factories import make_entry
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus

ADA = uuid7()


@dataclass
class Subjects:
    """Those that can be erased; `raced` are gone between the look and the erasure."""

    refs: dict[str, UUID] = field(default_factory=dict)
    raced: frozenset[str] = frozenset()

    def knows(self, name: str) -> bool:
        return name in self.refs

    def before(self, name: str) -> Sequence[tuple[str, UUID]]:
        kind = name.partition(":")[0]
        return [
            (known, ref)
            for known, ref in sorted(self.refs.items())
            if known.partition(":")[0] == kind and known < name
        ]

    def erase(self, name: str) -> bool:
        return name not in self.raced and self.refs.pop(name, None) is not None


@pytest.fixture
def bus() -> StubEventBus:
    return StubEventBus()


class TestEraseSubject:
    """Uses fixtures: bus."""

    def erase(self, subjects: Subjects, bus: StubEventBus) -> Any:
        return EraseSubjectHandler(subjects=subjects, event_bus=bus).handle(
            EraseSubject(user_id=ADA)
        )

    def test_a_person_is_on_record_and_then_erased(self, bus: StubEventBus) -> None:
        subjects = Subjects({named_user(ADA): uuid7()})
        assert_success(self.erase(subjects, bus))
        assert subjects.refs == {}
        assert bus.names == ["SubjectErased"]
        assert bus.published_events[0].user_id == ADA

    def test_nobody_is_not_found_and_nothing_is_recorded(self, bus: StubEventBus) -> None:
        assert_failure(self.erase(Subjects(), bus), ErrorCode.USER_NOT_FOUND)
        assert bus.names == []

    def test_who_was_erased_meanwhile_is_not_found(self, bus: StubEventBus) -> None:
        name = named_user(ADA)
        subjects = Subjects({name: uuid7()}, raced=frozenset({name}))
        assert_failure(self.erase(subjects, bus), ErrorCode.USER_NOT_FOUND)


class TestExpirePseudonyms:
    """Uses fixtures: bus, clock."""

    def expire(self, subjects: Subjects, bus: StubEventBus, clock: FakeClock) -> Any:
        handler = ExpirePseudonymsHandler(subjects=subjects, event_bus=bus, clock=clock)
        command = ExpirePseudonyms(
            unknown_after=timedelta(days=2), addresses_after=timedelta(days=40)
        )
        return handler.handle(command)

    def test_days_and_months_of_addresses_end_each_in_its_time(
        self, bus: StubEventBus, clock: FakeClock
    ) -> None:
        day, month = clock.now() - timedelta(days=2), clock.now() - timedelta(days=40)
        due = {f"day:{day - timedelta(days=1):%Y-%m-%d}": uuid7(), "ip:2000-01": uuid7()}
        kept = {f"day:{day:%Y-%m-%d}": uuid7(), f"ip:{month:%Y-%m}": uuid7()}
        subjects = Subjects({**due, **kept, named_user(ADA): uuid7()})
        assert assert_success(self.expire(subjects, bus, clock)) == 2
        assert subjects.refs.keys() == {*kept, named_user(ADA)}
        (expired,) = bus.published_events
        assert isinstance(expired, PseudonymsExpired)
        assert set(expired.refs) == set(due.values())

    def test_where_nothing_is_due_nothing_is_recorded(
        self, bus: StubEventBus, clock: FakeClock
    ) -> None:
        assert assert_success(self.expire(Subjects(), bus, clock)) == 0
        assert bus.names == []


@dataclass
class Attempts:
    """`late` got their outcome just now."""

    open: list[Entry]
    late: frozenset[UUID] = frozenset()
    asked: list[timedelta] = field(default_factory=list)
    closed: list[Entry] = field(default_factory=list)

    def without_outcome(self, patience: timedelta) -> list[bytes]:
        self.asked.append(patience)
        return [entry.encoded() for entry in self.open]

    def close(self, outcome: Entry) -> bool:
        if outcome.attempt in self.late:
            return False
        self.closed.append(outcome)
        return True


class TestSweeper:
    """Uses fixtures: clock."""

    def attempt(self) -> Entry:
        return make_entry(id=attempt_id(), phase=Phase.ATTEMPTED)

    def test_an_attempt_that_nobody_finished_is_abandoned(self, clock: FakeClock) -> None:
        begun = self.attempt()
        attempts = Attempts([begun])
        assert Sweeper(attempts, clock).sweep() == 1
        (outcome,) = attempts.closed
        assert (outcome.id, outcome.attempt) == (outcome_id(begun.id), begun.id)
        assert (outcome.phase, outcome.at) == (Phase.ABANDONED, clock.now())
        assert (outcome.action, outcome.subject) == (begun.action, begun.subject)

    def test_one_whose_outcome_comes_meanwhile_is_not_counted(self, clock: FakeClock) -> None:
        begun, other = self.attempt(), self.attempt()
        attempts = Attempts([begun, other], late=frozenset({begun.id}))
        assert Sweeper(attempts, clock).sweep() == 1
        assert [each.attempt for each in attempts.closed] == [other.id]

    def test_a_minute_of_patience_is_the_default(self, clock: FakeClock) -> None:
        attempts = Attempts([])
        sweeper = Sweeper(attempts, clock)
        assert (sweeper.sweep(), sweeper.sweep(timedelta(seconds=5))) == (0, 0)
        assert attempts.asked == [PATIENCE, timedelta(seconds=5)]
        assert timedelta(seconds=60) == PATIENCE


class TestTrailStatus:
    def status(self, **over: Any) -> TrailStatus:
        values: dict[str, Any] = {
            "size": 7,
            "sealed_ago": 1.0,
            "waiting": 0,
            "waits": 0.0,
            "open_attempts": 0,
            "outside": 7,
            "keys": ("k",),
            "anchors": {},
        }
        return TrailStatus(**values | over)

    @pytest.mark.parametrize(
        "over",
        [{}, {"size": 0, "outside": None}, {"outside": 6}, {"anchors": {"file": 7}}],
        ids=str,
    )
    def test_where_all_is_well_nothing_is_said(self, over: dict[str, Any]) -> None:
        assert self.status(**over).warnings == []

    @pytest.mark.parametrize(
        ("over", "told"),
        [
            ({"outside": None}, "No checkpoint is kept outside the database"),
            ({"outside": 8}, "8 events were sealed once, and 7 are left"),
            ({"open_attempts": 2}, "2 attempts have had no outcome for five minutes"),
            ({"anchors": {"file": 0}}, "file has no checkpoint yet."),
        ],
        ids=str,
    )
    def test_what_somebody_should_look_at_is_one_sentence(
        self, over: dict[str, Any], told: str
    ) -> None:
        (warning,) = self.status(**over).warnings
        assert warning.startswith(told)
