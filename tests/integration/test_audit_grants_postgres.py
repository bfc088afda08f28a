"""Two roles on PostgreSQL: what the application's own may do, and that it can do no more."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from psycopg import sql

from audit import grants
from audit.models import AuditEvent
from audit.repositories.trail import COLUMNS
from core.actions import Phase
from core.health import migrations_are_applied
from sessions_app import wiring as sessions
from sessions_app.application.signing_in import SignIn
from tests.assertions import assert_success
from tests.embedded import Done, manage_in
from tests.factories import PASSWORD, UserFactory
from tests.plugin.services import Services
from users import wiring
from users.application.registration import RegisterUser
from users.models import User


def execute(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values) or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def role(db: None) -> str:
    """A second role, with what the code grants it; rolled back with the test."""
    role = f"application-{secrets.token_hex(6)}"
    execute(f'CREATE ROLE "{role}"')
    grants.grant(connection, role)
    return role


@pytest.fixture
def application(role: str) -> Iterator[str]:
    """From here on, this connection is the application's."""
    execute(f'SET ROLE "{role}"')
    yield role
    execute("RESET ROLE")


class TestWhatTheApplicationCan:
    """Uses fixtures: application."""

    def test_somebody_registers(self, application: str) -> None:
        command = RegisterUser(email="granted@example.com", password="SecurePass123!")
        user_id = assert_success(wiring.register_user().handle(command))
        found = AuditEvent.objects.for_user(user_id).values_list("phase", flat=True)
        assert list(found) == [Phase.SUCCEEDED]

    def test_somebody_signs_in(self, application: str) -> None:
        UserFactory.create(email="granted@example.com")
        signed_in = sessions.sign_in().handle(
            SignIn(email="granted@example.com", password=PASSWORD)
        )
        assert assert_success(signed_in).user_id == User.objects.get().pk

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO audit_tile VALUES (0, 40, 1, '')",
            "INSERT INTO audit_checkpoint (size, root, note, first_id, last_id)"
            " VALUES (1000000007, '', '', gen_random_uuid(), gen_random_uuid())",
            "INSERT INTO audit_anchor (checkpoint_size, sink, receipt) VALUES (1, 'x', 'y')",
            "SELECT * FROM audit_frontier FOR UPDATE",
            "UPDATE audit_frontier SET size = size",
            "INSERT INTO audit_subject (ref, name, key_wrapped)"
            " VALUES (gen_random_uuid(), 'user:granted', '')",
            "UPDATE audit_subject SET name = NULL, key_wrapped = NULL, erased_at = now()"
            " WHERE erased_at IS NULL",
            "SELECT * FROM audit_cluster",
            "SELECT system_identifier FROM pg_control_system()",
            "SELECT pg_snapshot_xmin(pg_current_snapshot())",
            "SELECT * FROM django_migrations",
            "DELETE FROM django_session",
        ],
    )
    def test_what_the_service_needs_is_granted(self, application: str, statement: str) -> None:
        execute(statement)
        assert execute("SELECT current_user") == [(application,)]

    def test_its_health_tells_whether_migrations_are_applied(self, application: str) -> None:
        assert migrations_are_applied()

    def test_it_makes_partitions_and_records_in_them(self, application: str) -> None:
        assert execute("SELECT audit_make_partition('2041-05-17Z')") == [(True,)]
        [(owner,)] = execute(
            "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'audit_event_2041_05'"
        )
        assert owner != f'"{application}"'
        assert execute("SELECT count(*) FROM audit_event_2041_05") == [(0,)]


class TestWhatTheApplicationCannot:
    """Not refused by a trigger, which an owner could switch off. Uses fixtures: application."""

    @pytest.mark.conforms("L11")
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_event SET action = 'x'",
            "DELETE FROM audit_event",
            "TRUNCATE audit_event",
            "UPDATE {partition} SET action = 'x'",
            "DELETE FROM {partition}",
            "TRUNCATE {partition}",
            "INSERT INTO {partition} SELECT * FROM audit_event",
            "UPDATE audit_tile SET data = ''",
            "DELETE FROM audit_tile",
            "TRUNCATE audit_tile",
            "UPDATE audit_checkpoint SET note = ''",
            "DELETE FROM audit_checkpoint",
            "TRUNCATE audit_checkpoint",
            "UPDATE audit_anchor SET receipt = ''",
            "DELETE FROM audit_anchor",
            "TRUNCATE audit_anchor",
            "DELETE FROM audit_subject",
            "TRUNCATE audit_subject",
            "UPDATE audit_subject SET ref = gen_random_uuid()",
            "UPDATE audit_subject SET created_at = now()",
            "INSERT INTO audit_frontier SELECT * FROM audit_frontier",
            "DELETE FROM audit_frontier",
            "TRUNCATE audit_frontier",
            "INSERT INTO audit_cluster VALUES (9, 9)",
            "UPDATE audit_cluster SET system_identifier = 9",
            "DELETE FROM audit_cluster",
            "TRUNCATE audit_cluster",
            "TRUNCATE users_user CASCADE",
            "DELETE FROM django_migrations",
            "SELECT setval('audit_event_seq', 1)",
        ],
    )
    def test_it_changes_nothing_of_the_trail(self, application: str, statement: str) -> None:
        [(partition,)] = execute(
            "SELECT min(inhrelid::regclass::text) FROM pg_inherits"
            " WHERE inhparent = 'audit_event'::regclass"
        )
        assert_denied(statement.format(partition=partition))

    @pytest.mark.parametrize("column", ["epoch", "xid", "seq", "recorded_at"])
    def test_it_does_not_choose_the_order(self, application: str, column: str) -> None:
        columns = f"{COLUMNS}, {column}"
        assert_denied(f"INSERT INTO audit_event ({columns}) SELECT {columns} FROM audit_event")

    @pytest.mark.parametrize(
        "statement",
        [
            "ALTER TABLE audit_event DISABLE TRIGGER ALL",
            "ALTER TABLE audit_event DISABLE TRIGGER audit_event_append_only",
            "ALTER TABLE {partition} DISABLE TRIGGER audit_event_append_only",
            "ALTER TABLE users_user DISABLE TRIGGER users_user_protected_update",
            "DROP TRIGGER audit_event_append_only ON audit_event",
            "CREATE TRIGGER mine BEFORE INSERT ON audit_event FOR EACH ROW"
            " EXECUTE FUNCTION audit_accept()",
            "CREATE RULE mine AS ON INSERT TO audit_event DO INSTEAD NOTHING",
            "DROP TABLE {partition}",
            "DROP TABLE audit_event",
            "ALTER TABLE audit_event DETACH PARTITION {partition}",
            "ALTER TABLE audit_event ADD COLUMN mine int",
            "ALTER TABLE audit_event ALTER COLUMN epoch SET DEFAULT 9",
            "ALTER TABLE audit_event OWNER TO CURRENT_USER",
            "ALTER TABLE audit_event DROP CONSTRAINT audit_event_id_tells_phase",
            "ALTER FUNCTION audit_accept() RESET search_path",
            "DROP FUNCTION audit_refuse_change() CASCADE",
            "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger"
            " LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
            "CREATE TABLE mine ()",
            "SET session_replication_role = replica",
        ],
    )
    def test_it_switches_no_protection_off(self, application: str, statement: str) -> None:
        [(partition,)] = execute(
            "SELECT min(inhrelid::regclass::text) FROM pg_inherits"
            " WHERE inhparent = 'audit_event'::regclass"
        )
        assert_denied(statement.format(partition=partition))

    def test_it_grants_itself_nothing(self, application: str) -> None:
        execute("GRANT UPDATE ON audit_event TO CURRENT_USER")  # a warning, and no right
        assert execute("SELECT has_table_privilege('audit_event', 'UPDATE')") == [(False,)]


def assert_denied(statement: str) -> None:
    """For want of a right: by the database itself, not by a trigger."""
    with pytest.raises(ProgrammingError) as error, transaction.atomic():
        execute(statement)
    assert isinstance(error.value.__cause__, psycopg.errors.InsufficientPrivilege)


class TestGranting:
    """Uses fixtures: role."""

    def test_what_was_granted_before_is_taken_back(self, role: str) -> None:
        execute(f'GRANT ALL ON audit_event, users_user TO "{role}"')
        grants.grant(connection, role)
        found = execute(
            "SELECT table_name, privilege_type FROM information_schema.table_privileges"
            " WHERE grantee = %s AND table_name IN ('audit_event', 'users_user') ORDER BY 1, 2",
            role,
        )
        assert found == [
            ("audit_event", "SELECT"),
            *(("users_user", right) for right in ("DELETE", "INSERT", "SELECT", "UPDATE")),
        ]

    def test_a_partition_that_the_owner_makes_can_be_read(self, role: str) -> None:
        execute("SELECT audit_make_partition('2041-05-17Z')")
        rights = execute(
            "SELECT privilege_type FROM information_schema.table_privileges"
            " WHERE grantee = %s AND table_name = 'audit_event_2041_05'",
            role,
        )
        assert rights == [("SELECT",)]

    def test_with_one_role_nothing_is_granted(
        self, role: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        execute(f'REVOKE ALL ON audit_event FROM "{role}"')
        monkeypatch.setattr(grants, "application_role", lambda: None)
        grants.grant_after_migrating(None, using="default")
        assert execute("SELECT has_table_privilege(%s, 'audit_event', 'SELECT')", role) == [
            (False,)
        ]


class TestRoles:
    """Uses fixtures: owner (names one in the settings)."""

    def test_without_an_owner_there_is_one(self) -> None:
        assert grants.application_role() is None

    def test_an_owner_who_is_the_application_is_none(self, owner: Callable[[str], None]) -> None:
        owner(settings.DATABASES["default"]["USER"])
        assert grants.application_role() is None

    def test_with_an_owner_the_application_is_who_it_is(self, owner: Callable[[str], None]) -> None:
        owner("somebody-else")
        assert grants.application_role() == settings.DATABASES["default"]["USER"]


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch, services: Services) -> Callable[[str], None]:
    return lambda name: monkeypatch.setitem(settings.DATABASES, "owner", {"USER": name})


Installation = dict[str, str]


@pytest.fixture(scope="module")
def installed(services: Services) -> Iterator[Installation]:
    """A database of two roles, migrated by `manage.py migrate` as it stands in the documents."""
    token = secrets.token_hex(6)
    names = {part: f"{part}_{token}" for part in ("owner", "application", "database")}
    address = services.server_url.rpartition("@")[2].rpartition("/")[0]
    urls = {
        part: f"postgres://{names[part]}:secret@{address}/{names['database']}"
        for part in ("owner", "application")
    }
    quoted = {part: sql.Identifier(name) for part, name in names.items()}
    with psycopg.connect(services.server_url, autocommit=True) as server:
        for statement in (
            "CREATE ROLE {owner} LOGIN PASSWORD 'secret'",
            "CREATE ROLE {application} LOGIN PASSWORD 'secret'",
            "CREATE DATABASE {database} OWNER {owner}",
        ):
            server.execute(sql.SQL(statement).format(**quoted))
        try:
            migrated = manage(urls, "migrate", "-v0")
            assert migrated.returncode == 0, migrated.stderr
            yield urls
        finally:
            for statement in ("DROP DATABASE {database}", "DROP ROLE {application}, {owner}"):
                server.execute(sql.SQL(statement).format(**quoted))


def manage(urls: Installation, *command: str, typed: str = "") -> Done:
    addresses = {"DATABASE_URL": urls["application"], "DATABASE_OWNER_URL": urls["owner"]}
    return manage_in(addresses, *command, typed=typed)


@pytest.mark.slow(reason="migrates a database of its own, in processes of their own")
class TestInstallation:
    """Uses fixtures: installed."""

    def test_the_owner_owns_every_table(self, installed: Installation) -> None:
        with psycopg.connect(installed["application"]) as application:
            found = application.execute(
                "SELECT DISTINCT split_part(relowner::regrole::text, '_', 1) FROM pg_class"
                " WHERE relnamespace = 'public'::regnamespace"
            ).fetchall()
        assert found == [("owner",)]

    def test_the_checks_find_nothing(self, installed: Installation) -> None:
        done = manage(installed, "check", "--database", "default", "--fail-level", "WARNING")
        assert done.returncode == 0, done.stderr

    def test_commands_work_as_the_application(self, installed: Installation) -> None:
        done = manage(
            installed, "create_admin", "--email", "admin@example.com", typed="correct horse battery"
        )
        assert done.returncode == 0, done.stderr

    def test_migrating_again_is_fine(self, installed: Installation) -> None:
        done = manage(installed, "migrate", "-v0")
        assert done.returncode == 0, done.stderr

    def test_the_application_itself_cannot_migrate(self, installed: Installation) -> None:
        done = manage(installed, "migrate", "audit", "zero", "--database", "default")
        assert "must be owner" in done.stderr
