"""The folder says the tier, the file name says the subject."""

import inspect
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.plugin import breach, reach, rules

_LAYERS = "core|domain|application|infrastructure|presentation"
_TECHNOLOGIES = (
    "redis|postgres|sqlite|schwab|aws|cloudwatch|console|env|adapter|flow|durability|api|asgi"
    "|settings|pytest"
)
_NAMES = {
    "unit": rf"test_({_LAYERS})_\w+\.py",
    "integration": rf"test_\w+_({_TECHNOLOGIES})\.py",
    "api": r"test_\w+_(api|endpoints)\.py",
    "smoke": r"test_\w+_flow\.py",
}
TIERS = tuple(_NAMES)

_MARKERS = (
    "unit: touches nothing; set by the folder",
    "integration: reaches its own services; set by the folder",
    "api: one request after another through the whole application; set by the folder",
    "smoke: a whole journey over real HTTP; set by the folder",
    "asyncio: an async test; set by the plugin",
    "slow(reason): may exceed the time budget of its tier",
    "contract(of): the suite of a port, once for its fake and once for every adapter",
    "model: against a reference of its own; make model goes further",
    "fuzz: generated requests",
    "fault: a dependency fails on purpose",
)


class Misplaced(pytest.Module):
    sentences: tuple[str, ...] = ()

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        raise self.CollectError("\n".join(self.sentences))


def tier_of(nodeid: str) -> str | None:
    root, _, rest = nodeid.partition("/")
    tier = rest.partition("/")[0]
    return tier if root == "tests" and tier in _NAMES else None


def misplaced(path: str) -> str | None:
    """The sentence for a file, by its path from the root with forward slashes."""
    tier = tier_of(path)
    here = f"{path}:1"
    if tier is None:
        return breach.sentence(
            here,
            "a test outside the tiers",
            "its folder gives a test its marker, its guard and its time budget",
            f"move it to tests/ {' or '.join(TIERS)}",
        )
    if path.count("/") > 2:
        return breach.sentence(
            here,
            "a folder inside a tier",
            "tiers are flat so that a test is found without a search",
            f"move it to tests/{tier}/ and let its name say the rest",
        )
    if not re.fullmatch(_NAMES[tier], path.rpartition("/")[2]):
        return breach.sentence(
            here,
            "the name does not say what is tested",
            f"{tier} tests are found by their file name",
            f"rename it to match {_NAMES[tier]}",
        )
    return None


def pytest_configure(config: pytest.Config) -> None:
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    root = parent.config.rootpath
    path = module_path.relative_to(root).as_posix() if module_path.is_relative_to(root) else ""
    wrong = misplaced(path or module_path.as_posix())
    sentences = [wrong] if wrong else rules.of_module(module_path, path)
    if not sentences:
        return None
    module = Misplaced.from_parent(parent, path=module_path)
    module.sentences = tuple(sentences)
    return module


def pytest_itemcollected(item: pytest.Item) -> None:
    if tier := tier_of(item.nodeid):
        item.add_marker(tier)
    if inspect.iscoroutinefunction(getattr(item, "obj", None)):
        item.add_marker("asyncio")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before they start: a fixture of the session that failed once fails for all who ask again."""
    wanted = {"services", "django_db_setup", "live_server"} & set(getattr(item, "fixturenames", ()))
    if tier_of(item.nodeid) == "unit" and (wanted or item.get_closest_marker("django_db")):
        rule = reach.UNIT["django.connect"]
        what = "a unit test asks for a database or another server"
        text = breach.sentence(breach.place(item), what, rule.why, rule.instead)
        pytest.fail(text, pytrace=False)
