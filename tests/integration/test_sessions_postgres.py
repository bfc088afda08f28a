"""Device sessions: what their ports promise; then what only PostgreSQL can show."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from core import container
from core.database import Database
from core.unit_of_work import UnitOfWorkError
from sessions_app import models, wiring
from sessions_app.adapters import UserAgentNames
from sessions_app.domain.session import DeviceSession, EndReason
from sessions_app.domain.tokens import tokens_of
from sessions_app.ports import (
    PersonalTokenReader,
    PersonalTokenRepository,
    RotationRepository,
    SessionReader,
    SessionRepository,
)
from sessions_app.queries import (
    DjangoPersonalTokenReader,
    DjangoSessionReader,
    page_of_live_sessions,
)
from sessions_app.repositories import (
    DjangoPersonalTokenRepository,
    DjangoRotationRepository,
    DjangoSessionRepository,
)
from tests.assertions import assert_success
from tests.contracts.sessions import (
    EndContract,
    PersonalTokenContract,
    RefreshContract,
    RotationContract,
    RotationStore,
    SessionContract,
    Store,
    TokenStore,
    TouchContract,
)
from tests.factories import NOON, arranged, make_session, make_user
from users.domain.user import User
from users.repositories.accounts import DjangoUserRepository

MOMENT = timedelta(microseconds=1)
LATER = NOON + timedelta(hours=1)
IDLE = timedelta(days=14)
ABSOLUTE = timedelta(days=30)


@pytest.mark.contract(of=(SessionRepository, SessionReader))
class TestSessions(SessionContract, RefreshContract, EndContract, TouchContract):
    """Uses fixtures: people."""

    @pytest.fixture
    def store(self, people: tuple[User, User]) -> Iterator[Store]:
        database = container.get_database()
        with arranged():
            yield Store(DjangoSessionRepository(database), DjangoSessionReader(), *people)


@pytest.mark.contract(of=(PersonalTokenRepository, PersonalTokenReader))
class TestPersonalTokens(PersonalTokenContract):
    """Uses fixtures: people."""

    @pytest.fixture
    def store(self, people: tuple[User, User]) -> Iterator[TokenStore]:
        repository = DjangoPersonalTokenRepository(container.get_database())
        with arranged():
            yield TokenStore(repository, DjangoPersonalTokenReader(), *people)


@pytest.mark.contract(of=RotationRepository)
class TestRotations(RotationContract):
    """Uses fixtures: people."""

    @pytest.fixture
    def store(self, people: tuple[User, User]) -> Iterator[RotationStore]:
        with arranged():
            yield RotationStore(DjangoRotationRepository(container.get_database()), *people)


@pytest.fixture
def people(db: None) -> tuple[User, User]:
    user, other = make_user(), make_user(email="other@example.com")
    with arranged():
        repo = DjangoUserRepository(container.get_database())
        assert_success(repo.save(user))
        assert_success(repo.save(other))
    return user, other


def begin(user: User, **over: Any) -> DeviceSession:
    session = make_session(user_id=user.id, **over)
    with arranged():
        DjangoSessionRepository(container.get_database()).save(session)
    return session


class TestPages:
    """Uses fixtures: people."""

    def test_the_newest_comes_first(self, people: tuple[User, User]) -> None:
        begun = [begin(people[0]) for _ in range(3)]
        page = page_of_live_sessions(people[0].id, NOON, before=None, size=50)
        assert page == begun[::-1]

    def test_a_page_is_no_longer_than_asked(self, people: tuple[User, User]) -> None:
        begun = [begin(people[0]) for _ in range(3)]
        page = page_of_live_sessions(people[0].id, NOON, before=None, size=2)
        assert page == [begun[2], begun[1]]

    def test_the_next_page_goes_on_where_the_one_before_ended(
        self, people: tuple[User, User]
    ) -> None:
        begun = [begin(people[0]) for _ in range(3)]
        page = page_of_live_sessions(people[0].id, NOON, before=begun[1].id, size=2)
        assert page == [begun[0]]

    def test_other_peoples_sessions_are_on_no_page(self, people: tuple[User, User]) -> None:
        begin(people[0])
        assert page_of_live_sessions(people[1].id, NOON, before=None, size=50) == []

    @pytest.mark.parametrize(
        "over",
        [{"revoked_at": NOON}, {"last_seen_at": NOON - IDLE}, {"created_at": NOON - ABSOLUTE}],
        ids=str,
    )
    def test_what_is_over_is_on_no_page(
        self, people: tuple[User, User], over: dict[str, Any]
    ) -> None:
        begin(people[0], **over)
        assert page_of_live_sessions(people[0].id, NOON, before=None, size=50) == []


class TestQueries:
    """Uses fixtures: people, frozen, django_assert_num_queries."""

    def test_a_request_in_the_steady_state_costs_one_query(
        self, people: tuple[User, User], django_assert_num_queries: Any
    ) -> None:
        now = datetime.now(NOON.tzinfo)
        used = {"last_seen_at": now, "generation_began_at": now, "first_used_at": now}
        session = begin(
            people[0], created_at=now, key_id=container.get_settings().token_keys.current, **used
        )
        text = tokens_of(session, container.get_settings().token_keys).access_token
        with django_assert_num_queries(1):
            found = wiring.authenticator().authenticate(text)
        assert assert_success(found).session == session

    @pytest.mark.parametrize("text", ["", "dsh_access_" + "A" * 69, "junk"])
    def test_what_is_no_token_costs_none(
        self, db: None, django_assert_num_queries: Any, text: str
    ) -> None:
        with django_assert_num_queries(0):
            found = wiring.authenticator().authenticate(text)
        assert found.is_success is False


class TestNothingToSteal:
    """Uses fixtures: people."""

    def test_no_row_holds_a_token(self, people: tuple[User, User]) -> None:
        keys = container.get_settings().token_keys
        session = begin(people[0], key_id=keys.current)
        row = repr(models.DeviceSession.objects.values_list().get())
        tokens = tokens_of(session, keys)
        assert session.device in row
        assert tokens.access_token[-40:] not in row
        assert tokens.refresh_token[-40:] not in row

    def test_a_write_outside_a_unit_of_work_is_a_mistake_in_the_code(
        self, people: tuple[User, User]
    ) -> None:
        session = begin(people[0])
        repo = DjangoSessionRepository(Database())
        with pytest.raises(UnitOfWorkError, match="No unit of work is open"):
            repo.end(session.id, people[0].id, EndReason.REVOKED, NOON)
        assert models.DeviceSession.objects.get().revoked_at is None


class TestDeviceNames:
    FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    IPHONE = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
    )

    @pytest.mark.parametrize(
        ("user_agent", "name"),
        [
            (FIREFOX, "Firefox on Linux"),
            (IPHONE, "Mobile Safari on iOS"),
            ("curl/8.5.0", "curl"),
            ("dashtam-sync 2.1", "dashtam-sync"),
            (None, "Unknown device"),
            ("", "Unknown device"),
            ("/", "Unknown device"),
            (" ", "Unknown device"),
        ],
    )
    def test_a_device_is_named_by_what_people_call_it(
        self, user_agent: str | None, name: str
    ) -> None:
        assert UserAgentNames().describe(user_agent) == name

    def test_a_long_name_fits_its_column(self) -> None:
        assert UserAgentNames().describe("x" * 10_000) == "x" * 128
