"""How long a test's own call may take; fixtures that start services are not its fault.

A unit test is measured in CPU time, which a busy machine does not stretch. The speed of the
machine is measured when a test seems too slow, and then only.
"""

import gc
import os
import sys
import time
from collections.abc import Callable, Generator
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import text

from tests.plugin import breach
from tests.plugin.tiers import tier_of

BUDGETS = {"unit": 0.1, "integration": 1.0, "api": 5.0, "smoke": 5.0}

_REFERENCE = 0.003  # seconds that the loop of _slowness takes on an ordinary core
_IMPORTS = 2.0  # seconds that a call may take on top when it is the first to import something
_EXAMPLES = 10  # a property test runs a hundred examples and may take ten times as long

# By the clock of a busy machine hypothesis would fail what is judged here by CPU time.
settings.register_profile("budget", deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Bound here and now, in a tuple: freezegun replaces the functions of modules.
_CLOCKS = (time.process_time, time.perf_counter)


def pytest_configure() -> None:
    """Not at the import: another plugin reads `BUDGETS` where this one is switched off."""
    settings.load_profile("budget")


def _clock_of(tier: str) -> Callable[[], float]:
    return _CLOCKS[0] if tier == "unit" else _CLOCKS[1]


def _slowness(clock: Callable[[], float]) -> float:
    began = clock()
    for _ in range(5):
        sum(n * n for n in range(40_000))
    machine = max(1.0, (clock() - began) / 5 / _REFERENCE)
    if clock is _CLOCKS[1]:  # others had the processor for a part of that time
        machine *= max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    return machine * (3.0 if sys.gettrace() else 1.0)  # coverage or a debugger looks on


def _is_property(item: pytest.Item) -> bool:
    return hasattr(getattr(item, "obj", None), "hypothesis")


def _budget(item: pytest.Item, tier: str) -> float:
    return BUDGETS[tier] * (_EXAMPLES if _is_property(item) else 1)


@cache
def _warm_up() -> None:
    """Before its first example hypothesis reads all of our modules: not at the cost of a test."""
    settings(max_examples=1, database=None)(given(text())(lambda _: None))()


class _Collector:
    """A full garbage collection would be charged to whichever test it happens in."""

    def __init__(self) -> None:
        self.taken = dict.fromkeys(_CLOCKS, 0.0)
        self._begun = dict.fromkeys(_CLOCKS, 0.0)

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] < 2:
            return
        for clock in _CLOCKS:
            if phase == "start":
                self._begun[clock] = clock()
            else:
                self.taken[clock] += clock() - self._begun[clock]


_collector = _Collector()
gc.callbacks.append(_collector)
# Once in a process: pytester's inner runs share it.
_freeze = cache(gc.freeze)


def pytest_collection_finish() -> None:
    _freeze()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    __tracebackhide__ = True
    tier = tier_of(item.nodeid)
    if tier is None:
        return (yield)
    if _is_property(item):
        _warm_up()
    clock, modules = _clock_of(tier), len(sys.modules)
    began, collected = clock(), _collector.taken[clock]
    try:
        return (yield)
    finally:
        spent = clock() - began - (_collector.taken[clock] - collected)
        item.user_properties.append(("seconds", spent))
        excuse = _IMPORTS if len(sys.modules) > modules else 0.0
        _judge(item, tier, spent, excuse)


def _judge(item: pytest.Item, tier: str, spent: float, excuse: float) -> None:
    budget = _budget(item, tier)
    if spent <= budget + excuse or item.get_closest_marker("slow"):
        return
    if spent <= (budget + excuse) * _slowness(_clock_of(tier)):
        return
    kind = "of CPU time" if tier == "unit" else "by the clock"
    told = breach.sentence(
        breach.place(item),
        f"the test takes {spent * 1000:.0f} ms {kind} and may take {budget * 1000:.0f}",
        "a slow suite is run less often",
        'make it smaller, or mark it @pytest.mark.slow(reason="…")',
    )
    breach.record(item, told)
