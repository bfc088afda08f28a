"""What pytest-django and others give to every test is set up for those that need it."""

import pytest

OF_ALL = {
    "_django_db_marker",
    "_django_set_urlconf",
    "_django_isolate_apps",
    "_template_string_if_invalid_marker",
    "_live_server_helper",
    "_django_clear_site_cache",
    "_django_setup_unittest",
}


def test_a_test_that_needs_none_is_given_none(request: pytest.FixtureRequest) -> None:
    assert OF_ALL.isdisjoint(request.fixturenames)
    assert "_dj_autoclear_mailbox" in request.fixturenames
    assert "monkeypatch" not in request.fixturenames


MARKED = pytest.param({"_django_set_urlconf"}, marks=pytest.mark.urls("config.urls"))


@pytest.mark.parametrize("expected", [MARKED, set()])
def test_a_marker_brings_its_own_to_those_that_carry_it(
    request: pytest.FixtureRequest, expected: set[str]
) -> None:
    assert OF_ALL.intersection(request.fixturenames) == expected


def test_what_a_test_asks_for_it_gets(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(monkeypatch, pytest.MonkeyPatch)
    assert {"request", "monkeypatch"} <= set(request.fixturenames)
