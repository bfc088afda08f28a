"""What a test may touch: a unit test nothing, any other test its own machine.

Seen: whatever raises an audit event, psycopg, Django's connections, `time.sleep` and
`asyncio.sleep`. Not seen: `os.stat` and its kind (Python audits none of them), what other
C extensions do, and what happens in a child process of an integration test.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Generator
from functools import partial
from importlib import import_module
from typing import Any

import pytest

from tests.plugin import breach, frames, reach
from tests.plugin.tiers import tier_of


class _Guard:
    def __init__(self, item: pytest.Item) -> None:
        self.item = item
        self.rules = reach.UNIT if tier_of(item.nodeid) == "unit" else reach.ELSEWHERE
        self._replaced: list[tuple[Any, str, Any]] = []

    def check(self, event: str, args: reach.Args) -> None:
        __tracebackhide__ = True
        rule = self.rules.get(event)
        what = rule.describe(event, args, self._temporary()) if rule else ""
        frame = sys._getframe(2)
        if not rule or not what or frames.acts_for_a_tool(frame):
            return
        place = breach.place(self.item, frames.line_in(frame, str(self.item.path)))
        text = breach.sentence(place, what, rule.why, rule.instead)
        breach.record(self.item, text)  # the code under test may swallow what is raised here
        pytest.fail(text)

    def _temporary(self) -> str:
        factory = getattr(self.item.config, "_tmp_path_factory", None)
        return str(getattr(factory, "_basetemp", None))

    def stand(self) -> None:
        _guards.append(self)
        if self.rules is reach.UNIT:
            self._replace(time, "sleep", partial(_told, "time.sleep"))
            self._replace(asyncio, "sleep", _told_of_a_nap)
            if django := sys.modules.get("django.db.backends.base.base"):
                # A connection that an integration test left open needs no new socket.
                told = partial(_told, "django.connect")
                self._replace(django.BaseDatabaseWrapper, "ensure_connection", told)

    def _replace(self, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        real = getattr(owner, name)
        self._replaced.append((owner, name, real))
        setattr(owner, name, wrap(real))

    def leave(self) -> None:
        _guards.remove(self)
        for owner, name, old in reversed(self._replaced):
            setattr(owner, name, old)


_guards: list[_Guard] = []  # a stack, because pytester runs tests inside a test


def _hear(event: str, args: reach.Args) -> None:
    __tracebackhide__ = True
    if event == "import" and args[0] == "psycopg" and "psycopg" not in sys.modules:
        _replace_psycopg()
    if event in reach.WATCHED and _guards:
        _guards[-1].check(event, args)


def _told(event: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def told(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        _hear(event, args)
        return real(*args, **kwargs)

    return told


def _told_of_a_nap(real: Callable[..., Any]) -> Callable[..., Any]:
    async def sleep(delay: float, result: Any = None) -> Any:
        __tracebackhide__ = True
        if delay > 0:  # sleep(0) only lets other tasks run
            _hear("asyncio.sleep", (delay,))
        return await real(delay, result)

    return sleep


def _replace_psycopg() -> None:
    """Every connection of psycopg begins here; libpq itself raises no audit event."""
    generators: Any = import_module("psycopg.generators")
    generators.connect = _told("psycopg.connect", generators.connect)


# Once for each process: an audit hook cannot be taken away.
sys.addaudithook(_hear)
if "psycopg" in sys.modules:
    _replace_psycopg()


def release(item: pytest.Item) -> None:
    """Called when the fixtures of one test are torn down: what follows tears down those of the
    module and the session, which may stop servers after a unit test too."""
    if _guards and _guards[-1].item is item:
        _guards[-1].leave()


def _watched(item: pytest.Item) -> Generator[None, object, object]:
    __tracebackhide__ = True
    _Guard(item).stand()
    try:
        return (yield)
    finally:
        release(item)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    __tracebackhide__ = True
    return (yield from _watched(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    __tracebackhide__ = True
    return (yield from _watched(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    __tracebackhide__ = True
    return (yield from _watched(item))
