"""What is told of a limit, and what is not."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core import container, context
from core.errors import ErrorCode
from core.events import EventMetadata
from core.limiter import Standing, local_limiter
from core.quotas import read_overrides
from core.throttling import Client, Verdict, judge
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus

USER = UUID(int=7)
DEVICE = UUID(int=77)
# RFC 9651 §3.1 and §4.2: a list of strings with integers as their parameters.
ITEM = r'"([\x20\x21\x23-\x5b\x5d-\x7e]+)"((?:;[a-z]+=\d{1,15})+)'
LIST = re.compile(rf"{ITEM}(?:, {ITEM})*")


def parsed(text: str) -> list[tuple[str, dict[str, int]]]:
    assert LIST.fullmatch(text), text
    return [
        (name, {key: int(value) for key, value in re.findall(r";([a-z]+)=(\d+)", parameters)})
        for name, parameters in re.findall(ITEM, text)
    ]


class Keys:
    """Lets everything pass, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def hit(self, quota: Any, *key: str) -> Standing:
        self.asked.append(key)
        return Standing(quota, passed=True, remaining=quota.amount - 1, resets_in=60)


@pytest.fixture
def limits(override: Callable[..., Any], frozen: FakeClock) -> Callable[[str], None]:
    def set_them(text: str) -> None:
        settings = replace(container.get_settings(), rate_limits=read_overrides(text))
        override(get_settings=settings, get_limiter=local_limiter())

    return set_them


@pytest.fixture
def keys(override: Callable[..., Any]) -> Keys:
    keys = Keys()
    override(get_limiter=keys)
    return keys


@pytest.fixture
def recorded(override: Callable[..., Any]) -> list[Any]:
    bus = StubEventBus()
    override(get_event_bus=bus)
    return bus.published_events


def client(
    account: object = None, user_id: UUID | None = None, device: UUID | None = None
) -> Client:
    return Client(lambda: account, lambda: device, user_id)


def ask(*names: str, ip: str = "192.0.2.1", **who: Any):
    with context.bound(EventMetadata(ip_address=ip)):
        return judge(names, client(**who))


class TestKeys:
    """Uses `keys`."""

    def test_a_source_is_counted_by_its_address(self, keys: Keys):
        ask("refresh", ip="2001:db8:1:2:3:4:5:6")
        assert keys.asked == [("refresh", "2001:db8:1:2::/64")]

    def test_a_user_is_counted_wherever_they_are(self, keys: Keys):
        ask("api", user_id=USER)
        assert keys.asked == [("api", str(USER))]

    def test_an_account_is_counted_by_what_hides_its_address(self, keys: Keys):
        ask("sign_in_account", account="ada@example.com")
        [(policy, key)] = keys.asked
        assert (policy, len(key), "ada" in key) == ("sign_in_account", 32, False)

    def test_one_address_is_one_account_however_it_is_written(self, keys: Keys):
        for account in ("ada@example.com", " ADA@Example.COM "):
            ask("sign_in_account", account=account)
        assert len(set(keys.asked)) == 1

    def test_a_known_device_counts_for_itself(self, keys: Keys):
        for device in (None, USER, DEVICE):
            ask("sign_in_account", account="ada@example.com", device=device)
        assert len(set(keys.asked)) == 3

    @pytest.mark.parametrize("account", [None, "", "no address", 7, ["ada@example.com"], {}])
    def test_what_is_no_address_is_no_account(self, keys: Keys, account: object):
        assert ask("sign_in_account", account=account).passed
        assert keys.asked == []

    def test_without_a_user_nobody_is_counted_as_one(self, keys: Keys):
        assert ask("api").passed
        assert keys.asked == []


class TestHeaders:
    """Uses `limits`."""

    @pytest.mark.conforms("Z11")
    def test_every_quota_is_told(self, limits: Callable[[str], None]):
        limits("sign_in=2/minute;9/hour")
        headers = ask("sign_in").headers
        assert parsed(headers["RateLimit-Policy"]) == [
            ("sign_in-60s", {"q": 2, "w": 60}),
            ("sign_in-3600s", {"q": 9, "w": 3600}),
        ]
        assert parsed(headers["RateLimit"]) == [
            ("sign_in-60s", {"r": 1, "t": 60}),
            ("sign_in-3600s", {"r": 8, "t": 3600}),
        ]

    @pytest.mark.conforms("Z12")
    def test_they_tell_no_key_and_nothing_of_an_account(self, limits: Callable[[str], None]):
        limits("sign_in=2/minute,sign_in_account=1/hour")
        told = str(ask("sign_in", "sign_in_account", account="ada@example.com").headers)
        assert [word for word in ("192.0.2", "ada", "account", "pk=") if word in told] == []

    @pytest.mark.conforms("Z12")
    def test_a_refusal_says_when_to_come_back_and_not_too_early(
        self, limits: Callable[[str], None], recorded: list[Any]
    ):
        limits("refresh=1/minute")
        ask("refresh")
        verdict = ask("refresh")
        assert parsed(verdict.headers["RateLimit"]) == [("refresh-60s", {"r": 0, "t": 60})]
        assert (verdict.passed, verdict.wait) == (False, 60)
        assert (verdict.error.code, verdict.error.retry_after) == (ErrorCode.RATE_LIMITED, 60)

    def test_what_the_first_policy_refuses_the_next_does_not_count(
        self, limits: Callable[[str], None], recorded: list[Any]
    ):
        limits("sign_in=1/minute,sign_in_account=2/hour")
        for _ in range(5):
            ask("sign_in", "sign_in_account", account="ada@example.com")
        elsewhere = ask("sign_in", "sign_in_account", account="ada@example.com", ip="192.0.2.2")
        assert elsewhere.passed

    def test_an_account_is_limited_from_all_sources_together(
        self, limits: Callable[[str], None], recorded: list[Any]
    ):
        limits("sign_in=9/minute,sign_in_account=2/hour")
        passed = [
            ask("sign_in", "sign_in_account", account="ada@example.com", ip=f"192.0.2.{n}").passed
            for n in range(4)
        ]
        assert passed == [True, True, False, False]


class TestRecord:
    """Uses `limits` and `recorded`."""

    def test_of_one_window_one_refusal_is_recorded(
        self, limits: Callable[[str], None], recorded: list[Any], frozen: FakeClock
    ):
        limits("refresh=1/minute")
        for _ in range(9):
            ask("refresh")
        [event] = recorded
        assert (event.policy, event.by, event.amount, event.seconds) == ("refresh", "source", 1, 60)

    def test_each_source_and_each_policy_has_a_record_of_its_own(
        self, limits: Callable[[str], None], recorded: list[Any]
    ):
        limits("refresh=1/minute,link=1/minute")
        for name in ("refresh", "link"):
            for ip in ("192.0.2.1", "192.0.2.2"):
                for _ in range(3):
                    ask(name, ip=ip)
        assert [event.policy for event in recorded] == ["refresh"] * 2 + ["link"] * 2

    def test_the_next_window_has_one_again(
        self, limits: Callable[[str], None], recorded: list[Any], frozen: FakeClock
    ):
        limits("refresh=1/minute")
        for _ in range(3):
            ask("refresh")
        frozen.advance(timedelta(seconds=60))
        for _ in range(3):
            ask("refresh")
        assert len(recorded) == 2

    def test_a_user_who_is_known_is_on_record(
        self, limits: Callable[[str], None], recorded: list[Any]
    ):
        limits("api=1/minute")
        for _ in range(2):
            ask("api", user_id=USER)
        assert [event.user_id for event in recorded] == [USER]


def test_a_verdict_that_passed_has_nothing_to_wait_for():
    assert Verdict(True, 0, {}).wait == 0
