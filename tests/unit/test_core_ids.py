from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from uuid import RFC_4122, UUID

import pytest

from core import ids
from core.ids import first_id_of, first_id_since, uuid7
from tests.fakes.clock import FakeClock

NOON = 1704110400_000  # milliseconds


class StoppedTime:
    """`time`, standing where it is told to."""

    def __init__(self, nanoseconds: int) -> None:
        self.nanoseconds = nanoseconds

    def time_ns(self) -> int:
        return self.nanoseconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> StoppedTime:
    stopped = StoppedTime(NOON * 1_000_000)
    monkeypatch.setattr(ids, "time", stopped)
    monkeypatch.setattr(ids, "_last", 0)
    return stopped


def milliseconds(made: UUID) -> int:
    return made.int >> 80


def fraction(made: UUID) -> int:
    return made.int >> 64 & 0xFFF


class TestUuid7:
    """Uses `time`: a clock that stands still."""

    def test_it_is_a_uuid_of_the_standard_library(self):
        assert type(uuid7()) is UUID

    def test_it_is_version_7_of_the_standard_variant(self):
        made = uuid7()
        assert (made.version, made.variant) == (7, RFC_4122)

    def test_its_first_48_bits_are_milliseconds(self, time: StoppedTime):
        assert milliseconds(uuid7()) == NOON

    @pytest.mark.parametrize(
        ("nanoseconds", "ticks"), [(0, 0), (244, 0), (245, 1), (500_000, 2048), (999_999, 4095)]
    )
    def test_its_next_12_bits_are_the_fraction_of_the_millisecond(
        self, time: StoppedTime, nanoseconds: int, ticks: int
    ):
        time.nanoseconds += nanoseconds
        assert fraction(uuid7()) == ticks

    def test_two_of_the_same_instant_differ_in_order(self, time: StoppedTime):
        first, second = uuid7(), uuid7()
        assert first < second

    def test_more_than_fit_into_a_millisecond_stay_in_order(self, time: StoppedTime):
        made = [uuid7() for _ in range(4097)]
        assert made == sorted(made)

    def test_more_than_fit_into_a_millisecond_borrow_from_the_next(self, time: StoppedTime):
        made = [uuid7() for _ in range(4097)]
        assert (milliseconds(made[-1]), fraction(made[-1])) == (NOON + 1, 0)

    def test_they_stay_in_order_when_the_clock_is_set_back(self, time: StoppedTime):
        first = uuid7()
        time.nanoseconds -= 3600 * 10**9
        assert uuid7() > first

    def test_the_last_62_bits_are_random(self, monkeypatch: pytest.MonkeyPatch):
        asked: list[int] = []

        def randbits(bits: int) -> int:
            asked.append(bits)
            return (1 << bits) - 1

        monkeypatch.setattr("secrets.randbits", randbits)
        made = uuid7()
        assert (asked, made.int & (1 << 62) - 1, made.variant) == ([62], (1 << 62) - 1, RFC_4122)

    def test_it_takes_the_wall_clock_under_a_frozen_one(self, frozen: FakeClock):
        """The trail refuses ids outside its window, whatever a test freezes."""
        assert milliseconds(uuid7()) > NOON + 365 * 24 * 3600 * 1000

    def test_threads_never_make_the_same_tick(self, time: StoppedTime):
        together, made = Barrier(4, timeout=5), []

        def make() -> None:
            together.wait()
            made.extend([uuid7() for _ in range(250)])

        threads = [Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({each.int >> 64 for each in made}) == 1000


class TestFirstId:
    """Uses `time`: a clock that stands still."""

    @pytest.mark.parametrize(
        ("moment", "first"),
        [
            (datetime(2024, 1, 1, 12, tzinfo=UTC), NOON),
            (datetime(2024, 1, 1, 12, 0, 0, 1999, tzinfo=UTC), NOON + 1),
            (datetime(1970, 1, 1, tzinfo=UTC), 0),
            (datetime(1969, 12, 31, tzinfo=UTC), 0),
        ],
    )
    def test_of_a_moment_it_is_its_milliseconds_and_zeros(self, moment: datetime, first: int):
        assert first_id_of(moment) == UUID(int=first << 80)

    def test_no_id_of_that_millisecond_is_smaller(self, time: StoppedTime):
        assert first_id_of(datetime(2024, 1, 1, 12, tzinfo=UTC)) < uuid7()

    @pytest.mark.parametrize(
        ("age", "first"),
        [
            (timedelta(0), NOON),
            (timedelta(seconds=1.5), NOON - 1500),
            (timedelta(days=365 * 60), 0),
        ],
    )
    def test_of_an_age_it_is_counted_from_the_wall_clock(
        self, time: StoppedTime, age: timedelta, first: int
    ):
        assert first_id_since(age) == UUID(int=first << 80)
