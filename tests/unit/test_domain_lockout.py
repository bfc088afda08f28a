from datetime import timedelta

import pytest

from tests.factories import NOON
from users.domain.lockout import LOCK_DURATION, MAX_FAILURES, FailureCount

LATER = timedelta(microseconds=1)
LOCKED = FailureCount(5, NOON + timedelta(minutes=15))


class TestFailureCount:
    def test_the_limits_are_five_failures_and_fifteen_minutes(self) -> None:
        limits = (MAX_FAILURES, LOCK_DURATION)
        assert limits == (5, timedelta(minutes=15))

    def test_nothing_is_locked_at_first(self) -> None:
        assert FailureCount().is_locked(NOON) is False

    @pytest.mark.parametrize("before", range(4))
    def test_a_failure_below_the_fifth_is_only_counted(self, before: int) -> None:
        assert FailureCount(before).after_failure(NOON) == FailureCount(before + 1)

    @pytest.mark.parametrize("before", [4, 5, 17])
    def test_the_fifth_failure_locks_and_so_does_any_above(self, before: int) -> None:
        count = FailureCount(before).after_failure(NOON)
        assert count == FailureCount(before + 1, NOON + timedelta(minutes=15))

    @pytest.mark.parametrize(
        ("waited", "locked"),
        [
            (timedelta(minutes=15) - LATER, True),
            (timedelta(minutes=15), False),
        ],
    )
    def test_a_lock_ends_after_exactly_fifteen_minutes(
        self, waited: timedelta, locked: bool
    ) -> None:
        assert LOCKED.is_locked(NOON + waited) is locked

    def test_failures_during_a_lock_neither_count_nor_prolong_it(self) -> None:
        almost = NOON + timedelta(minutes=15) - LATER
        assert LOCKED.after_failure(almost) == LOCKED

    def test_a_lock_that_is_over_has_spent_the_failures_before_it(self) -> None:
        over = NOON + timedelta(minutes=15)
        assert LOCKED.after_failure(over) == FailureCount(1, None)

    def test_after_a_lock_it_takes_five_more_failures(self) -> None:
        count, over = LOCKED, NOON + timedelta(minutes=15)
        for _ in range(4):
            count = count.after_failure(over)
        assert count.is_locked(over) is False
        assert count.after_failure(over).is_locked(over) is True
