"""A copy of the database that woke up in another PostgreSQL records nothing, and does nothing."""

from collections.abc import Callable
from io import StringIO
from weakref import WeakSet

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from structlog.testing import capture_logs

from audit.models import AuditEvent, AuditSubject
from audit.repositories import cluster
from audit.repositories.cluster import AnotherClusterError
from audit.repositories.subjects import DjangoSubjects
from audit.repositories.trail import DjangoTrail
from core import container
from core.errors import ErrorCode
from core.ids import uuid7
from tests.assertions import assert_failure, assert_success
from tests.factories import make_entry
from users import wiring
from users.application.registration import RegisterUser
from users.models import User

COMMAND = RegisterUser(email="copied@example.com", password="SecurePass123!")


@pytest.fixture
def moved(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest epoch began elsewhere, and this connection is a new one."""
    monkeypatch.setattr(cluster, "_known", WeakSet())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_cluster (epoch, system_identifier)"
            " SELECT 2, system_identifier + 1 FROM audit_cluster"
        )


class TestAnotherCluster:
    """Uses fixtures: moved."""

    def test_no_business_begins(self, moved: None) -> None:
        with capture_logs() as logs:
            refused = wiring.register_user().handle(COMMAND)
        assert_failure(refused, ErrorCode.AUDIT_UNAVAILABLE)
        assert not User.objects.filter(email="copied@example.com").exists()
        assert "audit_reconcile --new-cluster" in str(logs)

    def test_nothing_is_recorded(self, moved: None) -> None:
        events, subjects = AuditEvent.objects.count(), AuditSubject.objects.count()
        with capture_logs():
            wiring.register_user().handle(COMMAND)
        assert (AuditEvent.objects.count(), AuditSubject.objects.count()) == (events, subjects)

    @pytest.mark.parametrize(
        "write",
        [
            lambda keys: DjangoTrail("default", keys).append(make_entry()),
            lambda keys: DjangoSubjects("default", keys).named(f"user:{uuid7()}"),
        ],
        ids=["an entry", "a subject"],
    )
    def test_it_is_told_what_to_do(self, moved: None, write: Callable[..., object]) -> None:
        with pytest.raises(AnotherClusterError, match="--new-cluster"):
            write(container.get_settings().audit_keys)

    def test_it_is_asked_again_until_it_is_here(self, moved: None) -> None:
        for _ in range(2):
            with pytest.raises(AnotherClusterError):
                cluster.refuse_another(connection)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO audit_cluster (epoch, system_identifier)"
                " SELECT 3, system_identifier FROM pg_control_system()"
            )
        cluster.refuse_another(connection)
        assert connection.connection in cluster._known


class TestThisCluster:
    """Uses fixtures: db."""

    def test_business_goes_on(self, db: None) -> None:
        assert_success(wiring.register_user().handle(COMMAND))
        assert User.objects.filter(email="copied@example.com").exists()

    def test_it_is_asked_once_for_each_connection(
        self,
        db: None,
        monkeypatch: pytest.MonkeyPatch,
        django_assert_num_queries: Callable[..., object],
    ) -> None:
        monkeypatch.setattr(cluster, "_known", WeakSet())
        with django_assert_num_queries(1):  # type: ignore[attr-defined]
            cluster.refuse_another(connection)
            cluster.refuse_another(connection)
        assert connection.connection in cluster._known


class TestANewEpoch:
    """Uses fixtures: moved, db."""

    def test_it_lets_the_copy_write_again(self, moved: None) -> None:
        call_command("audit_reconcile", "--new-cluster", stdout=StringIO())
        entry = make_entry()
        DjangoTrail("default", container.get_settings().audit_keys).append(entry)
        with connection.cursor() as cursor:
            cursor.execute("SELECT epoch FROM audit_event WHERE id = %s", [entry.id])
            assert cursor.fetchone() == (3,)

    def test_none_begins_where_the_trail_is_at_home(self, db: None) -> None:
        with pytest.raises(CommandError, match="written in last"):
            call_command("audit_reconcile", "--new-cluster")
