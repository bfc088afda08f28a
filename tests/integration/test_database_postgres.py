"""Units of work on the real database. The order of events without one:
tests/unit/test_infrastructure_unit_of_work.py."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connections, transaction
from structlog.testing import capture_logs

from core import context, unit_of_work
from core.actions import Phase
from core.database import Database, InUnitOfWork
from core.errors import AuditError, DomainError, ErrorCode, InfrastructureError
from core.events import DomainEvent, EventMetadata
from core.ids import uuid7
from core.result import Failure, Result, Success
from core.signals import SignalEventBus, trail
from core.unit_of_work import UnitOfWork, UnitOfWorkError
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from tests.fakes.events import Attempted, Failed, Sole, Succeeded
from tests.plugin.faults import Faults
from tests.plugin.services import Services
from users import models
from users.repositories.accounts import DjangoUserRepository

ABOUT = "WHERE subject_ref = (SELECT ref FROM audit_subject WHERE name = 'user:' || %s)"

Act = DomainEvent | BaseException | Callable[[], object]


class Elsewhere:
    """Another connection: it sees what has been committed, and nothing else."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def phases(self, person: UUID) -> list[str]:
        rows = self._ask(f"SELECT phase FROM audit_event {ABOUT} ORDER BY id", person)
        return [Phase(phase).name for (phase,) in rows]

    def correlations(self, person: UUID) -> set[UUID]:
        rows = self._ask(f"SELECT correlation FROM audit_event {ABOUT}", person)
        return {correlation for (correlation,) in rows}

    def errors(self, person: UUID) -> list[str | None]:
        """The class of the exception that each record tells."""
        rows = self._ask(
            "SELECT convert_from(entry, 'UTF8')::json ->> 'err' FROM audit_event"
            f" {ABOUT} ORDER BY id",
            person,
        )
        return [error for (error,) in rows]

    def has_user(self, person: UUID) -> bool:
        return bool(self._ask("SELECT FROM users_user WHERE id = %s", person))

    def end_connection(self, pid: int) -> None:
        self._ask("SELECT pg_terminate_backend(%s, 5000)", pid)

    def _ask(self, query: str, value: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode(), [value]).fetchall()


@pytest.fixture
def elsewhere(services: Services) -> Iterator[Elsewhere]:
    with psycopg.connect(services.database_url, autocommit=True) as connection:
        yield Elsewhere(connection)


@pytest.fixture
def person() -> UUID:
    """Whose account it is about: the trail keeps what other tests recorded."""
    return uuid7()


def play(database: Database, *acts: Act) -> None:
    """One after the other in one session: an event is published, an exception raised."""
    with database.get_session() as unit:
        for act in acts:
            if isinstance(act, BaseException):
                raise act
            if isinstance(act, DomainEvent):
                SignalEventBus().publish(act, session=unit)
            else:
                act()


@dataclass(frozen=True)
class Write:
    """Makes the account of this person."""

    database: Database
    person: UUID

    def __call__(self) -> None:
        user = make_user(id=self.person, email=f"{self.person}@example.com")
        assert_success(DjangoUserRepository(self.database).save(user))


@pytest.fixture
def write(test_database: Database, person: UUID) -> Write:
    return Write(test_database, person)


def dangle() -> None:
    """A row whose account does not exist; PostgreSQL looks at COMMIT only."""
    unit_of_work.current().write()
    models.OneUseToken.objects.create(
        id=uuid7(),
        purpose="email_verification",
        user_id=uuid7(),
        key_id="1",
        salt=b"s" * 32,
        expires_at=NOON,
    )


class TestCommit:
    """Uses `test_database`, `elsewhere` to look from another connection, `person` and `write`."""

    def test_the_attempt_is_seen_elsewhere_before_anything_else_happens(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID
    ):
        seen: list[list[str]] = []
        play(
            test_database,
            Attempted(user_id=person),
            lambda: seen.append(elsewhere.phases(person)),
            Failed(user_id=person),
        )
        assert seen == [["ATTEMPTED"]]

    def test_the_attempt_begins_no_transaction(self, test_database: Database, person: UUID):
        seen: list[bool] = []
        play(
            test_database,
            Attempted(user_id=person),
            lambda: seen.append(connections["default"].in_atomic_block),
            Failed(user_id=person),
        )
        assert seen == [False]

    def test_the_first_write_begins_the_transaction(
        self, test_database: Database, person: UUID, write: Write
    ):
        seen: list[bool] = []
        play(
            test_database,
            Attempted(user_id=person),
            write,
            lambda: seen.append(connections["default"].in_atomic_block),
            Succeeded(user_id=person),
        )
        assert seen == [True]

    def test_what_is_written_is_not_seen_elsewhere_before_the_end(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        seen: list[bool] = []
        play(
            test_database,
            Attempted(user_id=person),
            write,
            Succeeded(user_id=person),
            lambda: seen.append(elsewhere.has_user(person)),
        )
        assert (seen, elsewhere.has_user(person)) == ([False], True)

    @pytest.mark.conforms("Z6")
    def test_rows_and_outcome_are_committed_together(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        play(test_database, Attempted(user_id=person), write, Succeeded(user_id=person))
        assert (elsewhere.has_user(person), elsewhere.phases(person)) == (
            True,
            ["ATTEMPTED", "SUCCEEDED"],
        )

    def test_a_refusal_commits_its_rows_and_its_record(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        play(test_database, Attempted(user_id=person), write, Failed(user_id=person))
        assert (elsewhere.has_user(person), elsewhere.phases(person)) == (
            True,
            ["ATTEMPTED", "FAILED"],
        )

    def test_an_event_without_an_attempt_stands_alone(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        play(test_database, Sole(user_id=person), write)
        assert (elsewhere.has_user(person), elsewhere.phases(person)) == (True, ["SOLE"])

    def test_a_unit_without_events_leaves_nothing(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID
    ):
        play(test_database)
        assert elsewhere.phases(person) == []

    def test_what_a_command_does_has_one_correlation(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID
    ):
        """A management command: no request has bound one."""
        play(test_database, Attempted(user_id=person), Failed(user_id=person))
        assert len(elsewhere.correlations(person)) == 1

    def test_what_a_request_does_has_the_request_s_correlation(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID
    ):
        with context.bound(EventMetadata()) as metadata:
            play(test_database, Attempted(user_id=person), Failed(user_id=person))
        assert elsewhere.correlations(person) == {metadata.correlation}


class TestRollback:
    """Uses `test_database`, `elsewhere` to look from another connection, `person` and `write`."""

    @pytest.mark.conforms("Z6")
    def test_an_exception_leaves_no_row(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        with pytest.raises(ZeroDivisionError):
            play(test_database, Attempted(user_id=person), write, ZeroDivisionError())
        assert not elsewhere.has_user(person)

    @pytest.mark.parametrize(
        "error", [ZeroDivisionError, KeyboardInterrupt, OperationalError, UnitOfWorkError]
    )
    def test_an_exception_stands_on_the_trail_by_its_class(
        self,
        test_database: Database,
        elsewhere: Elsewhere,
        person: UUID,
        write: Write,
        error: type[BaseException],
    ):
        with pytest.raises(error):
            play(test_database, Attempted(user_id=person), write, error("hunter2"))
        assert (elsewhere.phases(person), elsewhere.errors(person)) == (
            ["ATTEMPTED", "FAILED"],
            [None, error.__name__],
        )

    def test_an_exception_after_the_outcome_takes_it_back(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        with pytest.raises(ZeroDivisionError):
            play(
                test_database,
                Attempted(user_id=person),
                write,
                Succeeded(user_id=person),
                ZeroDivisionError(),
            )
        assert (elsewhere.has_user(person), elsewhere.phases(person)) == (
            False,
            ["ATTEMPTED", "FAILED"],
        )

    def test_attempt_and_failure_share_a_correlation(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID
    ):
        with pytest.raises(ZeroDivisionError):
            play(test_database, Attempted(user_id=person), ZeroDivisionError())
        assert len(elsewhere.correlations(person)) == 1

    def test_a_commit_that_is_refused_stands_on_the_trail(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        with pytest.raises(IntegrityError):
            play(
                test_database,
                Attempted(user_id=person),
                write,
                dangle,
                Succeeded(user_id=person),
            )
        assert (elsewhere.has_user(person), elsewhere.phases(person), elsewhere.errors(person)) == (
            False,
            ["ATTEMPTED", "FAILED"],
            [None, "IntegrityError"],
        )

    def test_a_connection_that_is_lost_stands_on_the_trail(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        def lose() -> None:
            elsewhere.end_connection(connections["default"].connection.info.backend_pid)

        with pytest.raises(OperationalError):
            play(test_database, Attempted(user_id=person), write, lose, Succeeded(user_id=person))
        assert (elsewhere.has_user(person), elsewhere.phases(person)) == (
            False,
            ["ATTEMPTED", "FAILED"],
        )

    def test_a_failure_that_cannot_be_recorded_hides_no_exception(
        self, test_database: Database, person: UUID, deaf_trail: Callable[[Phase], None]
    ):
        deaf_trail(Phase.FAILED)
        with capture_logs() as logs, pytest.raises(ZeroDivisionError):
            play(test_database, Attempted(user_id=person), ZeroDivisionError())
        assert [(log["event"], log["reason"]) for log in logs] == [
            ("outcome_not_recorded", "ZeroDivisionError")
        ]


class TestMistakes:
    """Each is refused and leaves nothing half-done. Uses `test_database`, `elsewhere`, `person`
    and `write`."""

    @pytest.mark.parametrize(
        ("events", "phases"),
        [
            ([], []),
            ([Attempted], ["ATTEMPTED", "FAILED"]),
            ([Attempted, Attempted], ["ATTEMPTED", "FAILED"]),
            ([Attempted, Succeeded, Succeeded], ["ATTEMPTED", "FAILED"]),
            ([Attempted, Succeeded, Sole], ["ATTEMPTED", "FAILED"]),
            ([Attempted, Failed, Succeeded], ["ATTEMPTED", "FAILED"]),
            ([Sole, Attempted], []),
        ],
        ids=[
            "a write before the attempt",
            "an exit without outcome",
            "a second attempt",
            "a second outcome",
            "an event after the outcome",
            "another outcome",
            "an attempt after a sole event",
        ],
    )
    def test_it_is_refused_and_rolled_back(
        self,
        test_database: Database,
        elsewhere: Elsewhere,
        person: UUID,
        write: Write,
        events: list[type[DomainEvent]],
        phases: list[str],
    ):
        acts: list[Act] = [event(user_id=person) for event in events]
        with pytest.raises(UnitOfWorkError):
            play(test_database, *acts[:1], write, *acts[1:])
        assert (elsewhere.has_user(person), elsewhere.phases(person)) == (False, phases)

    def test_a_write_after_the_outcome_is_refused(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        with pytest.raises(UnitOfWorkError):
            play(test_database, Attempted(user_id=person), Succeeded(user_id=person), write)
        assert (elsewhere.has_user(person), elsewhere.phases(person)) == (
            False,
            ["ATTEMPTED", "FAILED"],
        )

    def test_a_unit_inside_a_transaction_is_refused_before_its_attempt(
        self, transactional_db: None, elsewhere: Elsewhere, person: UUID
    ):
        with transaction.atomic(), pytest.raises(UnitOfWorkError, match="inside a transaction"):
            play(Database(), Attempted(user_id=person))
        assert elsewhere.phases(person) == []

    def test_a_unit_inside_a_unit_is_refused_before_its_attempt(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID
    ):
        def nest() -> None:
            play(test_database, Attempted(user_id=person))

        with pytest.raises(UnitOfWorkError, match="do not call handlers"):
            play(test_database, nest)
        assert elsewhere.phases(person) == []

    @pytest.mark.parametrize("event", [Attempted, Succeeded, Failed, Sole])
    def test_publishing_outside_of_a_unit_is_refused(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, event: type[DomainEvent]
    ):
        with pytest.raises(UnitOfWorkError, match="No unit of work is open"):
            SignalEventBus().publish(event(user_id=person))
        assert elsewhere.phases(person) == []

    @pytest.mark.parametrize("event", [Attempted, Succeeded, Failed, Sole])
    def test_publishing_into_a_unit_that_has_ended_is_refused(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, event: type[DomainEvent]
    ):
        with test_database.get_session() as unit:
            pass
        with pytest.raises(UnitOfWorkError, match="not open here"):
            SignalEventBus().publish(event(user_id=person), session=unit)
        assert (elsewhere.phases(person), connections["default"].in_atomic_block) == ([], False)

    def test_writing_outside_of_a_unit_is_refused(
        self, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        with pytest.raises(UnitOfWorkError, match="No unit of work is open"):
            write()
        assert not elsewhere.has_user(person)


class TestEffects:
    """Uses `test_database`, `elsewhere`, `person` and `write`."""

    def test_an_effect_runs_when_the_row_is_there_for_everybody(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        seen: list[bool] = []

        def look() -> None:
            seen.append(elsewhere.has_user(person))

        play(
            test_database,
            Attempted(user_id=person),
            write,
            lambda: unit_of_work.current().after_commit(look),
            Succeeded(user_id=person),
            lambda: seen.append(False),
        )
        assert seen == [False, True]

    @pytest.mark.parametrize("spoil", [dangle, ZeroDivisionError()], ids=["commit", "exception"])
    def test_an_effect_does_not_run_when_nothing_is_committed(
        self, test_database: Database, person: UUID, spoil: Act
    ):
        seen: list[str] = []
        with suppress(IntegrityError, ZeroDivisionError):
            play(
                test_database,
                Attempted(user_id=person),
                lambda: unit_of_work.current().after_commit(lambda: seen.append("effect")),
                spoil,
                Succeeded(user_id=person),
            )
        assert seen == []

    def test_an_effect_may_open_a_unit_of_its_own(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID
    ):
        def effect() -> None:
            play(test_database, Sole(user_id=person))

        play(test_database, lambda: unit_of_work.current().after_commit(effect))
        assert elsewhere.phases(person) == ["SOLE"]


class TestDatabaseIntegration:
    """Uses `test_database`, whose sessions have connections of their own, and `elsewhere`."""

    def test_database_connection_works(self, test_database: Database):
        """Test database connectivity."""
        with test_database.get_session():
            test_database.ping()
            assert connections["default"].is_usable()

    def test_a_session_has_a_connection_of_its_own(self, test_database: Database):
        shared = connections["default"]
        with test_database.get_session():
            assert connections["default"] is not shared

    def test_its_connection_is_closed_at_its_end(self, test_database: Database):
        with test_database.get_session():
            test_database.ping()
            own = connections["default"]
        assert own.connection is None

    def test_its_connection_is_closed_after_an_exception(self, test_database: Database):
        own = []
        with suppress(ZeroDivisionError), test_database.get_session():
            test_database.ping()
            own.append(connections["default"])
            raise ZeroDivisionError
        assert own[0].connection is None

    def test_the_shared_connection_is_back_afterwards(self, test_database: Database):
        shared = connections["default"]
        with suppress(ZeroDivisionError), test_database.get_session():
            raise ZeroDivisionError
        assert connections["default"] is shared

    def test_a_session_that_is_refused_gives_the_connection_back(self, test_database: Database):
        with test_database.get_session():
            outer = connections["default"]
            with suppress(UnitOfWorkError), test_database.get_session():
                pass
            assert connections["default"] is outer

    def test_what_one_session_commits_the_next_one_sees(
        self, test_database: Database, person: UUID, write: Write
    ):
        play(test_database, Sole(user_id=person), write)
        with test_database.get_session():
            assert DjangoUserRepository(test_database).find_by_id(person) is not None

    def test_the_isolated_session_shows_nothing_to_others(
        self, isolated_database_session: UnitOfWork, elsewhere: Elsewhere, person: UUID
    ):
        SignalEventBus().publish(Sole(user_id=person), session=isolated_database_session)
        Write(Database(), person)()
        assert (elsewhere.phases(person), elsewhere.has_user(person)) == ([], False)

    def test_a_database_that_is_away_is_told_by_ping(self, test_database: Database):
        with test_database.get_session():
            connections["default"].settings_dict["PORT"] = "1"  # of this session alone
            with pytest.raises(OperationalError):
                test_database.ping()


class TestThreads:
    """Uses `test_database`."""

    def test_each_thread_has_a_unit_of_its_own(self, test_database: Database):
        together, current = Barrier(2, timeout=5), list[tuple[UnitOfWork, UnitOfWork]]()

        def work() -> None:
            with test_database.get_session() as unit:
                together.wait()
                current.append((unit, unit_of_work.current()))
                together.wait()

        threads = [Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [unit is found for unit, found in current] == [True, True]
        assert current[0][0] is not current[1][0]

    def test_a_thread_does_not_see_the_unit_of_its_starter(self, test_database: Database):
        refused: list[UnitOfWorkError] = []

        def work() -> None:
            try:
                unit_of_work.current()
            except UnitOfWorkError as error:
                refused.append(error)

        with test_database.get_session():
            thread = Thread(target=work)
            thread.start()
            thread.join()
        assert len(refused) == 1

    def test_a_thread_cannot_publish_into_the_unit_of_its_starter(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID
    ):
        refused: list[UnitOfWorkError] = []

        def work(unit: UnitOfWork) -> None:
            try:
                SignalEventBus().publish(Attempted(user_id=person), session=unit)
            except UnitOfWorkError as error:
                refused.append(error)

        with test_database.get_session() as unit:
            thread = Thread(target=work, args=[unit])
            thread.start()
            thread.join()
        assert (len(refused), elsewhere.phases(person)) == (1, [])


class TestReceivers:
    """Uses fixtures: db, test_database, elsewhere, person, faults."""

    def test_what_a_receiver_cannot_take_is_refused(self, db: None, faults: Faults):
        faults.hears(faults.nobody())
        refused = InUnitOfWork(Handler(Database()), Database()).handle([Attempted()])
        error = assert_failure(refused, ErrorCode.AUDIT_UNAVAILABLE)
        assert isinstance(error, AuditError)
        assert error.infrastructure_code == "ConnectionRefusedError"

    def test_an_outcome_that_it_cannot_take_is_refused_and_on_record(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, faults: Faults
    ):
        faults.hears(faults.silent(), nth=2)
        acts: list[Act] = [Attempted(user_id=person), Succeeded(user_id=person)]
        refused = InUnitOfWork(Handler(test_database), test_database).handle(acts)
        error = assert_failure(refused, ErrorCode.AUDIT_UNAVAILABLE)
        assert isinstance(error, AuditError)
        assert error.infrastructure_code == "TimeoutError"
        assert elsewhere.phases(person) == ["ATTEMPTED", "FAILED"]


@pytest.fixture
def deaf_trail() -> Iterator[Callable[[Phase], None]]:
    """`deaf_trail(Phase.FAILED)`: the database refuses records of this phase."""
    deaf_to: list[Phase] = []

    def refuse(phase: Phase, **_: Any) -> None:
        if phase in deaf_to:
            raise OperationalError("hunter2")

    trail.connect(refuse)
    yield deaf_to.append
    trail.disconnect(refuse)


NOTHING_THERE = DomainError(ErrorCode.NOT_FOUND, "There is nothing here.")


@dataclass(frozen=True)
class Handler:
    """Does what the command says, and answers with `answer`."""

    database: Database
    answer: Result[UUID, DomainError] = Failure(NOTHING_THERE)

    def handle(self, command: list[Act]) -> Result[UUID, DomainError]:
        for act in command:
            if isinstance(act, BaseException):
                raise act
            if isinstance(act, DomainEvent):
                SignalEventBus().publish(act)
            else:
                act()
        return self.answer


class TestInUnitOfWork:
    """What wiring hands out. Uses `test_database`, `elsewhere`, `person`, `write` and
    `deaf_trail`."""

    def test_the_answer_is_the_handler_s(self, test_database: Database, person: UUID):
        handler = InUnitOfWork(Handler(test_database, Success(person)), test_database)
        assert assert_success(handler.handle([])) == person

    def test_a_refusal_is_committed(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        handler = InUnitOfWork(Handler(test_database), test_database)
        answer = handler.handle([Attempted(user_id=person), write, Failed(user_id=person)])
        assert assert_failure(answer, ErrorCode.NOT_FOUND) is NOTHING_THERE
        assert (elsewhere.has_user(person), elsewhere.phases(person)) == (
            True,
            ["ATTEMPTED", "FAILED"],
        )

    def test_a_surprise_is_raised(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID
    ):
        handler = InUnitOfWork(Handler(test_database), test_database)
        with pytest.raises(ZeroDivisionError):
            handler.handle([Attempted(user_id=person), ZeroDivisionError()])
        assert elsewhere.phases(person) == ["ATTEMPTED", "FAILED"]

    def test_a_broken_constraint_is_a_surprise(self, test_database: Database, person: UUID):
        handler = InUnitOfWork(Handler(test_database), test_database)
        with pytest.raises(IntegrityError):
            handler.handle([Attempted(user_id=person), dangle, Succeeded(user_id=person)])

    def test_a_database_that_goes_away_is_a_failure(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        handler = InUnitOfWork(Handler(test_database), test_database)
        with capture_logs():
            answer = handler.handle([Attempted(user_id=person), write, OperationalError("hunter2")])
        error = assert_failure(answer, ErrorCode.DATABASE_UNAVAILABLE)
        assert isinstance(error, InfrastructureError)
        assert (error.infrastructure_code, "hunter2" in repr(error)) == ("OperationalError", False)
        assert (elsewhere.has_user(person), elsewhere.phases(person)) == (
            False,
            ["ATTEMPTED", "FAILED"],
        )

    def test_what_cannot_be_recorded_does_not_begin(
        self,
        test_database: Database,
        elsewhere: Elsewhere,
        person: UUID,
        write: Write,
        deaf_trail: Callable[[Phase], None],
    ):
        deaf_trail(Phase.ATTEMPTED)
        handler = InUnitOfWork(Handler(test_database), test_database)
        with capture_logs():
            answer = handler.handle([Attempted(user_id=person), write])
        error = assert_failure(answer, ErrorCode.AUDIT_UNAVAILABLE)
        assert (type(error), "hunter2" in repr(error)) == (AuditError, False)
        assert not elsewhere.has_user(person)

    def test_an_effect_that_fails_does_not_deny_what_was_committed(
        self, test_database: Database, elsewhere: Elsewhere, person: UUID, write: Write
    ):
        def fail() -> None:
            raise OperationalError

        handler = InUnitOfWork(Handler(test_database, Success(person)), test_database)
        with capture_logs() as logs:
            answer = handler.handle(
                [
                    Attempted(user_id=person),
                    write,
                    lambda: unit_of_work.current().after_commit(fail),
                    Succeeded(user_id=person),
                ]
            )
        assert (assert_success(answer), elsewhere.has_user(person)) == (person, True)
        assert [log["event"] for log in logs] == ["effect_failed"]
