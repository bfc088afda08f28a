"""Made-up lives on PostgreSQL: months of before have partitions, and the triggers are back."""

from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit import upkeep
from audit.models import AuditEvent
from core import container
from core.settings import Environment
from sessions_app.models import DeviceSession
from users.models import SignInGuard, User


@pytest.fixture
def seeded(db: None, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(upkeep, "seal_and_publish", lambda: None)  # other workers would wait
    output = StringIO()
    call_command("seed_demo", "--yes", "--size=400", "--users=12", stdout=output)
    return output.getvalue()


class TestSeeding:
    """Uses fixtures: seeded."""

    def test_the_rows_are_those_that_the_events_tell_of(self, seeded: str) -> None:
        assert "12 accounts" in seeded
        assert (User.objects.count(), SignInGuard.objects.count()) == (12, 1)
        registered = AuditEvent.objects.filter(action="user.registered", phase=2)
        assert registered.count() == 12
        ended = AuditEvent.objects.filter(action="session.ended")
        assert {event.resource_id for event in ended} <= {
            session.pk for session in DeviceSession.objects.exclude(revoked_at=None)
        }

    def test_the_trail_takes_no_older_id_afterwards(self, seeded: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'audit_event_accept'")
            assert {enabled for (enabled,) in cursor.fetchall()} == {"O"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--size=0",), "at least one"),
        (("--users=0",), "at least one"),
        (("--size=2001", "--users=2"), "say --users=3"),
    ],
    ids=["no event", "no account", "too many of each"],
)
def test_what_makes_no_sense_is_told(db: None, asked: tuple[str, ...], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("seed_demo", "--yes", *asked)
    assert not User.objects.exists()


def test_it_refuses_in_production(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    production = replace(container.get_settings(), environment=Environment.PRODUCTION)
    monkeypatch.setattr(container, "get_settings", lambda: production)
    with pytest.raises(CommandError, match="This is production"):
        call_command("seed_demo", "--yes")
    assert not User.objects.exists()
