"""The checks of the trail on PostgreSQL: each finds what it is for, and nothing on a sound one."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import CheckMessage, Tags, run_checks
from django.db import connection

from audit import checks, grants
from core import container
from core.settings import Environment
from tests.factories import arranged
from tests.plugin.fixtures import JsonClient

ACCOUNTS = "users_user"


def execute(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values) or None)
        return cursor.fetchall() if cursor.description else []


def found(check: Callable[..., list[CheckMessage]]) -> list[CheckMessage]:
    return check(databases=["default"])


def partition(ahead: int) -> str:
    [(month,)] = execute(
        "SELECT to_char((now() AT TIME ZONE 'UTC') + %s * interval '1 month', 'YYYY_MM')", ahead
    )
    return f"audit_event_{month}"


def triggers() -> set[tuple[str, str]]:
    return set(
        execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgname LIKE 'audit%'"
        )
    )


class TestTriggers:
    """Uses fixtures: db (what a test does to the tables is rolled back)."""

    def test_on_a_sound_trail_nothing_is_found(self, db: None) -> None:
        assert run_checks(tags=[Tags.database], databases=["default"]) == []

    def test_every_trigger_of_the_trail_is_looked_for(self, db: None) -> None:
        """Each that is off is found, and named."""
        unseen = set()
        for table, trigger in triggers():
            execute(f"SAVEPOINT before; ALTER TABLE ONLY {table} DISABLE TRIGGER {trigger}")
            named = f"The trigger {trigger} of {table} is missing or off"
            if [named] != [each.msg.partition(":")[0] for each in found(CHECK)]:
                unseen.add((table, trigger))
            execute("ROLLBACK TO before")
        assert unseen == set()
        assert len(triggers()) > 30

    @pytest.mark.parametrize("way", ["ENABLE", "ENABLE REPLICA", "DISABLE"])
    @pytest.mark.parametrize(
        ("table", "trigger"),
        [
            ("audit_event", "audit_event_append_only"),
            ("audit_event", "audit_event_no_truncate"),
            ("audit_subject", "audit_subject_only_erase"),
            (ACCOUNTS, "users_user_protected_update"),
        ],
    )
    def test_one_that_is_not_always_on_is_an_error(
        self, db: None, table: str, trigger: str, way: str
    ) -> None:
        execute(f"ALTER TABLE ONLY {table} {way} TRIGGER {trigger}")
        [message] = found(CHECK)
        assert (message.id, message.is_serious()) == ("audit.E001", True)
        assert trigger in message.msg

    def test_one_of_a_partition_that_is_gone_is_an_error(self, db: None) -> None:
        """Made by somebody by hand, or mended badly."""
        name = partition(0)
        execute(f"DROP TRIGGER audit_event_no_truncate ON {name}")
        [message] = found(CHECK)
        assert (message.id, name in message.msg) == ("audit.E001", True)

    def test_a_partition_made_by_hand_is_an_error(self, db: None) -> None:
        execute(
            "CREATE TABLE audit_event_by_hand PARTITION OF audit_event"
            " FOR VALUES FROM ('ff000000-0000-0000-0000-000000000000')"
            " TO ('ff000000-0000-0000-0000-000000000001')"
        )
        assert {message.id for message in found(CHECK)} == {"audit.E001"}

    def test_one_of_somebody_else_is_an_error(self, db: None) -> None:
        execute(
            "CREATE TRIGGER swallow BEFORE INSERT ON audit_event FOR EACH ROW"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        )
        messages = found(checks.nobody_else_has_triggers)
        assert {message.id for message in messages} == {"audit.E009"}
        assert "audit_event: swallow" in messages[0].msg

    def test_the_hint_fits_the_trigger(self, db: None) -> None:
        """Migrating puts the ones back; the others nobody but an attacker switches off."""
        execute(f"ALTER TABLE {ACCOUNTS} DISABLE TRIGGER users_user_protected_update")
        execute("ALTER TABLE audit_tile DISABLE TRIGGER audit_tile_append_only")
        of_the_trail, of_accounts = found(CHECK)
        assert "manage.py migrate" in str(of_accounts.hint)
        assert "audit_verify" in str(of_the_trail.hint)


CHECK = checks.triggers_are_in_place


class TestPartitions:
    """Uses fixtures: db."""

    def test_those_of_this_month_and_the_next_are_enough(self, db: None) -> None:
        execute(f"DROP TABLE {partition(2)}, {partition(3)}")
        assert found(checks.partitions_are_ahead) == []

    @pytest.mark.parametrize(
        ("ahead", "check", "expected"),
        [
            (0, checks.there_is_a_partition, ("audit.E008", True)),
            (1, checks.partitions_are_ahead, ("audit.W002", False)),
        ],
    )
    def test_one_that_is_missing_is_told(
        self,
        db: None,
        ahead: int,
        check: Callable[..., list[CheckMessage]],
        expected: tuple[str, bool],
    ) -> None:
        name = partition(ahead)
        execute(f"DROP TABLE {name}")
        [message] = found(check)
        assert (message.id, message.is_serious()) == expected
        assert name.removeprefix("audit_event_") in message.msg
        assert "migrate" in str(message.hint)

    def test_before_the_first_migration_nothing_is_missing(self, db: None) -> None:
        execute("DROP TABLE audit_event, audit_frontier CASCADE")
        assert found(checks.partitions_are_ahead) == []
        assert found(checks.there_is_a_partition) == []
        assert found(checks.the_seal_is_not_late) == []
        assert found(CHECK) == []


class TestSeals:
    """Uses fixtures: db."""

    @pytest.mark.parametrize(("age", "expected"), [(59, []), (61, ["audit.W007"])])
    def test_one_that_is_late_is_told(self, db: None, age: int, expected: list[str]) -> None:
        with arranged():
            pass
        execute("SET session_replication_role = replica")
        for table in ("audit_event", partition(0), partition(-1)):
            execute(f"ALTER TABLE {table} DISABLE TRIGGER audit_event_append_only")
        execute(f"UPDATE audit_event SET recorded_at = clock_timestamp() - interval '{age} s'")
        assert [each.id for each in found(checks.the_seal_is_not_late)] == expected


@pytest.fixture
def application(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Two roles; from here on, this connection is the application's."""
    monkeypatch.setitem(settings.DATABASES, "owner", {"USER": "the-owner"})
    role = f"application_{secrets.token_hex(6)}"
    execute(f"CREATE ROLE {role}")
    grants.grant(connection, role)
    execute(f"SET ROLE {role}")
    yield role
    execute("RESET ROLE")


class TestRights:
    """Uses fixtures: application."""

    CHECK = staticmethod(checks.the_application_cannot_change_the_trail)

    def test_what_is_granted_is_fine(self, application: str) -> None:
        assert found(self.CHECK) == []

    @pytest.mark.parametrize(
        ("table", "right"),
        [
            ("audit_event", "UPDATE"),
            ("audit_event", "UPDATE (entry)"),
            ("audit_event", "DELETE"),
            ("audit_event", "TRUNCATE"),
            ("audit_event", "TRIGGER"),
            ("audit_event", "ALL"),
            ("the partition", "DELETE"),
            ("audit_tile", "UPDATE (data)"),
            ("audit_checkpoint", "DELETE"),
            ("audit_anchor", "TRUNCATE"),
            ("audit_cluster", "UPDATE"),
            ("audit_subject", "UPDATE"),
            ("audit_subject", "DELETE"),
            ("audit_frontier", "DELETE"),
            (ACCOUNTS, "TRUNCATE"),
            (ACCOUNTS, "TRIGGER"),
        ],
    )
    @pytest.mark.parametrize("whom", ["the role", "PUBLIC"])
    def test_more_than_that_is_an_error(
        self, application: str, table: str, right: str, whom: str
    ) -> None:
        table = partition(0) if table == "the partition" else table
        grantee = application if whom == "the role" else whom
        execute(f"RESET ROLE; GRANT {right} ON {table} TO {grantee}; SET ROLE {application}")
        [message] = found(self.CHECK)
        assert (message.id, message.is_serious()) == ("audit.E003", True)
        assert f"can change {table}: " in message.msg

    def test_an_application_that_may_become_the_owner_is_an_error(self, application: str) -> None:
        [(owner,)] = execute("SELECT relowner::regrole FROM pg_class WHERE relname = 'audit_event'")
        execute(f"RESET ROLE; GRANT {owner} TO {application}; SET ROLE {application}")
        named = {message.msg.split()[5].rstrip(":") for message in found(self.CHECK)}
        assert {"audit_event", "audit_subject", partition(0), ACCOUNTS} <= named

    def test_it_need_not_know_the_owner(
        self, application: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who only serves requests has no password of the owner's, which could be taken there."""
        monkeypatch.delitem(settings.DATABASES, "owner")
        assert found(self.CHECK) == []
        execute(f"RESET ROLE; GRANT DELETE ON audit_event TO {application}; SET ROLE {application}")
        assert [message.id for message in found(self.CHECK)] == ["audit.E003"]

    def test_an_owner_of_the_settings_who_owns_nothing_is_an_error(self, application: str) -> None:
        execute("RESET ROLE")
        assert {message.id for message in found(self.CHECK)} == {"audit.E003"}

    def test_with_one_role_nothing_is_asked(
        self, application: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        execute("RESET ROLE")
        monkeypatch.delitem(settings.DATABASES, "owner")
        assert found(self.CHECK) == []


class TestOneRole:
    """Uses fixtures: db, application, environment."""

    CHECK = staticmethod(checks.there_are_two_roles)

    def test_in_production_it_is_worth_a_warning(
        self, db: None, environment: Callable[[Environment], None]
    ) -> None:
        environment(Environment.PRODUCTION)
        [message] = found(self.CHECK)
        assert (message.id, message.is_serious()) == ("audit.W005", False)
        assert "DATABASE_OWNER_URL" in str(message.hint)

    @pytest.mark.parametrize("name", [Environment.DEVELOPMENT, Environment.TESTING, Environment.CI])
    def test_elsewhere_it_is_fine(
        self, db: None, environment: Callable[[Environment], None], name: Environment
    ) -> None:
        environment(name)
        assert found(self.CHECK) == []

    def test_two_are_fine(
        self, application: str, environment: Callable[[Environment], None]
    ) -> None:
        environment(Environment.PRODUCTION)
        assert found(self.CHECK) == []

    def test_two_are_fine_where_the_owner_is_not_known(
        self,
        application: str,
        environment: Callable[[Environment], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.delitem(settings.DATABASES, "owner")
        environment(Environment.PRODUCTION)
        assert found(self.CHECK) == []


@pytest.fixture
def environment(override: Callable[..., object]) -> Callable[[Environment], None]:
    def environment(name: Environment) -> None:
        override(get_settings=replace(container.get_settings(), environment=name))

    return environment


class TestDurability:
    """Uses fixtures: db."""

    def test_postgresql_needs_no_pragma(self, db: None) -> None:
        assert found(checks.what_is_committed_is_on_the_disk) == []


class TestReadiness:
    """Uses fixtures: client."""

    def test_a_missing_partition_does_not_take_the_service_away(self, client: JsonClient) -> None:
        execute(f"DROP TABLE {partition(1)}")
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")

    def test_a_trigger_that_is_off_does(self, client: JsonClient) -> None:
        execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_append_only")
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["checks"]["triggers"]) == (503, False)
