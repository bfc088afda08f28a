"""Fixtures that every test is given and that have nothing to do for this one: setting one up costs
as much as most of the tests."""

from functools import cache

import pytest

# Of pytest-django, each for those that carry a marker or ask for a fixture.
_FOR_MARKED = {
    "_django_db_marker": "django_db",
    "_django_set_urlconf": "urls",
    "_django_isolate_apps": "django_isolate_apps",
    "_template_string_if_invalid_marker": "ignore_template_errors",
}
_FOR_USERS = {
    "_live_server_helper": "live_server",
    "_session_faker": "faker",
    "faker_seed": "faker",
}
# What these ask for; whoever else needs it asks for it.
_NEEDED = {"request", "monkeypatch", "pytestconfig", "django_db_blocker"}


@pytest.hookimpl(trylast=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and item.config.pluginmanager.hasplugin("django"):
        unasked = _NEEDED.difference(item._fixtureinfo.initialnames)
        idle = _idle(item) | unasked
        item.fixturenames = [name for name in item.fixturenames if name not in idle]


def _idle(item: pytest.Function) -> set[str]:
    idle = {name for name, mark in _FOR_MARKED.items() if not item.get_closest_marker(mark)}
    idle |= {name for name, user in _FOR_USERS.items() if user not in item.fixturenames}
    if not _has_sites():
        idle.add("_django_clear_site_cache")
    if not _is_django_s(item.cls):
        idle.add("_django_setup_unittest")
    return idle


@cache
def _has_sites() -> bool:
    from django.conf import settings

    return "django.contrib.sites" in settings.INSTALLED_APPS


@cache
def _is_django_s(case: type | None) -> bool:
    from django.test import SimpleTestCase

    return case is not None and issubclass(case, SimpleTestCase)
