"""What one test leaves behind, the next one stumbles over, in some order, some day."""

import os
import sys
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import pytest

from tests.plugin import breach, guard


@dataclass(frozen=True)
class _State:
    environment: dict[bytes, bytes]
    threads: set[threading.Thread]
    folder: str
    overrides: list[str]
    connections: dict[str, int]
    """Blocks that are open, by the name of each of Django's connections."""


def _now() -> _State:
    # What os.environ wraps: the wrapper would decode everything, twice for each test.
    environment = vars(os.environ)["_data"].copy()
    environment.pop(b"PYTEST_CURRENT_TEST", None)
    container = sys.modules.get("core.container")  # a test of a pure module may not need it
    overrides: list[str] = getattr(container, "leftovers", list)()
    threads = set(threading.enumerate())
    return _State(environment, threads, os.getcwd(), overrides, _connections())


def _connections() -> dict[str, int]:
    database = sys.modules.get("django.db")
    known = database.connections.all(initialized_only=True) if database else []
    return {one.alias: len(one.atomic_blocks) for one in known if one.connection}


def _changed(before: _State, now: _State) -> list[bytes]:
    return sorted({name for name, _ in before.environment.items() ^ now.environment.items()})


def _left_behind(before: _State) -> Iterator[tuple[str, str]]:
    now = _now()
    for name in _changed(before, now):
        variable = f"the environment variable {os.fsdecode(name)}"
        yield variable, "set it through the `environ` or the `monkeypatch` fixture"
    if before.folder != now.folder:
        yield "another working directory", "change it through monkeypatch.chdir"
    for thread in now.threads - before.threads:
        if thread.daemon:
            continue
        thread.join(0.2)  # it may be on its way out
        if thread.is_alive():
            yield f"the thread {thread.name}", "stop and join it in the fixture that starts it"
    yield from _open_connections(before, now)
    for override in set(now.overrides) - set(before.overrides):
        yield f"the override of {override}", "use the `override` fixture, or its context manager"


def _open_connections(before: _State, now: _State) -> Iterator[tuple[str, str]]:
    for alias, blocks in now.connections.items():
        if alias not in before.connections and alias != "default":
            yield f"the database connection {alias}", "close it and delete it from `connections`"
        elif blocks > before.connections.get(alias, 0):
            yield f"a transaction open on {alias}", "leave it in the fixture that begins it"


_before: list[_State] = []  # a stack, because pytester runs tests inside a test


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    _before.append(_now())
    yield
    for what, instead in _left_behind(_before.pop()):
        place = breach.place(request.node)
        why = "the next test would meet it, in some order, some day"
        breach.record(request.node, breach.sentence(place, f"a test leaves {what}", why, instead))
    guard.release(request.node)


def pytest_itemcollected(item: pytest.Item) -> None:
    """First to be set up, last to be torn down: other fixtures put back what they changed."""
    names = getattr(item, "fixturenames", [])
    if "_nothing_is_left_behind" in names:
        names.remove("_nothing_is_left_behind")
        names.insert(0, "_nothing_is_left_behind")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object],
) -> Generator[None, object, object]:
    """What a fixture of the module or the session sets up may stay, whoever asks first for it."""
    __tracebackhide__ = True
    if fixturedef.scope == "function" or not _before:
        return (yield)
    earlier = _now()
    result = yield
    now, before = _now(), _before[-1]
    for name in _changed(earlier, now):
        before.environment.pop(name, None)
        if name in now.environment:
            before.environment[name] = now.environment[name]
    before.threads.update(now.threads - earlier.threads)
    before.connections.update(now.connections)
    return result
