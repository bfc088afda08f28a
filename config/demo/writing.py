"""Lives into the tables, in one transaction: with what refuses entries of another day set aside
for as long, as only the owner of the tables can."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Final
from uuid import UUID

from django.db import connection

from audit.application.recording import Recorder
from audit.domain.entry import Entry, mac_of
from audit.domain.subject import Subject
from audit.repositories.trail import COLUMNS, as_stored
from config.demo.lives import Life, id_at
from core import container
from core.actions import Phase
from core.keys import KeyRing
from sessions_app import models as session_models
from sessions_app.domain.session import DeviceSession
from users import models as user_models
from users import wiring as users_wiring

_AT_ONCE: Final = 1000
_EVENTS: Final = f"{COLUMNS}, recorded_at"
_SUBJECTS: Final = "ref, name, key_wrapped"


@dataclass
class _Then:
    """The clock of what is recorded."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass
class _Collected:
    entries: list[Entry] = field(default_factory=list)

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)


@dataclass
class Pseudonyms:
    """Those that are there stay: a name has one."""

    keys: KeyRing
    known: dict[str, Subject] = field(default_factory=dict)
    new: list[tuple[UUID, str, bytes]] = field(default_factory=list)

    def named(self, *names: str) -> dict[str, Subject]:
        return {name: self.known.get(name) or self._make(name) for name in names}

    def _make(self, name: str) -> Subject:
        subject = self.known[name] = Subject.new()
        self.new.append((subject.ref, name, subject.wrapped(name, self.keys)))
        return subject


def write_people(lives: Sequence[Life]) -> None:
    users = [_user_row(life) for life in lives]
    sessions = [_session_row(session) for life in lives for session in life.sessions]
    user_models.User.objects.bulk_create(users, batch_size=_AT_ONCE)
    session_models.DeviceSession.objects.bulk_create(sessions, batch_size=_AT_ONCE)
    guard = users_wiring.sign_in_guard()
    for life in lives:
        if life.locked and life.locked.is_locked(life.now) and life.locked.locked_until:
            guard.lock(life.user.email, life.locked.locked_until, life.now, life.user.id)


def write_events(lives: Iterable[Life], pseudonyms: Pseudonyms) -> int:
    """How many. In the order in which they happened, of these lives."""
    happened = sorted(
        (happening for life in lives for happening in life.happened),
        key=lambda happening: happening.at,
    )
    random, trail = Random(), _Collected()  # noqa: S311  no secret
    for happening in happened:
        recorder = Recorder(trail, pseudonyms, _Then(happening.at))
        attempt = None
        for event in happening.events:
            recorded = recorder.record(
                event,
                event.phase,
                happening.source,
                attempt=attempt,
                made=id_at(happening.at, random),
            )
            attempt = recorded if event.phase is Phase.ATTEMPTED else attempt
    keys = container.get_settings().audit_keys
    _insert("audit_subject", _SUBJECTS, pseudonyms.new)
    pseudonyms.new.clear()
    _insert("audit_event", _EVENTS, (_row(entry, keys) for entry in trail.entries))
    return len(trail.entries)


def _row(entry: Entry, keys: KeyRing) -> tuple[Any, ...]:
    raw = entry.encoded()
    return (*entry.projection, raw, mac_of(raw, keys), entry.at)


def _insert(table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * (columns.count(",") + 1))
        statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608  our own names
        cursor.executemany(statement, [tuple(map(_for_sqlite, row)) for row in rows])


def _for_sqlite(value: object) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", timespec="milliseconds")
    return as_stored(value)


@contextmanager
def days_of_before_are_taken(first: datetime) -> Iterator[None]:
    """Entries from `first` on. Within a transaction, whose end puts everything back in any case."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT audit_make_partition(month) FROM generate_series("
                "date_trunc('month', %s::timestamptz), now(), interval '1 month') AS month",
                [first],
            )
            cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_accept")
            put_back = "ALTER TABLE audit_event ENABLE TRIGGER audit_event_accept"
        else:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'audit_event_in_time'")
            (put_back,) = cursor.fetchone()
            cursor.execute("DROP TRIGGER audit_event_in_time")
        yield
        cursor.execute(put_back)


def _user_row(life: Life) -> user_models.User:
    user = life.user
    return user_models.User(
        id=user.id,
        email=user.email,
        password=user.password_hash,
        is_verified=user.is_verified,
        is_active=user.is_active,
        role=user.role,
        session_tier=user.session_tier,
        max_sessions=user.max_sessions,
        token_version=user.token_version,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


def _session_row(session: DeviceSession) -> session_models.DeviceSession:
    values = asdict(session) | {
        "key_id": container.get_settings().token_keys.current,
        "salt": secrets.token_bytes(32),
    }
    del values["rotated_at"]
    return session_models.DeviceSession(**values)
