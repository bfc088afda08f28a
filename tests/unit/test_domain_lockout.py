from datetime import timedelta

import pytest

from tests.factories import NOON
from users.domain.lockout import (
    FAILURES_IN_A_ROW,
    FIRST_LOCK,
    LONGEST_LOCK,
    MAX_FAILURES,
    FailureCount,
)

LATER = timedelta(microseconds=1)
MINUTES = timedelta(minutes=1)
DAY = timedelta(hours=24)
LOCKED = FailureCount(5, NOON + 15 * MINUTES)


class TestFailureCount:
    def test_the_limits(self) -> None:
        assert (MAX_FAILURES, FAILURES_IN_A_ROW) == (5, 100)
        assert (FIRST_LOCK, LONGEST_LOCK) == (15 * MINUTES, DAY)

    def test_nothing_is_locked_at_first(self) -> None:
        assert FailureCount().is_locked(NOON) is False

    @pytest.mark.parametrize("before", [0, 1, 2, 3, 5, 6, 93, 98])
    def test_a_failure_that_is_not_a_fifth_is_only_counted(self, before: int) -> None:
        assert FailureCount(before).after_failure(NOON) == FailureCount(before + 1)

    @pytest.mark.conforms("A13")
    @pytest.mark.parametrize(
        ("failures", "minutes"),
        [
            (5, 15),
            (10, 30),
            (15, 60),
            (20, 120),
            (25, 240),
            (30, 480),
            (35, 960),
            (40, 1440),
            (45, 1440),
            (95, 1440),
        ],
    )
    def test_every_fifth_failure_locks_twice_as_long(self, failures: int, minutes: int) -> None:
        count = FailureCount(failures - 1).after_failure(NOON)
        assert count == FailureCount(failures, NOON + minutes * MINUTES)

    @pytest.mark.parametrize(
        ("waited", "locked"), [(15 * MINUTES - LATER, True), (15 * MINUTES, False)]
    )
    def test_a_lock_ends_exactly_when_it_says(self, waited: timedelta, locked: bool) -> None:
        assert LOCKED.is_locked(NOON + waited) is locked

    def test_failures_during_a_lock_neither_count_nor_prolong_it(self) -> None:
        almost = NOON + 15 * MINUTES - LATER
        assert LOCKED.after_failure(almost) == LOCKED

    def test_the_row_goes_on_after_a_lock(self) -> None:
        after = LOCKED.after_failure(NOON + 15 * MINUTES)
        assert after.failures == 6
        assert after.is_locked(NOON + 15 * MINUTES) is False

    @pytest.mark.conforms("A13")
    def test_the_hundredth_failure_locks_for_good(self) -> None:
        count = FailureCount(99).after_failure(NOON)
        assert count == FailureCount(100, NOON + DAY)
        assert count.is_locked(NOON + 1000 * DAY) is True

    @pytest.mark.parametrize("failures", [100, 101, 104, 250])
    def test_beyond_a_hundred_each_failure_begins_a_new_day(self, failures: int) -> None:
        count = FailureCount(failures, NOON)
        assert count.after_failure(NOON) == FailureCount(failures + 1, NOON + DAY)
        assert FailureCount(failures, NOON + LATER).after_failure(NOON).failures == failures

    def test_however_fast_they_come_a_hundred_take_thirteen_days(self) -> None:
        count, now = FailureCount(), NOON
        while count.failures < FAILURES_IN_A_ROW:
            now = max(now, count.locked_until or now)
            count = count.after_failure(now)
        assert now - NOON == timedelta(days=12, hours=31, minutes=45)
