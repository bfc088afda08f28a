"""What `manage.py doctor` finds."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError

from audit import wiring as audit_wiring
from audit.adapters.keys import CHECKPOINT, SIGNING_KEY, KeyFolder
from audit.domain.checkpoint import SigningKey
from audit.queries.events import DjangoSubjectDirectory
from audit.repositories.sealed import DjangoSealedLog
from core import container
from core.database import Database
from core.errors import CacheError, ErrorCode
from core.keys import KeyRing
from core.result import Failure
from core.settings import Environment
from mail.models import OutgoingMail
from tests.factories import PASSWORD, UserFactory, arranged
from tests.fakes.clock import FakeClock
from tests.plugin.fixtures import JsonClient
from tests.plugin.services import Services

Override: TypeAlias = Callable[..., Any]


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


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class DeadCache:
    def ping(self) -> Any:
        return Failure(CacheError(ErrorCode.CACHE_ERROR, "refused"))


class TestDoctor:
    """Uses fixtures: db, frozen, monkeypatch, override, services."""

    def test_each_area_has_a_line(self, db: None, services: Services) -> None:
        _, out = doctor()
        areas = ["database", "cache", "proxies", "migrations", "clocks", "token keys", "audit keys"]
        areas += ["signing key", "seal", "worker", "configuration", "security", "mail", "trail"]
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
        assert found("worker")["text"] == "Mails that have waited for more than ten minutes: 1."

    def test_a_cache_that_is_away_is_broken(self, db: None, override: Override) -> None:
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

    def test_on_a_terminal_no_line_is_wider_than_that(
        self, db: None, override: Override, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {"COLUMNS": "80", "TERM": "dumb"}.items():
            monkeypatch.setenv(name, value)
        override(get_cache=DeadCache())
        terminal = Terminal()
        with pytest.raises(SystemExit):
            call_command("doctor", stdout=terminal)
        out = terminal.getvalue()
        assert max(map(len, out.splitlines())) <= 80
        assert "Until then each process limits by itself." in " ".join(out.split())

    def test_before_the_migrations_nothing_is_asked_of_tables(
        self, db: None, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            "config.management.commands.doctor.migrations_are_applied", lambda: False
        )
        code, out = doctor()
        assert (code, "Run `manage.py migrate`." in out) == (1, True)
        assert "worker " not in out

    def test_clocks_that_are_apart_are_told(
        self, db: None, services: Services, frozen: FakeClock
    ) -> None:
        assert found("clocks")["verdict"] == "look"

    def test_in_production_somebody_should_name_the_proxies(
        self, db: None, services: Services, override: Override
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


class TestKeys:
    """Uses fixtures: db, override, tmp_path."""

    def test_it_is_said_whether_they_were_set(self, db: None, override: Override) -> None:
        assert found("token keys")["text"] == "derived from SECRET_KEY"
        ring = KeyRing("2", {"2": b"t" * 32, "1": b"o" * 32})
        override(get_settings=replace(container.get_settings(), token_keys=ring))
        assert found("token keys")["text"] == "2 is current; older: 1"

    def test_sessions_of_a_key_that_is_gone_are_told(
        self, client: JsonClient, override: Override
    ) -> None:
        UserFactory.create(email="ada@example.com")
        client.as_user("ada@example.com", PASSWORD)
        ring = KeyRing("2", {"2": b"t" * 32})
        override(get_settings=replace(container.get_settings(), token_keys=ring))
        finding = found("token keys")
        assert (finding["verdict"], finding["text"][-3:]) == ("broken", " 0.")
        assert "TOKEN_KEYS" in finding["fix"]

    def test_people_on_the_trail_of_a_key_that_is_gone_are_told(
        self, db: None, override: Override
    ) -> None:
        known = container.get_settings()
        older, newer = {"10": b"o" * 32}, {"1": b"n" * 32}
        people = DjangoSubjectDirectory(KeyRing("", {})).count_unreadable()
        override(get_settings=replace(known, audit_keys=KeyRing("10", older | newer)))
        audit_wiring.recorder("default").subjects.named("user:somebody")
        assert DjangoSubjectDirectory(KeyRing("1", newer)).count_unreadable() == people + 1
        rings = {**known.audit_keys.keys, **older}
        assert DjangoSubjectDirectory(KeyRing("10", rings)).count_unreadable() == 0
        override(get_settings=replace(known, audit_keys=KeyRing("1", newer)))
        finding = found("audit keys")
        assert finding["verdict"] == "broken"
        assert "AUDIT_KEYS" in finding["fix"]

    def test_the_first_seal_makes_the_signing_key(
        self, db: None, override: Override, tmp_path: Path
    ) -> None:
        folder = keys_in(tmp_path, override)
        assert found("signing key")["text"] == "the first seal makes it"
        folder.add(SigningKey.generate("dashtam.test/audit"))
        finding = found("signing key")
        assert finding["verdict"] == "well"
        assert re.fullmatch(r"dashtam\.test/audit\+[0-9a-f]{8}", finding["text"])

    def test_one_that_cannot_be_read_is_told(
        self, db: None, override: Override, tmp_path: Path
    ) -> None:
        keys_in(tmp_path, override).path.joinpath(SIGNING_KEY).write_text("not a key\n")
        assert found("signing key")["verdict"] == "look"

    def test_one_that_is_gone_is_told_once_there_are_seals(
        self, db: None, override: Override, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys_in(tmp_path, override)
        monkeypatch.setattr(DjangoSealedLog, "last_checkpoint", lambda self: "a note")
        finding = found("signing key")
        assert finding["verdict"] == "broken"
        assert "audit_keys" in finding["fix"]


class TestWorker:
    """Uses fixtures: db, monkeypatch, override, tmp_path."""

    def test_where_nothing_waits_it_is_well(self, db: None) -> None:
        assert found("worker") == {
            "area": "worker",
            "verdict": "well",
            "text": "nothing waits for it",
            "fix": "",
        }

    def test_a_seal_that_is_late_is_told_with_its_age_and_once(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with arranged():
            pass
        monkeypatch.setattr("config.upkeep.SEAL_LATE", -1)
        seal, worker = found("seal"), found("worker")
        assert (seal["verdict"], worker["verdict"]) == ("look", "look")
        assert "wait for their seal, the oldest" in seal["text"]
        assert "audit_seal" in seal["fix"]
        assert "Start `manage.py worker`" in worker["fix"]

    def test_a_checkpoint_that_cannot_be_read_is_told(
        self, db: None, override: Override, tmp_path: Path
    ) -> None:
        keys_in(tmp_path, override).path.joinpath(CHECKPOINT).write_text("nonsense")
        assert found("seal")["verdict"] == "broken"


def keys_in(folder: Path, override: Override) -> KeyFolder:
    override(get_settings=replace(container.get_settings(), audit_folder=str(folder)))
    return KeyFolder(folder)
