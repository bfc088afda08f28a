"""The checks of the trail on SQLite."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.db.utils import ConnectionHandler
from pytest_django.plugin import DjangoDbBlocker

from audit import checks
from core import container
from core.settings import Environment
from tests.migrating import migrate


@pytest.fixture
def databases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[ConnectionHandler]:
    """One with the trail, and connections to it that are more or less careful."""
    full, normal = ({"init_command": f"PRAGMA synchronous={how}"} for how in ("FULL", "NORMAL"))
    file = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "database.sqlite3"}
    handler = ConnectionHandler(
        {"default": file | {"OPTIONS": full}, "careless": file | {"OPTIONS": normal}}
    )
    monkeypatch.setattr(checks, "connections", handler)
    with django_db_blocker.unblock():
        migrate(handler["default"], [("audit", "0004_erase_on_record")])
        yield handler
        handler.close_all()


def execute(databases: ConnectionHandler, statement: str) -> list[str]:
    with databases["default"].cursor() as cursor:
        cursor.execute(statement)
        return [name for (name,) in cursor.fetchall()]


class TestTriggers:
    """Uses fixtures: databases."""

    def test_on_a_sound_trail_nothing_is_found(self, databases: ConnectionHandler) -> None:
        assert checks.triggers_are_in_place(databases=["default"]) == []

    def test_every_trigger_of_the_trail_is_looked_for(self, databases: ConnectionHandler) -> None:
        made = execute(databases, "SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for name in made:
            execute(databases, f"DROP TRIGGER {name}")
        missing = checks.triggers_are_in_place(databases=["default"])
        assert {message.msg.split()[2] for message in missing} == set(made)
        assert {message.id for message in missing} == {"audit.E001"}
        assert len(made) > 15

    def test_before_the_first_migration_none_is_missing(self, databases: ConnectionHandler) -> None:
        migrate(databases["default"], [("audit", None)])
        assert checks.triggers_are_in_place(databases=["default"]) == []


class TestDurability:
    """Uses fixtures: databases."""

    def test_full_is_fine(self, databases: ConnectionHandler) -> None:
        assert checks.what_is_committed_is_on_the_disk(databases=["default"]) == []

    def test_less_is_worth_a_warning(self, databases: ConnectionHandler) -> None:
        [message] = checks.what_is_committed_is_on_the_disk(databases=["careless"])
        assert (message.id, message.is_serious()) == ("audit.W004", False)
        assert "synchronous=FULL" in str(message.hint)


class TestOthers:
    """Uses fixtures: databases."""

    def test_there_are_no_partitions_to_make(self, databases: ConnectionHandler) -> None:
        assert checks.partitions_are_ahead(databases=["default"]) == []
        assert checks.there_is_a_partition(databases=["default"]) == []

    def test_there_are_no_roles(
        self, databases: ConnectionHandler, override: Callable[..., object]
    ) -> None:
        production = replace(container.get_settings(), environment=Environment.PRODUCTION)
        override(get_settings=production)
        assert checks.there_are_two_roles(databases=["default"]) == []
        assert checks.the_application_cannot_change_the_trail(databases=["default"]) == []
