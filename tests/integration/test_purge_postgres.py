"""`manage.py purge` as an operator types it."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from core import container
from core.ids import uuid7
from mail.models import OutgoingMail
from sessions_app import models as sessions
from sessions_app.domain.personal_token import PersonalToken, Scope
from sessions_app.repositories import DjangoPersonalTokenRepository, DjangoSessionRepository
from tests.factories import NOON, UserFactory, arranged, make_session
from tests.fakes.clock import FakeClock
from tests.plugin.faults import Faults
from users import models as users
from users import wiring as users_wiring
from users.domain.tokens import Purpose

KINDS = (
    "sessions",
    "personal access tokens",
    "one-use tokens",
    "passes of devices",
    "counts of failures",
    "mails",
)
PURGES = ("sessions.purged", "user.tokens_purged")


def purge(*arguments: str) -> str:
    out = StringIO()
    call_command("purge", *arguments, stdout=out)
    return out.getvalue()


def counted(*arguments: str) -> dict[str, int]:
    lines: list[dict[str, Any]] = list(map(json.loads, purge("--json", *arguments).splitlines()))
    return {line["kind"]: line["rows"] for line in lines}


def rows() -> int:
    kept = (sessions.DeviceSession, sessions.PersonalToken, users.OneUseToken, users.DevicePass)
    return sum(model.objects.count() for model in (*kept, users.SignInGuard, OutgoingMail))


def personal_token(**over: Any) -> PersonalToken:
    values: dict[str, Any] = {
        "name": "backup",
        "scope": Scope.READ,
        "created_at": NOON,
        "expires_at": NOON,
        "key_id": "0",
        "salt": b"s" * 32,
        "version": 1,
    }
    return PersonalToken(**values | over)


@pytest.fixture
def long_after(db: None, frozen: FakeClock) -> FakeClock:
    """One of each kind was over at noon of long ago, and one session is not over yet."""
    user, database = UserFactory.create(), container.get_database()
    with arranged():
        DjangoSessionRepository(database).save(make_session(user_id=user.pk, revoked_at=NOON))
        DjangoPersonalTokenRepository(database).save(personal_token(user_id=user.pk))
        users_wiring.one_use_tokens(database).issue(Purpose.PASSWORD_RESET, user.pk, NOON)
        users.DevicePass.objects.create(
            id=uuid7(), user=user, salt=b"s", created_at=NOON, expires_at=NOON
        )
        users.SignInGuard.objects.create(key=b"k" * 32, failures=1, updated_at=NOON)
    OutgoingMail.objects.create(
        kind="users.verification", created_at=NOON, due_at=NOON, given_up_at=NOON
    )
    frozen.advance(timedelta(days=200))
    now = frozen.now()
    with arranged():
        DjangoSessionRepository(database).save(
            make_session(user_id=user.pk, created_at=now, last_seen_at=now)
        )
    return frozen


class TestPurge:
    """Uses fixtures: faults, long_after."""

    def test_a_dry_run_counts_each_kind_and_changes_nothing(self, long_after: FakeClock) -> None:
        before = rows()
        assert counted("--dry-run") == dict.fromkeys(KINDS, 1)
        assert (rows(), AuditEvent.objects.filter(action__in=PURGES).count()) == (before, 0)

    def test_what_is_over_goes_on_record_and_what_is_not_stays(self, long_after: FakeClock) -> None:
        assert counted() == dict.fromkeys(KINDS, 1)
        assert (rows(), sessions.DeviceSession.objects.count()) == (1, 1)
        assert set(AuditEvent.objects.values_list("action", flat=True)) >= set(PURGES)
        assert counted() == dict.fromkeys(KINDS, 0)

    def test_people_read_what_goes_and_by_which_rule(self, long_after: FakeClock) -> None:
        said = purge("--dry-run")
        assert said.startswith("It would remove:")
        assert "1  sessions                ended more than 90 days ago" in said
        assert max(map(len, said.splitlines())) <= 80
        assert purge().startswith("Removed:")

    def test_what_cannot_be_recorded_is_not_removed(
        self, long_after: FakeClock, faults: Faults
    ) -> None:
        before = rows()
        faults.fail("recorder", error=OSError("away"))
        with pytest.raises(CommandError, match="cannot do and record this now"):
            purge()
        faults.over()
        assert rows() == before
