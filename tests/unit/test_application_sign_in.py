from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.errors import DomainError, ErrorCode
from core.ids import uuid7
from core.result import Failure, Result, Success
from sessions_app.application.signing_in import SignedIn, SignIn, SignInHandler
from sessions_app.domain.events import SessionEnded, UserLoginFailed, UserLoginSucceeded
from sessions_app.domain.session import DeviceSession, EndReason, SessionKind
from sessions_app.domain.tokens import tokens_of
from sessions_app.ports import Credentials
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_session, make_user
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.sessions import (
    FixedPlaces,
    InMemoryRotations,
    InMemorySessions,
    NamelessDevices,
    RecordedNotices,
)
from tests.fakes.users import KEYS
from users.domain.claim import Claim, Verified
from users.domain.errors import SignInRefused
from users.domain.roles import Role, SessionTier
from users.domain.user import User

PASSWORD = "SecurePass123!"
COMMAND = SignIn(
    email="test@example.com", password=PASSWORD, ip_address="192.0.2.1", user_agent="curl"
)


@dataclass
class FixedCredentials:
    implements = Credentials
    verified: Result[Verified, SignInRefused]
    confirms: bool = True
    upgraded: str | None = None
    hash_now: str | None = None
    claims: list[Claim] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def verify(self, claim: Claim) -> Result[Verified, SignInRefused]:
        self.claims.append(claim)
        return self.verified

    def upgraded_hash(self, user: User, password: str) -> str | None:
        return self.upgraded

    def confirm(self, verified: Verified, upgraded_hash: str | None = None) -> User | None:
        if not self.confirms:
            return None
        return verified.user.with_password(self.hash_now or upgraded_hash or "")

    def remember(self, verified: Verified) -> str:
        return "the pass of this device"

    def refuse(self, email: str, refusal: SignInRefused) -> None:
        self.refused.append(email)


class RacedSessions(InMemorySessions):
    """Its owner ends the oldest session between the look and the ending."""

    def end(self, session_id: UUID, user_id: UUID, reason: EndReason, now: datetime) -> bool:
        return False


@dataclass
class House:
    clock: FakeClock
    user: User = field(default_factory=make_user)
    sessions: InMemorySessions = field(default_factory=InMemorySessions)
    bus: StubEventBus = field(default_factory=StubEventBus)
    credentials: FixedCredentials = field(init=False)

    def __post_init__(self) -> None:
        self.credentials = FixedCredentials(Success(Verified(self.user)))

    def is_now(self, **changes: Any) -> None:
        self.user = replace(self.user, **changes)
        self.credentials.verified = Success(Verified(self.user))

    def sign_in(self, command: SignIn = COMMAND) -> Result[SignedIn, DomainError]:
        handler = SignInHandler(
            notices=RecordedNotices(),
            rotations=InMemoryRotations(),
            credentials=self.credentials,
            session_repo=self.sessions,
            device_names=NamelessDevices(),
            places=FixedPlaces(),
            event_bus=self.bus,
            keys=KEYS,
            clock=self.clock,
            new_salt=lambda: b"n" * 32,
        )
        return handler.handle(command)

    def begun(self, **over: Any) -> DeviceSession:
        session = make_session(user_id=self.user.id, **over)
        self.sessions.save(session)
        return session

    def live(self) -> list[UUID]:
        return [one.id for one in self.sessions.live_of(self.user.id, self.clock.now())]


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestSuccess:
    """Uses fixtures: house."""

    def test_a_session_begins(self, house: House) -> None:
        signed_in = assert_success(house.sign_in())
        assert house.sessions.sessions[signed_in.session_id] == DeviceSession(
            id=signed_in.session_id,
            user_id=house.user.id,
            kind=SessionKind.API,
            device="curl",
            ip_address="192.0.2.1",
            location="where 192.0.2.1 is",
            created_at=NOON,
            authenticated_at=NOON,
            last_seen_at=NOON,
            generation=1,
            generation_began_at=NOON,
            first_used_at=None,
            key_id=KEYS.current,
            previous_key_id=None,
            salt=b"n" * 32,
            version=1,
        )

    def test_its_tokens_are_handed_out(self, house: House) -> None:
        signed_in = assert_success(house.sign_in())
        session = house.sessions.sessions[signed_in.session_id]
        assert signed_in.tokens == tokens_of(session, KEYS)
        assert signed_in.user_id == house.user.id

    def test_it_keeps_the_accounts_version_at_sign_in(self, house: House) -> None:
        house.is_now(token_version=7)
        signed_in = assert_success(house.sign_in())
        assert house.sessions.sessions[signed_in.session_id].version == 7

    def test_a_browser_begins_a_browsers_session(self, house: House) -> None:
        signed_in = assert_success(house.sign_in(replace(COMMAND, kind=SessionKind.BROWSER)))
        assert house.sessions.sessions[signed_in.session_id].kind is SessionKind.BROWSER

    def test_a_hash_that_was_upgraded_is_a_fact_before_the_outcome(self, house: House) -> None:
        house.credentials.upgraded = "a new hash"
        assert_success(house.sign_in())
        assert house.bus.names[1] == "PasswordRehashed"
        assert house.bus.names[-1] == "UserLoginSucceeded"

    def test_a_hash_that_somebody_beside_has_upgraded_is_no_fact_of_this_one(
        self, house: House
    ) -> None:
        house.credentials.upgraded, house.credentials.hash_now = "a new hash", "theirs"
        assert_success(house.sign_in())
        assert "PasswordRehashed" not in house.bus.names

    @pytest.mark.conforms("S4")
    def test_each_session_has_a_salt_of_its_own_unless_told_otherwise(self, house: House) -> None:
        handler = SignInHandler(
            notices=RecordedNotices(),
            rotations=InMemoryRotations(),
            credentials=house.credentials,
            session_repo=house.sessions,
            device_names=NamelessDevices(),
            places=FixedPlaces(),
            event_bus=house.bus,
            keys=KEYS,
        )
        handler.handle(COMMAND)
        handler.handle(COMMAND)
        salts = {session.salt for session in house.sessions.sessions.values()}
        assert [len(salt) for salt in salts] == [32, 32]

    @pytest.mark.conforms("L6")
    def test_it_is_recorded_as_attempt_and_success(self, house: House) -> None:
        signed_in = assert_success(house.sign_in())
        assert house.bus.names == ["UserLoginAttempted", "UserLoginSucceeded"]
        succeeded = house.bus.published_events[1]
        assert isinstance(succeeded, UserLoginSucceeded)
        assert (succeeded.user_id, succeeded.session_id) == (house.user.id, signed_in.session_id)
        assert succeeded.device == "curl"

    def test_no_failure_is_counted(self, house: House) -> None:
        house.sign_in()
        assert house.credentials.refused == []


class TestRefusal:
    """Uses fixtures: house."""

    @pytest.mark.parametrize("reason", ["unknown", "wrong_password", "locked", "unverified"])
    def test_refused_credentials_begin_no_session(self, house: House, reason: str) -> None:
        house.credentials.verified = Failure(SignInRefused.because(reason, house.user.id))
        assert_failure(house.sign_in(), ErrorCode.INVALID_CREDENTIALS)
        assert house.sessions.sessions == {}
        failed = house.bus.published_events[-1]
        assert isinstance(failed, UserLoginFailed)
        assert (failed.reason, failed.user_id) == (reason, house.user.id)

    def test_an_account_that_changed_meanwhile_begins_no_session(self, house: House) -> None:
        house.credentials.confirms = False
        assert_failure(house.sign_in(), ErrorCode.INVALID_CREDENTIALS)
        assert house.sessions.sessions == {}
        failed = house.bus.published_events[-1]
        assert isinstance(failed, UserLoginFailed)
        assert failed.reason == "changed_meanwhile"

    def test_a_role_that_may_not_come_in_by_this_door_begins_no_session(self, house: House) -> None:
        command = replace(COMMAND, roles=frozenset({Role.ADMIN}))
        assert_failure(house.sign_in(command), ErrorCode.INVALID_CREDENTIALS)
        assert house.sessions.sessions == {}
        failed = house.bus.published_events[-1]
        assert isinstance(failed, UserLoginFailed)
        assert failed.reason == "role"

    @pytest.mark.parametrize("role", Role)
    def test_every_role_may_come_in_by_the_api(self, house: House, role: Role) -> None:
        house.is_now(role=role)
        assert assert_success(house.sign_in()).user_id == house.user.id

    def test_every_refusal_is_told_in_the_same_words(self, house: House) -> None:
        role = house.sign_in(replace(COMMAND, roles=frozenset()))
        house.credentials.confirms = False
        changed = house.sign_in()
        house.credentials.verified = Failure(SignInRefused.because("unknown", None))
        unknown = house.sign_in()
        texts = {
            assert_failure(result, ErrorCode.INVALID_CREDENTIALS).message
            for result in (role, changed, unknown)
        }
        assert len(texts) == 1

    def test_every_refusal_is_counted_once(self, house: House) -> None:
        house.sign_in(replace(COMMAND, roles=frozenset()))
        house.credentials.confirms = False
        house.sign_in()
        house.credentials.verified = Failure(SignInRefused.because("unknown", None))
        house.sign_in()
        assert house.credentials.refused == ["test@example.com"] * 3

    def test_a_refusal_ends_no_session(self, house: House) -> None:
        kept = [house.begun().id, house.begun().id]
        house.credentials.confirms = False
        house.sign_in()
        assert house.live() == kept


class TestLimit:
    """Uses fixtures: house."""

    def test_below_the_limit_nothing_ends(self, house: House) -> None:
        older = house.begun()
        signed_in = assert_success(house.sign_in())
        assert house.live() == [older.id, signed_in.session_id]
        assert house.bus.names == ["UserLoginAttempted", "UserLoginSucceeded"]

    def test_at_the_limit_the_oldest_goes(self, house: House) -> None:
        oldest, older = house.begun(), house.begun()
        signed_in = assert_success(house.sign_in())
        assert house.live() == [older.id, signed_in.session_id]
        assert house.sessions.sessions[oldest.id].revoked_reason is EndReason.LIMIT
        assert house.sessions.sessions[oldest.id].revoked_at == NOON

    def test_above_a_limit_that_was_lowered_all_that_are_too_many_go(self, house: House) -> None:
        begun = [house.begun().id for _ in range(5)]
        house.is_now(max_sessions=2)
        signed_in = assert_success(house.sign_in())
        assert house.live() == [begun[-1], signed_in.session_id]

    def test_a_limit_of_one_leaves_the_new_session_alone(self, house: House) -> None:
        house.is_now(max_sessions=1)
        house.begun()
        signed_in = assert_success(house.sign_in())
        assert house.live() == [signed_in.session_id]

    def test_without_a_limit_nothing_ends(self, house: House) -> None:
        house.is_now(session_tier=SessionTier.PRO)
        begun = [house.begun().id for _ in range(20)]
        signed_in = assert_success(house.sign_in())
        assert house.live() == [*begun, signed_in.session_id]

    def test_sessions_that_are_over_are_not_counted(self, house: House) -> None:
        house.begun(revoked_at=NOON)
        house.begun(last_seen_at=NOON - timedelta(days=14))
        kept = house.begun()
        house.sign_in()
        assert kept.id in house.live()

    def test_other_peoples_sessions_are_not_counted(self, house: House) -> None:
        other = make_session(user_id=uuid7())
        house.sessions.save(other)
        house.begun()
        house.sign_in()
        assert len(house.live()) == 2
        assert house.sessions.sessions[other.id] == other

    def test_what_went_is_on_record_before_the_success(self, house: House) -> None:
        oldest = house.begun()
        house.begun()
        house.sign_in()
        assert house.bus.names == ["UserLoginAttempted", "SessionEnded", "UserLoginSucceeded"]
        ended = house.bus.published_events[1]
        assert isinstance(ended, SessionEnded)
        assert (ended.user_id, ended.session_id) == (house.user.id, oldest.id)
        assert ended.reason == EndReason.LIMIT

    def test_what_its_owner_ended_meanwhile_is_not_recorded_as_ended_by_the_limit(
        self, house: House
    ) -> None:
        house.sessions = RacedSessions()
        house.begun()
        house.begun()
        house.sign_in()
        assert house.bus.names == ["UserLoginAttempted", "UserLoginSucceeded"]


class TestSecrecy:
    """Uses fixtures: house."""

    def test_neither_password_nor_tokens_are_in_an_event_or_a_repr(self, house: House) -> None:
        signed_in = assert_success(house.sign_in())
        house.credentials.confirms = False
        house.sign_in()
        said = repr([COMMAND, signed_in, *house.bus.published_events])
        secrets = (PASSWORD, signed_in.tokens.access_token, signed_in.tokens.refresh_token)
        assert COMMAND.email in said
        assert not [secret for secret in secrets if secret in said]
