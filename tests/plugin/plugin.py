"""Registers what holds the rules of tests/: docs/how-to/test.md says what they are."""

import pytest

_HOOKS = [
    "tests.plugin.breach",
    "tests.plugin.rules",
    "tests.plugin.tiers",
    "tests.plugin.asynchronous",
    "tests.plugin.guard",
    "tests.plugin.layers",
    "tests.plugin.budget",
    "tests.plugin.leaks",
    "tests.plugin.idle",
    "tests.plugin.pyramid",
    "tests.plugin.conformance",
    "tests.plugin.watchdog",
]

# Before they are imported, by one another too.
pytest.register_assert_rewrite(
    *_HOOKS,
    "tests.plugin.frames",
    "tests.plugin.reach",
    "tests.assertions",
    "tests.contracts",
    "tests.factories",
    "tests.fakes",
)

pytest_plugins = ["pytester", *_HOOKS]
