"""What an admin sees of accounts, and a person of their own; each look is on record."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from core.errors import ErrorCode
from core.ids import uuid7
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from tests.fakes.event_bus import StubEventBus
from tests.fakes.users import InMemoryUserRepository
from users.application.exporting import ExportAccount, ExportAccountHandler, Sections
from users.application.reading import ViewUser, ViewUserHandler, ViewUsers, ViewUsersHandler
from users.domain.events import AccountExported, AccountsViewed
from users.domain.roles import Role
from users.domain.tokens import Purpose
from users.domain.user import User
from users.ports import DeviceSummary, TokenSummary, UserCriteria

ADMIN = uuid7()


@dataclass
class OneDirectory:
    """Of one account, whatever is asked; it keeps what was asked."""

    user: User
    asked: list[Any] = field(default_factory=list)

    def page(self, criteria: UserCriteria, before: UUID | None, size: int) -> list[User]:
        self.asked.append((criteria, before, size))
        return [self.user]


@dataclass(frozen=True)
class OneRecord:
    def tokens_of(self, user_id: UUID) -> list[TokenSummary]:
        return [TokenSummary(Purpose.UNLOCK, NOON, None, None)]

    def devices_of(self, user_id: UUID) -> list[DeviceSummary]:
        return [DeviceSummary(NOON, None, NOON)]


@pytest.fixture
def bus() -> StubEventBus:
    return StubEventBus()


@pytest.fixture
def user() -> User:
    return make_user(password_hash="a hash")


@pytest.fixture
def users(user: User) -> InMemoryUserRepository:
    return InMemoryUserRepository({user.id: user})


class TestViewUsers:
    """Uses fixtures: bus, user."""

    def test_a_page_is_found_and_what_was_asked_for_is_on_record(
        self, bus: StubEventBus, user: User
    ) -> None:
        directory, before = OneDirectory(user), uuid7()
        criteria = UserCriteria(role=Role.AUDITOR, is_active=False)
        query = ViewUsers(viewer=ADMIN, criteria=criteria, before=before, size=7)
        found = ViewUsersHandler(directory=directory, event_bus=bus).handle(query)
        assert assert_success(found) == [user]
        assert directory.asked == [(criteria, before, 7)]
        (viewed,) = bus.published_events
        assert isinstance(viewed, AccountsViewed)
        assert viewed.asked_for == {"role": "auditor", "is_active": "False"}
        assert (viewed.user_id, viewed.resource_id) == (ADMIN, None)

    def test_at_the_command_line_nobody_looks(self, bus: StubEventBus, user: User) -> None:
        ViewUsersHandler(directory=OneDirectory(user), event_bus=bus).handle(ViewUsers(size=1))
        assert [event.user_id for event in bus.published_events] == [None]


class TestViewUser:
    """Uses fixtures: bus, user, users."""

    def test_one_is_found_and_whose_it_is_is_on_record(
        self, bus: StubEventBus, user: User, users: InMemoryUserRepository
    ) -> None:
        handler = ViewUserHandler(user_repo=users, event_bus=bus)
        assert assert_success(handler.handle(ViewUser(viewer=ADMIN, user_id=user.id))) == user
        (viewed,) = bus.published_events
        assert (viewed.user_id, viewed.resource_id) == (ADMIN, user.id)

    def test_at_the_command_line_nobody_looks(
        self, bus: StubEventBus, user: User, users: InMemoryUserRepository
    ) -> None:
        ViewUserHandler(user_repo=users, event_bus=bus).handle(ViewUser(user_id=user.id))
        assert [event.user_id for event in bus.published_events] == [None]

    def test_nobody_is_not_found_and_nothing_is_recorded(
        self, bus: StubEventBus, users: InMemoryUserRepository
    ) -> None:
        handler = ViewUserHandler(user_repo=users, event_bus=bus)
        nobody = handler.handle(ViewUser(viewer=ADMIN, user_id=uuid7()))
        assert_failure(nobody, ErrorCode.USER_NOT_FOUND)
        assert bus.published_events == []


class TestExportAccount:
    """Uses fixtures: bus, user, users."""

    def handler(self, users: InMemoryUserRepository, bus: StubEventBus) -> ExportAccountHandler:
        sections = Sections()
        sections.register("sessions", lambda user_id: [{"of": user_id}])
        return ExportAccountHandler(
            user_repo=users, records=OneRecord(), sections=sections, event_bus=bus
        )

    def test_everything_that_is_kept_is_in_it_but_the_hash(
        self, bus: StubEventBus, user: User, users: InMemoryUserRepository
    ) -> None:
        export = assert_success(self.handler(users, bus).handle(ExportAccount(user_id=user.id)))
        assert export["account"]["email"] == user.email
        assert "a hash" not in str(export)
        assert export["mailed_links"] == [
            {"purpose": Purpose.UNLOCK, "expires_at": NOON, "spent_at": None, "email": None}
        ]
        assert export["known_devices"] == [
            {"known_since": NOON, "last_used_at": None, "expires_at": NOON}
        ]
        assert export["sessions"] == [{"of": user.id}]

    def test_what_only_guards_the_account_is_not_in_it(
        self, bus: StubEventBus, user: User, users: InMemoryUserRepository
    ) -> None:
        export = assert_success(self.handler(users, bus).handle(ExportAccount(user_id=user.id)))
        hidden = {"password_hash", "failed_login_attempts", "locked_until"}
        assert export["account"].keys() & hidden == set()

    def test_it_is_on_record(
        self, bus: StubEventBus, user: User, users: InMemoryUserRepository
    ) -> None:
        assert_success(self.handler(users, bus).handle(ExportAccount(user_id=user.id)))
        (exported,) = bus.published_events
        assert isinstance(exported, AccountExported)
        assert exported.user_id == user.id

    def test_nobody_is_not_found_and_nothing_is_recorded(
        self, bus: StubEventBus, users: InMemoryUserRepository
    ) -> None:
        nobody = self.handler(users, bus).handle(ExportAccount(user_id=uuid7()))
        assert_failure(nobody, ErrorCode.USER_NOT_FOUND)
        assert bus.published_events == []
