"""A month under attack: strangers try the account every ten minutes, day and night."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from core.result import Failure, Result, Success
from sessions_app.application.signing_in import SignedIn, SignIn, SignInHandler
from sessions_app.domain.events import UserLoginFailed
from tests.assertions import assert_success
from tests.factories import make_user
from tests.fakes.clock import FakeClock
from tests.fakes.sessions import (
    FixedPlaces,
    InMemoryRotations,
    InMemorySessions,
    NamelessDevices,
    RecordedNotices,
)
from tests.fakes.users import KEYS, SignInPorts
from users.application.device_passes import GrantDevicePass, GrantDevicePassHandler
from users.domain.tokens import Purpose
from users.domain.user import User

EMAIL = "owner@example.com"
PASSWORD = "correct horse battery staple"
DAYS = 30
GUESSES = 24 * 6  # a day


@dataclass
class Siege(SignInPorts):
    sessions: InMemorySessions = field(default_factory=InMemorySessions)

    def __post_init__(self) -> None:
        hashed = self.passwords.hash_password(PASSWORD)
        user = make_user(email=EMAIL, password_hash=hashed)
        self.users.users[user.id] = user

    @property
    def owner(self) -> User:
        (user,) = self.users.users.values()
        return user

    def sign_in(
        self, password: str = PASSWORD, device_token: str | None = None
    ) -> Result[SignedIn, object]:
        handler = SignInHandler(
            credentials=self.credentials(),
            session_repo=self.sessions,
            device_names=NamelessDevices(),
            places=FixedPlaces(),
            rotations=InMemoryRotations(),
            notices=RecordedNotices(),
            event_bus=self.bus,
            keys=KEYS,
            clock=self.clock,
        )
        command = SignIn(email=EMAIL, password=password, device_token=device_token)
        return handler.handle(command)

    def days_of_attack(self) -> Iterator[int]:
        for day in range(DAYS):
            for _ in range(GUESSES):
                self.clock.advance(timedelta(minutes=10))
                assert isinstance(self.sign_in("a guess"), Failure)
            yield day

    def pass_from_the_mailbox(self) -> str | None:
        """By the newest mail, if its link still works."""
        handler = GrantDevicePassHandler(
            user_repo=self.users,
            token_repo=self.tokens,
            passes=self.device_passes(),
            event_bus=self.bus,
            clock=self.clock,
        )
        token = self.tokens.tokens[self.mailer.links[-1][2]]
        granted = handler.handle(GrantDevicePass(token=token.text(KEYS)))
        return granted.value if isinstance(granted, Success) else None


@pytest.fixture
def siege(clock: FakeClock) -> Siege:
    return Siege(clock=clock)


@pytest.mark.slow(reason="4,320 sign-ins a test")
class TestSiege:
    """Uses fixtures: siege."""

    @pytest.mark.conforms("A12")
    def test_the_owner_signs_in_on_a_known_device_every_day(self, siege: Siege) -> None:
        device_token = assert_success(siege.sign_in()).device_token
        for _ in siege.days_of_attack():
            device_token = assert_success(siege.sign_in(device_token=device_token)).device_token

    @pytest.mark.conforms("A12")
    def test_the_owner_signs_in_on_a_new_device_every_day_by_the_mailbox(
        self, siege: Siege
    ) -> None:
        for _ in siege.days_of_attack():
            device_token = siege.pass_from_the_mailbox()
            assert device_token is not None
            assert_success(siege.sign_in(device_token=device_token))

    def test_without_the_mailbox_a_new_device_waits(self, siege: Siege) -> None:
        """What the mailed pass is for."""
        came_in = [siege.sign_in().is_success for _ in siege.days_of_attack()]
        assert sum(came_in) == 0

    @pytest.mark.conforms("A12", "A13")
    def test_strangers_guess_a_hundred_times_at_most(self, siege: Siege) -> None:
        for _ in siege.days_of_attack():
            pass
        failed = [one for one in siege.bus.published_events if isinstance(one, UserLoginFailed)]
        assert len(failed) == DAYS * GUESSES
        assert sum(one.reason == "wrong_password" for one in failed) == 100

    def test_the_owner_is_mailed_less_than_twice_a_day(self, siege: Siege) -> None:
        for _ in siege.days_of_attack():
            pass
        mails = [purpose for purpose, _, _ in siege.mailer.links]
        assert set(mails) == {Purpose.UNLOCK}
        assert 30 <= len(mails) <= 40
