from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.errors import ConflictError, DomainError, ErrorCode
from core.result import Failure, Result
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.users import (
    InMemoryAddresses,
    InMemoryUserRepository,
    ReversingPasswordService,
)
from tests.imported_hashes import HASHES
from users.application.importing import (
    COLUMNS,
    AccountReader,
    ImportUser,
    ImportUserHandler,
    RehearseImportHandler,
)
from users.domain.errors import EMAIL_TAKEN, EMAIL_TWICE
from users.domain.events import UserImportAttempted, UserImportFailed, UserImportSucceeded
from users.domain.hashes import AdoptedHash, adopt
from users.domain.roles import Role, SessionTier
from users.domain.user import User

EMAIL = "ada@example.com"
BCRYPT = HASHES["bcrypt_2b"]


class LosingRepository(InMemoryUserRepository):
    def save(self, user: User) -> Result[None, ConflictError]:
        return Failure(EMAIL_TAKEN)


@dataclass
class House:
    clock: FakeClock
    users: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    bus: StubEventBus = field(default_factory=StubEventBus)
    met: InMemoryAddresses = field(default_factory=InMemoryAddresses)

    def take(self, **given: Any) -> Result[UUID, DomainError]:
        handler = ImportUserHandler(
            user_repo=self.users,
            password_service=ReversingPasswordService(),
            event_bus=self.bus,
            clock=self.clock,
        )
        return handler.handle(ImportUser(**{"email": EMAIL} | given))

    def rehearse(self, **given: Any) -> Result[None, DomainError]:
        handler = RehearseImportHandler(user_repo=self.users, met=self.met)
        return handler.handle(ImportUser(**{"email": EMAIL} | given))

    def read(self, **values: str) -> Result[ImportUser, Any]:
        return AccountReader(clock=self.clock).read({"email": EMAIL} | values)


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestImport:
    """Uses fixtures: house."""

    def test_the_account_is_as_the_line_has_it(self, house: House) -> None:
        made = datetime(2019, 5, 1, tzinfo=UTC)
        hashed = assert_success(adopt(BCRYPT))
        user_id = assert_success(
            house.take(
                password_hash=hashed,
                is_verified=True,
                is_active=False,
                role=Role.AUDITOR,
                session_tier=SessionTier.PRO,
                created_at=made,
            )
        )
        assert house.users.users[user_id] == User(
            id=user_id,
            email=EMAIL,
            password_hash=hashed.stored,
            is_verified=True,
            is_active=False,
            role=Role.AUDITOR,
            session_tier=SessionTier.PRO,
            created_at=made,
            updated_at=NOON,
        )

    def test_what_is_not_said_is_as_for_anybody_who_registers(self, house: House) -> None:
        user = house.users.users[assert_success(house.take())]
        bare = assert_success(User.create(EMAIL, now=NOON))
        assert user == replace(bare, id=user.id, password_hash="!")

    def test_an_account_that_is_there_stays_as_it_is(self, house: House) -> None:
        there = make_user(email=EMAIL)
        house.users.save(there)
        assert_failure(house.take(is_verified=True), ErrorCode.EMAIL_ALREADY_EXISTS)
        assert house.users.users == {there.id: there}

    def test_the_loser_of_a_race_is_refused_alike(self, house: House) -> None:
        house.users = LosingRepository()
        assert_failure(house.take(), ErrorCode.EMAIL_ALREADY_EXISTS)
        assert house.bus.names == ["UserImportAttempted", "UserImportFailed"]

    def test_it_is_recorded_as_attempt_and_success(self, house: House) -> None:
        user_id = assert_success(house.take(is_verified=True, role=Role.ADMIN))
        attempted, succeeded = house.bus.published_events
        assert isinstance(attempted, UserImportAttempted)
        assert isinstance(succeeded, UserImportSucceeded)
        assert (succeeded.user_id, succeeded.email) == (user_id, EMAIL)
        assert (succeeded.role, succeeded.is_verified, succeeded.is_active) == ("admin", True, True)

    @pytest.mark.parametrize(
        ("email", "reason"), [("no address", "invalid_email"), (EMAIL, "email_already_exists")]
    )
    def test_a_refusal_is_recorded_with_its_reason(
        self, house: House, email: str, reason: str
    ) -> None:
        house.users.save(make_user(email=EMAIL))
        assert not house.take(email=email).is_success
        _, failed = house.bus.published_events
        assert isinstance(failed, UserImportFailed)
        assert (failed.email, failed.reason) == (email, reason)

    def test_no_hash_stands_in_an_event_or_is_shown(self, house: House) -> None:
        hashed = assert_success(adopt(BCRYPT))
        command = ImportUser(email=EMAIL, password_hash=hashed)
        house.take(password_hash=hashed)
        assert BCRYPT not in f"{house.bus.published_events} {command} {house.users.users}"


class TestRehearsal:
    """Uses fixtures: house."""

    def test_it_writes_and_records_nothing(self, house: House) -> None:
        assert_success(house.rehearse())
        assert (house.users.users, house.bus.published_events) == ({}, [])

    def test_it_knows_who_is_there(self, house: House) -> None:
        house.users.save(make_user(email=EMAIL))
        assert assert_failure(house.rehearse(), ErrorCode.EMAIL_ALREADY_EXISTS) == EMAIL_TAKEN

    def test_it_knows_who_stands_in_the_file_twice(self, house: House) -> None:
        assert_success(house.rehearse())
        again = house.rehearse(email=EMAIL.upper())
        assert assert_failure(again, ErrorCode.EMAIL_ALREADY_EXISTS) == EMAIL_TWICE

    def test_it_refuses_what_the_import_refuses(self, house: House) -> None:
        assert_failure(house.rehearse(email="no address"), ErrorCode.INVALID_EMAIL)


class TestReading:
    """Uses fixtures: house."""

    def test_each_column_is_a_field_of_the_command(self) -> None:
        assert COLUMNS == (
            "email",
            "password_hash",
            "is_verified",
            "is_active",
            "role",
            "session_tier",
            "created_at",
        )

    def test_all_of_them_are_read(self) -> None:
        values = {
            "email": " Ada@Example.com ",
            "password_hash": f" {BCRYPT} ",
            "is_verified": "true",
            "is_active": "false",
            "role": "admin",
            "session_tier": "pro",
            "created_at": "2019-05-01T10:00:00+02:00",
        }
        command = assert_success(AccountReader(roles=frozenset(Role)).read(values))
        assert command == ImportUser(
            email=EMAIL,
            password_hash=AdoptedHash(f"bcrypt${BCRYPT}"),
            is_verified=True,
            is_active=False,
            role=Role.ADMIN,
            session_tier=SessionTier.PRO,
            created_at=datetime(2019, 5, 1, 8, tzinfo=UTC),
        )

    def test_what_is_empty_is_not_there(self, house: House) -> None:
        empty = dict.fromkeys(COLUMNS[1:], "  ")
        assert assert_success(house.read(**empty)) == ImportUser(email=EMAIL)

    def test_what_django_writes_for_no_password_is_none(self, house: House) -> None:
        assert assert_success(house.read(password_hash="!x1y2")).password_hash is None

    @pytest.mark.parametrize("email", ["", "no address", "\x00"])
    def test_an_address_is_needed(self, house: House, email: str) -> None:
        error = assert_failure(house.read(email=email), ErrorCode.INVALID_EMAIL)
        assert error.field == "email"

    def test_a_missing_address_is_an_empty_one(self) -> None:
        assert_failure(AccountReader().read({}), ErrorCode.INVALID_EMAIL)

    @pytest.mark.parametrize("word", ["true", "True", "t", "T", "yes", "y", "1"])
    @pytest.mark.parametrize("column", ["is_verified", "is_active"])
    def test_these_words_say_yes(self, house: House, column: str, word: str) -> None:
        assert getattr(assert_success(house.read(**{column: word})), column) is True

    @pytest.mark.parametrize("word", ["false", "FALSE", "f", "no", "n", "0"])
    @pytest.mark.parametrize("column", ["is_verified", "is_active"])
    def test_these_words_say_no(self, house: House, column: str, word: str) -> None:
        assert getattr(assert_success(house.read(**{column: word})), column) is False

    @pytest.mark.parametrize(
        ("column", "text", "said"),
        [
            ("is_verified", "perhaps", "Write true or false."),
            ("is_active", "2", "Write true or false."),
            ("role", "root", "Write one of: user, auditor, admin."),
            ("role", "admin", "--allow-roles"),
            ("role", "auditor", "--allow-roles"),
            ("session_tier", "gold", "Write one of: basic, essential, plus, premium, pro."),
            ("created_at", "yesterday", "in the past with its offset"),
            ("created_at", "2024-01-01", "in the past with its offset"),
            ("created_at", "2023-06-01T12:00:00", "in the past with its offset"),
            ("created_at", "2024-01-01T12:00:01+00:00", "in the past with its offset"),
            ("created_at", "1969-12-31T23:59:59+00:00", "in the past with its offset"),
            ("created_at", "0001-01-01T00:00:00+23:59", "in the past with its offset"),
            ("created_at", "9999-12-31T23:59:59-23:59", "in the past with its offset"),
            ("created_at", "1700000000", "in the past with its offset"),
            ("password_hash", "5f4dcc3b5aa765d61d8327deb882cf99", "Leave the hash out"),
        ],
    )
    def test_what_is_refused_names_its_column_and_is_not_shown(
        self, house: House, column: str, text: str, said: str
    ) -> None:
        error = assert_failure(house.read(**{column: text}), ErrorCode.VALIDATION_FAILED)
        assert error.field == column
        assert said in error.message
        assert text not in error.message or column == "role"

    @pytest.mark.parametrize(
        "text",
        ["2024-01-01T12:00:00Z", "2024-01-01 13:00:00+01", "2023-12-31T22:59:59.500000-13:00"],
    )
    def test_a_time_is_kept_in_utc(self, house: House, text: str) -> None:
        made = assert_success(house.read(created_at=text)).created_at
        assert made is not None
        assert made.utcoffset() == timedelta(0)
        assert NOON - made < timedelta(seconds=1)
