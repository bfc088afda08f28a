"""Things to test with. Entities come bare; rows come inside `arranged()`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from factory.declarations import LazyFunction, SelfAttribute, Sequence
from factory.django import DjangoModelFactory

from audit.domain.entry import Entry, sole_id
from core import container
from core.actions import AuditAction, Phase
from core.ids import uuid7
from core.unit_of_work import UnitOfWork
from sessions_app.domain.session import DeviceSession
from tests.fakes.events import Sole
from users import models
from users.domain.user import User

PASSWORD = "correct horse battery staple"
NOON = datetime(2024, 1, 1, 12, 0, tzinfo=UTC)


@contextmanager
def arranged() -> Iterator[UnitOfWork]:
    """A unit of work in which a test puts rows in place: on record, like any other change."""
    with container.get_database().get_session() as unit:
        container.get_event_bus().publish(Sole(), session=unit)
        yield unit


def make_user(**over: Any) -> User:
    """A verified, active account."""
    values: dict[str, Any] = {
        "email": "test@example.com",
        "password_hash": "hashed_password",
        "is_verified": True,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return User(**values | over)


def make_session(**over: Any) -> DeviceSession:
    values: dict[str, Any] = {
        "user_id": uuid7(),
        "device": "Firefox on Linux",
        "created_at": NOON,
        "authenticated_at": NOON,
        "last_seen_at": NOON,
        "generation_began_at": NOON,
        "key_id": "1",
        "salt": b"s" * 32,
    }
    return DeviceSession(**values | over)


def make_entry(**over: Any) -> Entry:
    """Of something that was arranged, by somebody, about somebody else."""
    values: dict[str, Any] = {
        "id": sole_id(),
        "at": NOON,
        "action": AuditAction.TEST_ARRANGED,
        "phase": Phase.SOLE,
        "attempt": None,
        "actor": uuid7(),
        "subject": uuid7(),
        "resource_type": "user",
        "resource_id": uuid7(),
        "correlation": uuid7(),
        "ip_bi": b"12345678",
        "context": {"reason": "none"},
    }
    return Entry(**values | over)


class UserFactory(DjangoModelFactory[models.User]):
    """A verified account whose password is `PASSWORD`."""

    class Meta:
        model = models.User

    email = Sequence(lambda n: f"person{n}@example.com")
    password = LazyFunction(lambda: make_password(PASSWORD))
    is_verified = True
    created_at = LazyFunction(lambda: datetime.now(UTC))
    updated_at = SelfAttribute("created_at")

    @classmethod
    def _create(cls, model_class: type[models.User], *args: Any, **kwargs: Any) -> models.User:
        with arranged():
            user: models.User = super()._create(model_class, *args, **kwargs)
            return user
