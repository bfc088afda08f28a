"""Each dependency, each way to fail, while somebody registers, logs in or refreshes: what must come
of it stands in tests/faulting.py.

One test holds one dependency and one operation; what went wrong is told at the end, a line each.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.db.models import F

from audit import wiring as audit_wiring
from audit.models import AuditEvent
from core.actions import AuditAction, Phase
from core.ids import uuid7
from mail import wiring as mail_wiring
from mail.models import OutgoingMail
from sessions_app.models import DeviceSession
from tests.factories import PASSWORD, UserFactory
from tests.faulting import (
    DEPENDENCIES,
    KINDS,
    LOGIN,
    OPERATIONS,
    REFRESH,
    REGISTER,
    TABLE,
    Fault,
    Outcome,
)
from tests.plugin.faults import HOST, Faults
from tests.plugin.fixtures import JsonClient
from users import models
from users.domain.lockout import MAX_FAILURES

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

ACTIONS = {
    REGISTER: AuditAction.USER_REGISTERED,
    LOGIN: AuditAction.USER_LOGIN,
    REFRESH: AuditAction.SESSION_REFRESHED,
}
PATHS = {REGISTER: "/api/v1/users", LOGIN: "/api/v1/sessions", REFRESH: "/api/v1/tokens"}
FEWEST_STATEMENTS = 6
INNER_WORDS = ("Traceback", 'File "', "Error", "psycopg", "redis", HOST)


@dataclass
class Person:
    """Somebody who is about to do it, and what has come of it so far."""

    client: JsonClient
    operation: str
    email: str
    body: dict[str, str] = field(init=False)
    sessions: int = 0

    def __post_init__(self) -> None:
        credentials = {"email": self.email, "password": PASSWORD}
        self.body = credentials
        if self.operation == REGISTER:
            return
        UserFactory.create(email=self.email, max_sessions=9)
        tokens = self.client.post(PATHS[LOGIN], json=credentials).json()
        self.sessions = 1
        if self.operation == REFRESH:
            self.body = {"refresh_token": tokens["refresh_token"]}

    @property
    def secrets(self) -> set[str]:
        return {PASSWORD, *self.body.values()} - {self.email}

    def act(self) -> Any:
        # From another device than before, about which its owner is told by mail.
        return self.client.post(PATHS[self.operation], json=self.body, HTTP_USER_AGENT="curl/8")

    def is_done(self) -> bool:
        if self.operation == REGISTER:
            return models.User.objects.filter(email=self.email).exists()
        sessions = DeviceSession.objects.filter(user__email=self.email, revoked_at__isnull=True)
        if self.operation == LOGIN:
            return sessions.count() > self.sessions
        return sessions.get().generation == 2

    def orders(self) -> int:
        """Of mails, and mails that have left."""
        return OutgoingMail.objects.filter(recipient=self.email).count() + self.letters()

    def refused_mails(self) -> int:
        """Which the worker has tried to send."""
        return OutgoingMail.objects.filter(recipient=self.email).exclude(last_error="").count()

    def letters(self) -> int:
        return sum(self.email in letter.to for letter in mail.outbox)


@dataclass
class Matrix:
    client: JsonClient
    faults: Faults
    capfd: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture
    wrong: list[str] = field(default_factory=list)

    def hold(self, dependency: str, kind: str, operation: str) -> None:
        fault = TABLE[dependency, kind]
        person = Person(self.client, operation, f"{operation}.{kind[0]}@example.com")
        cell = f"{dependency}, {kind}, {operation}"
        seen = [*self._during(dependency, fault, person), *self._afterwards(fault, person)]
        self.wrong += [f"{cell}: {what}" for what in seen]

    def cut(self, operation: str, nth: int) -> bool:
        """Whether there was an nth statement."""
        person = Person(self.client, operation, f"{operation}.{nth}@example.com")
        mark = uuid7()
        self.faults.at("database", nth, self.faults.cut_connection)
        answer = person.act()
        was_cut = self.faults.asked["database"] >= nth
        self.faults.over()
        phases = _phases(mark, person)
        seen = (answer.status_code, person.is_done(), person.orders(), phases)
        expected = [Phase.ATTEMPTED, Phase.FAILED] if phases else []
        if was_cut and seen != (503, False, 0, expected):
            self.wrong.append(f"{operation}, cut before statement {nth}: {seen}")
        if person.act().status_code != 201:
            self.wrong.append(f"{operation}, after a cut before statement {nth}: not again")
        return was_cut

    def _during(self, dependency: str, fault: Fault, person: Person) -> Iterator[str]:
        mark, expected = uuid7(), fault.outcomes[person.operation]
        fault.arrange(self.faults)
        answer = person.act()
        # The worker has the same settings, and meets the same mail server.
        sent = mail_wiring.postman().deliver() if dependency in ("mailer", "secrets") else 0
        missed, asked = self.faults.missed, self.faults.asked
        self.faults.over()
        if bool(missed) != fault.asks_nothing:
            yield f"calls were {asked}: what is to fail was not asked, or not in vain"
        if dependency == "mailer" and (sent or person.orders() != person.refused_mails()):
            yield "the mail server was not asked, or took the mail"
        yield from _wrong_answer(answer, expected, person)
        if person.is_done() != expected.kept:
            yield f"it is {'' if person.is_done() else 'not '}done"
        if (phases := _phases(mark, person)) != list(expected.phases):
            yield f"on the trail are {phases}"
        if phases == [Phase.ATTEMPTED]:
            audit_wiring.sweeper().sweep(timedelta())
            if _phases(mark, person) != [Phase.ATTEMPTED, Phase.ABANDONED]:
                yield "the worker does not close the attempt"
        yield from self._wrong_log(dependency, fault, answer, person)

    def _afterwards(self, fault: Fault, person: Person) -> Iterator[str]:
        ordered, orders = fault.outcomes[person.operation].kept, person.orders()
        has_mail = person.operation != REFRESH
        if orders != (ordered and has_mail):
            yield f"{orders} mails are ordered"
        again = person.act()
        if again.status_code != 201 or not person.is_done():
            yield f"when it was over, the same request got {again.status_code}: {again.content!r}"
        OutgoingMail.objects.update(due_at=F("created_at"))
        mail_wiring.postman().deliver()
        if bool(person.letters()) != has_mail:
            yield f"{person.letters()} mails have left in the end"

    def _wrong_log(
        self, dependency: str, fault: Fault, answer: Any, person: Person
    ) -> Iterator[str]:
        logged = "".join(self.capfd.readouterr()) + self.caplog.text
        is_due = answer.status_code >= 500 and dependency != "logger"
        if is_due and answer.headers["X-Trace-Id"] not in logged:
            yield "the log does not say what failed"
        is_counting = "limits_counted_per_process" in self.caplog.text
        if is_counting != (dependency == "cache" or "cache" in fault.how):
            yield f"{'' if is_counting else 'nothing '}is said about a cache that is away"
        self.caplog.clear()
        for secret in person.secrets:
            if secret in logged:
                yield f"the log holds {secret}"


def _wrong_answer(answer: Any, expected: Outcome, person: Person) -> Iterator[str]:
    text = answer.content.decode()
    if answer.status_code != expected.status:
        yield f"{answer.status_code} {text[:300]}"
        return
    if expected.code is None:
        return
    problem = answer.json()
    if (problem["code"], problem["trace_id"]) != (expected.code, answer.headers["X-Trace-Id"]):
        yield f"the problem is {problem}"
    for words in (*INNER_WORDS, *person.secrets):
        if words in text:
            yield f"the answer holds {words}"


def _phases(mark: UUID, person: Person) -> list[Phase]:
    since = AuditEvent.objects.filter(action=ACTIONS[person.operation], pk__gt=mark)
    return sorted(Phase(phase) for phase in since.values_list("phase", flat=True))


@pytest.fixture
def matrix(
    client: JsonClient,
    faults: Faults,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Matrix]:
    client.raise_request_exception = False
    with caplog.at_level(logging.WARNING):
        yield Matrix(client, faults, capfd, caplog)


@pytest.mark.conforms("L14", "Z6")
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_what_is_away_has_the_outcome_that_is_stated(
    matrix: Matrix, dependency: str, operation: str
) -> None:
    for kind in KINDS:
        matrix.hold(dependency, kind, operation)
    assert "\n".join(matrix.wrong) == ""


@pytest.mark.conforms("L14", "Z6")
@pytest.mark.slow(reason="as many requests as each has statements, twice")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_connection_that_is_cut_before_any_statement_leaves_nothing_half_done(
    matrix: Matrix, operation: str
) -> None:
    cuts = 0
    while matrix.cut(operation, nth=cuts + 1):
        cuts += 1
    assert "\n".join(matrix.wrong) == ""
    assert cuts > FEWEST_STATEMENTS


@pytest.mark.conforms("L14")
def test_wrong_passwords_are_counted_and_lock_while_the_cache_is_away(
    client: JsonClient, faults: Faults
) -> None:
    UserFactory.create(email="ada@example.com")
    faults.cache_at(faults.nobody())
    for password in [*["a wrong one"] * MAX_FAILURES, PASSWORD]:
        body = {"email": "ada@example.com", "password": password}
        assert client.post(PATHS[LOGIN], json=body).status_code == 401
    assert models.SignInGuard.objects.get().failures == MAX_FAILURES
