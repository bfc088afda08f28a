"""No protected row changes without an event of its own in the same commit."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from audit.checks import triggers_are_in_place
from audit.domain.entry import sole_id
from audit.models import AuditEvent
from audit.protection import install_triggers, remove_triggers
from core import container
from core.actions import Phase
from core.protection import protected
from sessions_app.models import DeviceSession
from tests.factories import UserFactory, arranged
from users.domain.events import UserRegistrationAttempted
from users.models import OneUseToken, User


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


CHANGES: dict[str, Callable[[], object]] = {
    "insert": lambda: User.objects.create(
        email="new@example.com", created_at="2024-01-01T00:00Z", updated_at="2024-01-01T00:00Z"
    ),
    "update": lambda: User.objects.update(password="stolen"),
    "save": lambda: User.objects.get().save(update_fields=["is_active", "role"]),
    "bulk update": lambda: User.objects.bulk_update([changed()], ["role"]),
    "delete": lambda: User.objects.all().delete(),
    "raw SQL": lambda: execute("UPDATE users_user SET is_verified = false"),
    "replication role": lambda: execute(
        "SET LOCAL session_replication_role = replica; DELETE FROM users_user"
    ),
}


def changed() -> User:
    user = User.objects.get()
    user.role = "auditor"
    return user


@pytest.fixture
def account(transactional_db: None) -> User:
    return UserFactory.create()


class TestProtection:
    """Uses fixtures: account (a committed one)."""

    @pytest.mark.parametrize("door", sorted(CHANGES.keys() - {"save"}))
    def test_no_door_changes_an_account_without_an_event(self, account: User, door: str) -> None:
        with pytest.raises(IntegrityError, match="without an event"), transaction.atomic():
            CHANGES[door]()
        fields = ("email", "password", "role", "is_verified")
        assert list(User.objects.values(*fields)) == [{f: getattr(account, f) for f in fields}]

    def test_saving_what_did_not_change_needs_no_event(self, account: User) -> None:
        CHANGES["save"]()
        assert User.objects.get().role == account.role

    def test_an_event_in_the_same_transaction_lets_the_change_pass(self, account: User) -> None:
        with arranged():
            User.objects.update(role="auditor")
        assert User.objects.get().role == "auditor"

    def test_the_event_of_an_earlier_transaction_does_not_count(self, account: User) -> None:
        with arranged():
            pass
        with pytest.raises(IntegrityError, match="without an event"):
            User.objects.update(role="auditor")

    def test_an_attempt_alone_does_not_count(self, account: User) -> None:
        def attempt_and_write() -> None:
            with container.get_database().get_session() as unit:
                container.get_event_bus().publish(UserRegistrationAttempted(email="a@b.example"))
                unit.write()
                User.objects.update(role="auditor")
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

        with pytest.raises(IntegrityError, match="without an event"):
            attempt_and_write()

    def test_a_forged_marker_does_not_count(self, account: User) -> None:
        old = AuditEvent.objects.filter(phase=Phase.SOLE).latest("id")
        with pytest.raises(IntegrityError, match="without an event"):
            change_role_after(f"SELECT set_config('dashtam.event', '{old.id}', true)")

    def test_an_event_that_was_rolled_back_does_not_count(self, account: User) -> None:
        """As a handler would that swallowed an error between two savepoints."""
        event = sole_id()
        insert = (
            "INSERT INTO audit_event (id, phase, action, correlation, entry, mac)"
            f" VALUES ('{event}', 5, 'x', gen_random_uuid(), '{{}}',"
            " decode(repeat('00', 32), 'hex'))"
        )
        mark = f"SELECT set_config('dashtam.event', '{event}', true)"
        with pytest.raises(IntegrityError, match="without an event"):
            change_role_after("SAVEPOINT one", insert, "ROLLBACK TO SAVEPOINT one", mark)

    @pytest.mark.parametrize("model", [User, OneUseToken, DeviceSession])
    def test_every_table_that_matters_is_protected(
        self, account: User, model: type[User | OneUseToken | DeviceSession]
    ) -> None:
        table = model._meta.db_table
        assert table in protected
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass"
                " AND tgname LIKE %s ORDER BY tgname",
                [table, "%protected%"],
            )
            assert cursor.fetchall() == [
                (f"{table}_protected_{moment}", "A") for moment in ("delete", "insert", "update")
            ]

    def test_a_temporary_table_does_not_stand_in_for_the_trail(self, account: User) -> None:
        forged = "00000000-0000-7000-8000-000000000002"
        with pytest.raises(IntegrityError, match="without an event"):
            change_role_after(
                "CREATE TEMP TABLE audit_event ON COMMIT DROP AS"
                f" SELECT '{forged}'::uuid AS id, pg_current_xact_id() AS xid, 5 AS phase,"
                " 1 AS epoch",
                f"SELECT set_config('dashtam.event', '{forged}', true)",
            )

    def test_a_missing_trigger_is_found(self, account: User) -> None:
        execute("ALTER TABLE users_user DISABLE TRIGGER users_user_protected_update")
        try:
            (found,) = triggers_are_in_place(databases=["default"])
        finally:
            execute("ALTER TABLE users_user ENABLE ALWAYS TRIGGER users_user_protected_update")
        assert (found.id, "users_user_protected_update" in found.msg) == ("audit.E001", True)

    def test_a_migration_may_alter_a_protected_column(self, account: User) -> None:
        """PostgreSQL refuses it while a trigger names the column."""
        remove_triggers(None, using="default")
        execute("ALTER TABLE users_user ALTER COLUMN email TYPE varchar(254)")
        install_triggers(None, using="default")
        assert triggers_are_in_place(databases=["default"]) == []


@transaction.atomic
def change_role_after(*statements: str) -> None:
    for statement in statements:
        execute(statement)
    User.objects.update(role="auditor")
