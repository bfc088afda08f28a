"""Whether an address has an account, and in which state, is told by no text, status or time.

Two measures of time: the SQL statements of each kind of answer are as many; and of two kinds, with
the hash of an installation's defaults, neither is the slower one more often than by chance. That is
the area under the ROC curve: the probability that a request of the one kind takes longer than one
of the other, 0.5 where nothing can be told. With SAMPLES of each kind chance alone moves it by
0.084 (one standard deviation); what is refused here is 0.3, more than three of them, and then
six times as many decide.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import container
from tests.factories import PASSWORD, UserFactory, arranged
from tests.plugin.fixtures import JsonClient
from users import adapters
from users.repositories.sign_in import DjangoSignInGuard

SAMPLES = 24
NOTICEABLE = 0.3
ANOTHER = "another horse, another battery"
Bodies = Callable[[], dict[str, str]]


def account(client: JsonClient, **state: Any) -> str:
    """One that the trail has met before."""
    email: str = UserFactory.create(password=HASHES["password"], **state).email
    client.post("/api/v1/email-verification-tokens", json={"email": email})
    return email


HASHES: dict[str, str] = {}
ADDRESSES = (f"nobody{n}@example.com" for n in range(100_000))


def locked(client: JsonClient) -> str:
    email = account(client)
    guard = DjangoSignInGuard(container.get_database(), container.get_settings().guard_key)
    with arranged():
        for _ in range(5):
            guard.record_failure(email, datetime.now(UTC))
    return email


def sign_ins(client: JsonClient) -> Mapping[str, Bodies]:
    def body(email: str, password: str = PASSWORD) -> dict[str, str]:
        return {"email": email, "password": password}

    return {
        "unknown": lambda: body(next(ADDRESSES)),
        "wrong": lambda: body(account(client), "wrong"),
        "inactive": lambda: body(account(client, is_active=False)),
        "unverified": lambda: body(account(client, is_verified=False)),
        "locked": lambda: body(locked(client)),
    }


def registrations(client: JsonClient) -> Mapping[str, Bodies]:
    return {
        "fresh": lambda: {"email": next(ADDRESSES), "password": ANOTHER},
        "taken": lambda: {"email": account(client), "password": ANOTHER},
        "taken and not verified": lambda: {
            "email": account(client, is_verified=False),
            "password": ANOTHER,
        },
    }


def resets(client: JsonClient) -> Mapping[str, Bodies]:
    return {
        "unknown": lambda: {"email": next(ADDRESSES)},
        "known": lambda: {"email": account(client)},
        "inactive": lambda: {"email": account(client, is_active=False)},
    }


DOORS = {"sessions": sign_ins, "users": registrations, "password-reset-tokens": resets}


@pytest.fixture
def stranger(transactional_db: None, services: object) -> Iterator[JsonClient]:
    container.get_cache().flush()
    HASHES["password"] = make_password(PASSWORD)
    adapters._decoy.cache_clear()  # of other parameters
    client = JsonClient()
    client.post("/api/v1/password-reset-tokens", json={"email": "first@example.com"})
    yield client
    adapters._decoy.cache_clear()


def shape(answer: Any) -> tuple[int, str]:
    """What differs in two answers to the same request is left out."""
    own = r"[0-9a-f-]{32,36}|[0-9]{4}-[0-9T:.+Z-]+|[a-z0-9]+@example.com"
    text = re.sub(own, "…", answer.content.decode())
    return answer.status_code, text


class TestTextAndStatements:
    """Uses fixtures: stranger."""

    @pytest.mark.conforms("A14")
    @pytest.mark.parametrize("door", DOORS)
    def test_kinds_of_answers_are_one_answer(self, stranger: JsonClient, door: str) -> None:
        kinds = DOORS[door](stranger)
        answers = {shape(stranger.post(f"/api/v1/{door}", json=make())) for make in kinds.values()}
        assert len(answers) == 1

    @pytest.mark.conforms("A14")
    @pytest.mark.parametrize("door", ["sessions", "password-reset-tokens"])
    def test_they_cost_as_many_statements(self, stranger: JsonClient, door: str) -> None:
        costs = {}
        for kind, make in DOORS[door](stranger).items():
            body = make()
            with CaptureQueriesContext(connection) as queries:
                stranger.post(f"/api/v1/{door}", json=body)
            costs[kind] = len(queries)
        assert len(set(costs.values())) == 1, costs


@pytest.mark.slow(reason="some hundred hashes as strong as those of an installation")
class TestTime:
    """Uses fixtures: override, stranger."""

    @pytest.mark.conforms("A14")
    @pytest.mark.parametrize("door", DOORS)
    def test_no_kind_is_told_by_the_clock(
        self, stranger: JsonClient, override: Callable[..., Any], door: str
    ) -> None:
        known = container.get_settings()
        override(get_settings=replace(known, argon2_memory_kib=19456, argon2_time_cost=2))
        HASHES["password"] = make_password(PASSWORD)
        kinds = DOORS[door](stranger)
        taken: dict[str, list[float]] = defaultdict(list)
        noticed: dict[str, float] = {}
        for samples in (SAMPLES, 6 * SAMPLES):  # where few seem to tell something, more decide
            for _ in range(samples):
                for kind in random.sample(sorted(kinds), len(kinds)):
                    body = kinds[kind]()
                    begun = perf_counter()
                    stranger.post(f"/api/v1/{door}", json=body)
                    taken[kind].append(perf_counter() - begun)
            first, *others = taken
            told = {kind: auc(taken[first], taken[kind]) for kind in others}
            noticed = {kind: each for kind, each in told.items() if abs(each - 0.5) >= NOTICEABLE}
            if not noticed:
                break
        assert noticed == {}


def auc(some: list[float], others: list[float]) -> float:
    longer = sum(one < other for one in some for other in others)
    return longer / (len(some) * len(others))


def test_a_missing_hash_would_be_told() -> None:
    with_hash = [0.025 + n / 10_000 for n in range(SAMPLES)]
    without = [0.002 + n / 10_000 for n in range(SAMPLES)]
    assert auc(without, with_hash) - 0.5 > NOTICEABLE
