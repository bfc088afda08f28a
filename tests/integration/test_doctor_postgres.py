"""What `manage.py doctor` finds."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError

from core import container
from core.database import Database
from core.errors import CacheError, ErrorCode
from core.result import Failure
from core.settings import Environment
from mail.models import OutgoingMail
from tests.fakes.clock import FakeClock
from tests.plugin.services import Services


def doctor(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as exit_:
        return int(str(exit_.code)), out.getvalue()
    return 0, out.getvalue()


def found(area: str) -> dict[str, str]:
    _, out = doctor("--json")
    lines: list[dict[str, str]] = [json.loads(line) for line in out.splitlines()]
    (finding,) = [line for line in lines if line["area"] == area]
    return finding


class DeadCache:
    def ping(self) -> Any:
        return Failure(CacheError(ErrorCode.CACHE_ERROR, "refused"))


class TestDoctor:
    """Uses fixtures: db, frozen, monkeypatch, override, services."""

    def test_each_area_has_a_line(self, db: None, services: Services) -> None:
        _, out = doctor()
        areas = ["database", "cache", "proxies", "migrations", "clocks", "configuration", "mail"]
        assert [area for area in areas if area not in out] == []
        assert "well   database" in out

    def test_mail_that_waits_is_told_with_what_to_do(self, db: None, services: Services) -> None:
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        OutgoingMail.objects.create(
            kind="users.verification",
            recipient="a@example.com",
            created_at=long_ago,
            due_at=long_ago,
        )
        finding = found("mail")
        assert finding["verdict"] == "look"
        assert "waited" in finding["text"]
        assert "worker" in finding["fix"]
        assert doctor()[0] in (1, 2)

    def test_a_cache_that_is_away_is_broken(self, db: None, override: Callable[..., Any]) -> None:
        override(get_cache=DeadCache())
        code, _ = doctor()
        assert code == 1
        finding = found("cache")
        assert (finding["verdict"], finding["text"]) == ("broken", "refused")
        assert "REDIS_URL" in finding["fix"]

    def test_a_database_that_is_away_ends_nothing_but_its_own_questions(
        self, db: None, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(_: Database) -> None:
            raise OperationalError("connection refused\nIs the server running?")

        monkeypatch.setattr(Database, "ping", away)
        code, out = doctor()
        assert code == 1
        assert "connection refused" in out
        assert "configuration" in out
        assert "migrations" not in out

    def test_clocks_that_are_apart_are_told(
        self, db: None, services: Services, frozen: FakeClock
    ) -> None:
        assert found("clocks")["verdict"] == "look"

    def test_in_production_somebody_should_name_the_proxies(
        self, db: None, services: Services, override: Callable[..., Any]
    ) -> None:
        known = container.get_settings()
        override(get_settings=replace(known, environment=Environment.PRODUCTION))
        assert found("proxies")["verdict"] == "look"

    def test_a_check_that_fails_is_a_line(
        self, db: None, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(settings.DATABASES["default"], "ATOMIC_REQUESTS", True)
        _, out = doctor()
        assert "broken configuration" in out
        assert "ATOMIC_REQUESTS" in out
