import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core.mail import EmailMessage, EmailMultiAlternatives
from redis.backoff import NoBackoff
from redis.retry import Retry

from core import container
from core.cache import LocalCache, RedisCache
from core.errors import ErrorCode
from mail import wiring as mail_wiring
from tests.assertions import assert_failure, assert_success
from tests.contracts.helpers import CooldownContract
from tests.factories import UserFactory
from tests.fakes.clock import FakeClock
from tests.mailing import delivered
from users import models, wiring
from users.adapters import CacheCooldown, OutboxMailer
from users.application.links import RequestLink
from users.application.registration import RegisterUser, VerifyEmail
from users.domain.events import UserRegistrationAttempted, UserRegistrationSucceeded
from users.domain.tokens import Purpose
from users.ports import Cooldown, Mailer

EMAIL = "test@example.com"
PASSWORD = "SecurePass123!"
COMMAND = RegisterUser(email=EMAIL, password=PASSWORD)
Override = Callable[..., AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def cache(clock: FakeClock, override: Override) -> LocalCache:
    cache = LocalCache(clock)
    override(get_cache=cache)
    return cache


def mailer() -> Mailer:
    return OutboxMailer(mail_wiring.outbox())


def succeed() -> None:
    container.get_event_bus().publish(UserRegistrationSucceeded(email=EMAIL))


def only_mail() -> EmailMultiAlternatives:
    (message,) = delivered()
    return message


def token_in(message: EmailMessage) -> str:
    found = re.findall(r"dsh_once_[\w-]+", str(message.body))
    assert len(set(found)) == 1
    return str(found[0])


class TestVerificationMail:
    """Uses fixtures: db."""

    def test_it_goes_to_the_address_that_was_registered(self, db: None) -> None:
        wiring.register_user().handle(COMMAND)
        assert only_mail().to == [EMAIL]
        assert only_mail().subject == "Confirm your e-mail address"
        assert only_mail().from_email == container.get_settings().default_from_email

    def test_its_token_verifies_the_account(self, db: None) -> None:
        user_id = assert_success(wiring.register_user().handle(COMMAND))
        verified = wiring.verify_email().handle(VerifyEmail(token=token_in(only_mail())))
        assert assert_success(verified) == user_id
        assert models.User.objects.get().is_verified is True

    def test_its_link_carries_the_token_where_no_server_and_no_log_sees_it(self, db: None) -> None:
        wiring.register_user().handle(COMMAND)
        (link,) = re.findall(r"\S+#\S+", str(only_mail().body))
        page, _, fragment = link.partition("#")
        assert page == f"{container.get_settings().public_url}/verify-email"
        assert fragment == token_in(only_mail())

    def test_the_token_can_be_pasted_too(self, db: None) -> None:
        wiring.register_user().handle(COMMAND)
        assert token_in(only_mail()) in str(only_mail().body).split("\n")

    def test_nothing_in_it_is_escaped_as_html_is(self, db: None, override: Override) -> None:
        settings = container.get_settings()
        override(get_settings=settings.__class__(**vars(settings) | {"public_url": "https://a&b"}))
        wiring.register_user().handle(COMMAND)
        assert "https://a&b/verify-email#" in str(only_mail().body)

    def test_it_says_the_same_in_html(self, db: None) -> None:
        wiring.register_user().handle(COMMAND)
        ((html, kind),) = only_mail().alternatives
        assert kind == "text/html"
        assert f"/verify-email#{token_in(only_mail())}" in str(html)

    def test_a_token_that_was_used_meanwhile_is_mailed_to_nobody(self, db: None) -> None:
        wiring.register_user().handle(COMMAND)
        row = models.OneUseToken.objects.get()
        token = wiring.one_use_tokens(container.get_database()).find_by_id(row.pk)
        assert token is not None
        wiring.verify_email().handle(VerifyEmail(token=token.text(wiring.token_keys())))
        assert delivered() == []

    def test_it_does_not_hold_the_password(self, db: None) -> None:
        wiring.register_user().handle(COMMAND)
        assert PASSWORD not in only_mail().message().as_string()


class TestAlreadyRegisteredMail:
    """Uses fixtures: db."""

    def test_the_owner_is_told_and_gets_no_token(self, db: None) -> None:
        UserFactory.create(email=EMAIL)
        wiring.register_user().handle(COMMAND)
        assert only_mail().to == [EMAIL]
        assert only_mail().subject == "You already have an account"
        assert "dsh_once_" not in str(only_mail().body)

    def test_an_owner_who_is_not_verified_gets_a_link_that_works(self, db: None) -> None:
        user = UserFactory.create(email=EMAIL, is_verified=False)
        wiring.register_user().handle(COMMAND)
        verified = wiring.verify_email().handle(VerifyEmail(token=token_in(only_mail())))
        assert assert_success(verified) == user.pk


class TestOrdering:
    """Uses fixtures: db."""

    def test_it_leaves_once_the_unit_of_work_is_over(self, db: None) -> None:
        with container.get_database().get_session():
            container.get_event_bus().publish(UserRegistrationAttempted(email=EMAIL))
            mailer().send_already_registered(EMAIL)
            succeed()
        assert only_mail().to == [EMAIL]

    def test_nothing_leaves_when_it_rolls_back(self, db: None) -> None:
        with pytest.raises(ZeroDivisionError):
            leave_by(ZeroDivisionError())
        assert delivered() == []

    def test_nothing_leaves_when_the_outcome_cannot_be_recorded(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise RuntimeError("the trail is full")

        bus = container.get_event_bus()
        register = wiring.register_user()
        monkeypatch.setattr(type(bus.records), "send", refuse)  # type: ignore[attr-defined]
        with pytest.raises(RuntimeError, match="the trail is full"):
            register.handle(COMMAND)
        assert delivered() == []
        assert not models.User.objects.exists()

    def test_a_refused_registration_mails_nobody(self, db: None) -> None:
        weak = RegisterUser(email=EMAIL, password="short")
        assert_failure(wiring.register_user().handle(weak), ErrorCode.WEAK_PASSWORD)
        assert delivered() == []


def leave_by(error: Exception) -> None:
    with container.get_database().get_session():
        container.get_event_bus().publish(UserRegistrationAttempted(email=EMAIL))
        repository = wiring.one_use_tokens(container.get_database())
        token = repository.issue(Purpose.EMAIL_VERIFICATION, None, FakeClock().now())
        mailer().send_verification(EMAIL, token.id)
        raise error


class TestCooldown:
    """Uses fixtures: cache, clock, db, redis_test_client."""

    @pytest.mark.parametrize("is_verified", [True, False])
    def test_an_owner_gets_one_mail_a_minute(
        self, db: None, clock: FakeClock, is_verified: bool
    ) -> None:
        UserFactory.create(email=EMAIL, is_verified=is_verified)
        register = wiring.register_user()
        register.handle(COMMAND)
        clock.advance(timedelta(seconds=59))
        register.handle(COMMAND)
        assert len(delivered()) == 1

    def test_after_a_minute_the_next_may_come(self, db: None, clock: FakeClock) -> None:
        UserFactory.create(email=EMAIL)
        register = wiring.register_user()
        register.handle(COMMAND)
        clock.advance(timedelta(seconds=60))
        register.handle(COMMAND)
        assert len(delivered()) == 2

    def test_trying_again_and_again_does_not_prolong_it(self, clock: FakeClock) -> None:
        cooldown = CacheCooldown(container.get_cache())
        cooldown.claim(EMAIL)
        clock.advance(timedelta(seconds=59))
        cooldown.claim(EMAIL)
        clock.advance(timedelta(seconds=1))
        assert cooldown.claim(EMAIL) is True

    def test_a_fresh_registration_starts_it(self, db: None) -> None:
        register = wiring.register_user()
        register.handle(COMMAND)
        register.handle(COMMAND)
        assert len(delivered()) == 1

    def test_the_cache_does_not_hold_the_address(self, redis_test_client: redis.Redis) -> None:
        CacheCooldown(RedisCache(redis_client=redis_test_client)).claim(EMAIL)
        (key,) = redis_test_client.keys()
        assert EMAIL not in key
        assert 0 < redis_test_client.ttl(key) <= 60


@pytest.mark.contract(of=Cooldown)
class TestCacheCooldown(CooldownContract):
    """Uses fixtures: redis_test_client."""

    @pytest.fixture(params=["local", "redis"])
    def cooldown(self, request: pytest.FixtureRequest) -> Cooldown:
        if request.param == "local":
            return CacheCooldown(container.get_cache())
        client = request.getfixturevalue("redis_test_client")
        return CacheCooldown(RedisCache(redis_client=client))


@pytest.fixture
def dead_cache(override: Override) -> None:
    nowhere = redis.Redis(
        host="127.0.0.1", port=1, decode_responses=True, retry=Retry(NoBackoff(), 0)
    )
    override(get_cache=RedisCache(redis_client=nowhere))


class TestDeadCache:
    """Uses fixtures: dead_cache, db."""

    def test_a_fresh_registration_is_mailed_its_link(self, db: None, dead_cache: None) -> None:
        assert_success(wiring.register_user().handle(COMMAND))
        assert token_in(only_mail())

    @pytest.mark.parametrize("is_verified", [True, False])
    def test_the_owner_of_a_taken_address_gets_one_mail_in_a_period(
        self, db: None, dead_cache: None, is_verified: bool
    ) -> None:
        UserFactory.create(email=EMAIL, is_verified=is_verified)
        for _ in range(2):
            refused = wiring.register_user().handle(COMMAND)
            assert_failure(refused, ErrorCode.EMAIL_ALREADY_EXISTS)
        assert only_mail().to == [EMAIL]

    def test_who_has_forgotten_the_password_gets_a_link(self, db: None, dead_cache: None) -> None:
        UserFactory.create(email=EMAIL)
        assert_success(wiring.request_password_reset().handle(RequestLink(email=EMAIL)))
        assert token_in(only_mail())
