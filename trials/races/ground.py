"""What a race stands on: people, twenty who begin together, and a look at what came of it."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from audit.domain.entry import outcome_id
from audit.models import AuditEvent
from core import container
from core.actions import AuditAction, Phase
from core.clock import SystemClock
from core.errors import ErrorCode
from core.ids import uuid7
from core.result import Failure, Success
from mail.models import OutgoingMail
from sessions_app import models as session_models
from sessions_app import wiring as sessions_wiring
from sessions_app.application.refreshing import RefreshSession
from sessions_app.application.signing_in import SignedIn, SignIn
from sessions_app.domain.tokens import TokenPair
from sessions_app.mapping import live_sessions
from tests.factories import PASSWORD, UserFactory, arranged
from trials.races.crew import PROCESSES, RUNNERS, Act, Crew, Raised
from users import models, wiring
from users.domain.tokens import Purpose

OLD: Final = "old:" + "o" * 32
NEW: Final = "new:" + "n" * 32
KEYS: Final = f"{OLD},{NEW}"
"""Known everywhere; the first one makes new tokens."""
ROTATED: Final = f"{NEW},{OLD}"
_LONGEST_DELAY: Final = 0.02
_NEVER: Final = frozenset({ErrorCode.DATABASE_UNAVAILABLE, ErrorCode.AUDIT_UNAVAILABLE})


class Broken(Exception):
    """A promise was; one sentence says what was seen."""


def expect(truth: bool, seen: str) -> None:
    if not truth:
        raise Broken(seen)


@dataclass(frozen=True)
class Heat:
    """What came of acts that were done at once, or nearly; each of them is on record."""

    results: Sequence[Any]
    events: Sequence[AuditEvent]

    @classmethod
    def of(cls, results: Sequence[Any], correlation: UUID) -> "Heat":
        heat = cls(results, list(AuditEvent.objects.filter(correlation=correlation)))
        heat.check_results()
        heat.check_records()
        return heat

    @property
    def successes(self) -> list[Any]:
        return [result.value for result in self.results if isinstance(result, Success)]

    @property
    def refusals(self) -> "Counter[ErrorCode]":
        return Counter(each.error.code for each in self.results if isinstance(each, Failure))

    @property
    def tokens(self) -> list[TokenPair]:
        """Whatever was handed out."""
        signed_in = [each.tokens for each in self.successes if isinstance(each, SignedIn)]
        return [each for each in self.successes if isinstance(each, TokenPair)] + signed_in

    def count(self, action: AuditAction, phase: Phase) -> int:
        return len(self.told(action, phase))

    def told(self, action: AuditAction, phase: Phase) -> list[dict[str, Any]]:
        """The context of these records."""
        found = [each for each in self.events if (each.action, each.phase) == (action, phase)]
        return [json.loads(bytes(each.entry))["ctx"] for each in found]

    def endings(self) -> "Counter[str]":
        """Of sessions that the house ended, by reason."""
        return Counter(each["reason"] for each in self.told(AuditAction.SESSION_ENDED, Phase.SOLE))

    def check_results(self) -> None:
        for result in self.results:
            if isinstance(result, Raised):
                raise Broken(f"an exception: {result.traceback.strip().splitlines()[-1]}")
        lost = [code for code in self.refusals if code in _NEVER]
        expect(not lost, f"somebody was told to try again: {', '.join(lost)}")

    def check_records(self) -> None:
        """Each act is an attempt, and its outcome is what its caller was told."""
        ids = {phase: {e.pk for e in self.events if e.phase == phase} for phase in Phase}
        attempts, outcomes = ids[Phase.ATTEMPTED], ids[Phase.SUCCEEDED] | ids[Phase.FAILED]
        told = (len(self.successes), sum(self.refusals.values()))
        recorded = (len(ids[Phase.SUCCEEDED]), len(ids[Phase.FAILED]))
        expect(len(attempts) == len(self.results), f"{len(attempts)} attempts are on record")
        expect(outcomes == set(map(outcome_id, attempts)), "an attempt has no outcome on record")
        expect(recorded == told, f"on record are {recorded} outcomes, but told were {told}")


@dataclass
class Round:
    """One of a race; what it makes is its own."""

    name: str
    number: int
    random: Random
    crew: Crew
    records: int = 0
    _people: int = field(default=0)

    def person(self, **over: Any) -> models.User:
        self._people += 1
        email = f"{self.name}.{self.number}.{self._people}@example.com"
        return UserFactory.create(email=email, **over)

    def at_once(self, acts: Sequence[Act], keys: Sequence[str] = (KEYS,) * PROCESSES) -> Heat:
        """In half of the rounds they come a little apart, and in any order."""
        order = self.random.sample(range(RUNNERS), RUNNERS)
        apart = self.number % 2 == 0
        sent = [self._late(acts[n]) if apart else acts[n] for n in order]
        correlation = uuid7()
        results = self.crew.at_once(sent, keys, correlation)
        heat = Heat.of([results[order.index(n)] for n in range(RUNNERS)], correlation)
        self.records += len(heat.events)
        return heat

    def pass_time(self, **time: float) -> None:
        self.crew.pass_time(timedelta(**time))

    def _late(self, act: Act) -> Act:
        return Act(act.door, act.command, self.random.uniform(0, _LONGEST_DELAY))


def do(door: Callable[[], Any], command: Any) -> Any:
    """In this process, where nobody is beside it; the value."""
    result = door().handle(command)
    if isinstance(result, Failure):
        raise Broken(f"{type(command).__name__}, alone, was refused: {result.error.code}")
    return result.value


def sign_in(user: models.User) -> SignedIn:
    signed_in: SignedIn = do(sessions_wiring.sign_in, login(user).command)
    return signed_in


def login(user: models.User, password: str = PASSWORD) -> Act:
    return Act(sessions_wiring.sign_in, SignIn(email=user.email, password=password))


def refresh(token: str) -> Act:
    return Act(sessions_wiring.refresh_session, RefreshSession(refresh_token=token))


def is_open(tokens: TokenPair) -> bool:
    return sessions_wiring.authenticator().authenticate(tokens.access_token).is_success


def session(session_id: UUID) -> session_models.DeviceSession:
    return session_models.DeviceSession.objects.get(pk=session_id)


def live(user: models.User) -> set[UUID]:
    rows = session_models.DeviceSession.objects.filter(live_sessions(now()), user=user)
    return set(rows.values_list("pk", flat=True))


def expect_all_over(tokens: Iterable[TokenPair], when: str) -> None:
    """No token opens a door, and none refreshes."""
    pairs = list(dict.fromkeys(tokens))
    still_open = sum(map(is_open, pairs))
    expect(not still_open, f"{still_open} access tokens opened doors {when}")
    refreshed = sum(
        each.door().handle(each.command).is_success
        for each in (refresh(pair.refresh_token) for pair in pairs)
    )
    expect(not refreshed, f"{refreshed} refresh tokens were refreshed {when}")


def mailed(kind: str, user: models.User) -> int:
    return OutgoingMail.objects.filter(kind=kind, recipient=user.email).count()


def link(purpose: Purpose, user: models.User) -> str:
    """The text that its mail would carry."""
    with arranged():
        tokens = wiring.one_use_tokens(container.get_database())
        return tokens.issue(purpose, user.pk, now()).text(wiring.token_keys())


def now() -> datetime:
    """By the clock of the crew."""
    return SystemClock().now()
