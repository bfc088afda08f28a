from datetime import UTC, datetime, timedelta

from core.clock import SystemClock
from core.ports import Clock
from tests.fakes.clock import FakeClock


def test_the_system_clock_is_a_clock():
    assert isinstance(SystemClock(), Clock)


def test_the_system_clock_tells_the_system_s_time(frozen: FakeClock):
    assert SystemClock().now() == frozen.now()


def test_the_system_clock_tells_the_time_in_utc():
    assert SystemClock().now().tzinfo is UTC


def test_the_fake_clock_is_a_clock(clock: FakeClock):
    assert isinstance(clock, Clock)


def test_the_fake_clock_stands_still(clock: FakeClock):
    assert (clock.now(), clock.now()) == (datetime(2024, 1, 1, 12, tzinfo=UTC),) * 2


def test_the_fake_clock_advances_when_it_is_told_to(clock: FakeClock):
    clock.advance(timedelta(hours=24))
    assert clock.now() == datetime(2024, 1, 2, 12, tzinfo=UTC)


def test_the_frozen_system_advances_with_the_fake_clock(frozen: FakeClock):
    frozen.advance(timedelta(hours=24))
    assert SystemClock().now() == datetime(2024, 1, 2, 12, tzinfo=UTC)
