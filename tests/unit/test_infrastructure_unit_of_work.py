"""The order attempt, writes, outcome, with a transaction that only notes what is asked of it.
On a real database: tests/integration/test_database_postgres.py."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from structlog.testing import capture_logs

from core import unit_of_work
from core.actions import Phase
from core.events import DomainEvent
from core.keys import UnknownKeyError
from core.ports import UnitOfWorkProtocol
from core.unit_of_work import (
    AttemptNotRecordedError,
    NotRecordedError,
    UnitOfWork,
    UnitOfWorkError,
)
from tests.fakes.events import Attempted, Failed, Sole, Succeeded


class Story(list[str]):
    """What happened to the transaction, to the trail and outside, in order."""

    refusal: Exception | None = None  # what COMMIT answers

    def failed(self, unit: UnitOfWork, attempt: DomainEvent, error: BaseException) -> None:
        self.append(f"{type(attempt).__name__} failed: {type(error).__name__}")

    @contextmanager
    def atomic(self, using: str, durable: bool) -> Iterator[None]:
        self.append(f"begin {using}" if durable else "savepoint")
        try:
            yield
        except BaseException:
            self.append("rollback")
            raise
        if self.refusal is not None:
            raise self.refusal
        self.append("commit")


class Transaction:
    """`transaction.atomic` as the unit uses it: entered and left by hand, swallowing nothing."""

    def __init__(self, story: Story, **options: Any) -> None:
        self._block = story.atomic(**options)

    def __enter__(self) -> None:
        self._block.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if error is None:
            self._block.__exit__(None, None, None)
            return
        with suppress(type(error)):
            self._block.__exit__(kind, error, traceback)


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Story:
    story = Story()
    monkeypatch.setattr(transaction, "atomic", lambda **options: Transaction(story, **options))
    return story


@pytest.fixture
def unit(story: Story) -> UnitOfWork:
    return UnitOfWork("default", on_failure=story.failed)


def publish(unit: UnitOfWork, event: DomainEvent) -> Phase:
    with unit.recording(event) as phase:
        return phase


def play(unit: UnitOfWork, *acts: DomainEvent | BaseException | Callable[[], None]) -> None:
    """One after the other inside the unit: an event is published, an exception raised."""
    with unit:
        for act in acts:
            if isinstance(act, BaseException):
                raise act
            if isinstance(act, DomainEvent):
                publish(unit, act)
            else:
                act()


class TestOrder:
    """Uses `unit` and `story`."""

    def test_the_attempt_begins_no_transaction(self, unit: UnitOfWork, story: Story):
        with suppress(UnitOfWorkError), unit:
            publish(unit, Attempted())
        assert story == ["Attempted failed: UnitOfWorkError"]

    def test_an_attempt_is_an_attempt(self, unit: UnitOfWork):
        with unit:
            assert publish(unit, Attempted()) is Phase.ATTEMPTED
            publish(unit, Succeeded())

    def test_the_first_write_begins_the_transaction(self, unit: UnitOfWork, story: Story):
        with unit:
            publish(unit, Attempted())
            unit.write()
            assert story == ["begin default"]
            publish(unit, Succeeded())

    def test_later_writes_and_the_outcome_join_it(self, unit: UnitOfWork, story: Story):
        with unit:
            publish(unit, Attempted())
            unit.write()
            unit.write()
            publish(unit, Succeeded())
        assert story == ["begin default", "commit"]

    def test_an_outcome_without_writes_has_a_transaction_too(self, unit: UnitOfWork, story: Story):
        with unit:
            publish(unit, Attempted())
            publish(unit, Failed())
        assert story == ["begin default", "commit"]

    def test_a_unit_in_which_nothing_happened_begins_nothing(self, unit: UnitOfWork, story: Story):
        with unit:
            pass
        assert story == []

    @pytest.mark.parametrize("event", [Succeeded, Failed, Sole])
    def test_an_event_without_an_attempt_stands_alone(
        self, unit: UnitOfWork, event: type[DomainEvent]
    ):
        with unit:
            assert publish(unit, event()) is Phase.SOLE

    @pytest.mark.parametrize("event", [Succeeded, Failed])
    def test_an_outcome_after_its_attempt_is_an_outcome(
        self, unit: UnitOfWork, event: type[DomainEvent]
    ):
        with unit:
            publish(unit, Attempted())
            assert publish(unit, event()) is event.phase

    def test_a_sole_event_within_an_attempt_does_not_end_it(self, unit: UnitOfWork, story: Story):
        with unit:
            publish(unit, Attempted())
            publish(unit, Sole())
            publish(unit, Succeeded())
        assert story == ["begin default", "commit"]

    def test_after_a_sole_event_rows_may_be_written(self, unit: UnitOfWork, story: Story):
        with unit:
            publish(unit, Sole())
            unit.write()
        assert story == ["begin default", "commit"]

    def test_several_sole_events_share_a_transaction(self, unit: UnitOfWork, story: Story):
        with unit:
            publish(unit, Sole())
            publish(unit, Sole())
        assert story == ["begin default", "commit"]

    def test_it_stands_in_for_its_port(self, unit: UnitOfWork):
        assert isinstance(unit, UnitOfWorkProtocol)


class TestMistakes:
    """Each is refused and leaves nothing half-done. Uses `unit` and `story`."""

    def test_a_write_before_its_event(self, unit: UnitOfWork, story: Story):
        with pytest.raises(UnitOfWorkError, match=r"^A write before its event"), unit:
            unit.write()
        assert story == []

    def test_a_second_attempt(self, unit: UnitOfWork, story: Story):
        with pytest.raises(UnitOfWorkError, match=r"^Attempted is not the first event"):
            play(unit, Attempted(), Attempted())
        assert story == ["Attempted failed: UnitOfWorkError"]

    def test_an_attempt_after_a_sole_event(self, unit: UnitOfWork, story: Story):
        with pytest.raises(UnitOfWorkError, match=r"^Attempted is not the first event"):
            play(unit, Sole(), Attempted())
        assert story == ["begin default", "rollback"]

    @pytest.mark.parametrize("late", [Attempted, Succeeded, Failed, Sole])
    def test_an_event_after_the_outcome(
        self, unit: UnitOfWork, story: Story, late: type[DomainEvent]
    ):
        name = late.__name__
        with pytest.raises(UnitOfWorkError, match=f"^{name} came after the outcome"):
            play(unit, Attempted(), Succeeded(), late())
        assert story == ["begin default", "rollback", "Attempted failed: UnitOfWorkError"]

    def test_a_write_after_the_outcome(self, unit: UnitOfWork, story: Story):
        with pytest.raises(UnitOfWorkError, match=r"^A write after the outcome"):
            play(unit, Attempted(), Succeeded(), unit.write)
        assert story == ["begin default", "rollback", "Attempted failed: UnitOfWorkError"]

    def test_an_attempt_that_is_left_without_outcome(self, unit: UnitOfWork, story: Story):
        with pytest.raises(UnitOfWorkError, match=r"^Attempted was left without outcome"):
            play(unit, Attempted(), unit.write)
        assert story == ["begin default", "rollback", "Attempted failed: UnitOfWorkError"]

    def test_a_unit_within_a_unit(self, unit: UnitOfWork, story: Story):
        inner = UnitOfWork("default", on_failure=story.failed)
        with pytest.raises(UnitOfWorkError, match=r"^Handlers do not call handlers"), unit, inner:
            pass

    def test_the_outer_unit_stays_open_when_an_inner_one_is_refused(
        self, unit: UnitOfWork, story: Story
    ):
        with unit:
            with suppress(UnitOfWorkError), UnitOfWork("default", on_failure=story.failed):
                pass
            assert unit_of_work.current() is unit

    def test_to_ask_for_a_unit_outside_of_one(self):
        with pytest.raises(UnitOfWorkError, match=r"^No unit of work is open"):
            unit_of_work.current()

    @pytest.mark.parametrize("event", [Attempted, Sole])
    def test_an_event_for_a_unit_that_has_ended(
        self, unit: UnitOfWork, story: Story, event: type[DomainEvent]
    ):
        with unit:
            pass
        with pytest.raises(UnitOfWorkError, match=r"^This unit of work is not open here"):
            publish(unit, event())
        assert story == []

    def test_a_write_in_a_unit_that_has_ended(self, unit: UnitOfWork, story: Story):
        with unit:
            publish(unit, Sole())
        with pytest.raises(UnitOfWorkError, match=r"^This unit of work is not open here"):
            unit.write()
        assert story == ["begin default", "commit"]

    def test_an_effect_of_a_unit_that_has_ended(self, unit: UnitOfWork):
        with unit:
            pass
        with pytest.raises(UnitOfWorkError, match=r"^This unit of work is not open here"):
            unit.after_commit(lambda: None)

    def test_an_event_from_another_thread(self, unit: UnitOfWork, story: Story):
        """Its connection is another one, whose transaction nobody here would end."""
        refused: list[UnitOfWorkError] = []

        def elsewhere() -> None:
            try:
                publish(unit, Sole())
            except UnitOfWorkError as error:
                refused.append(error)

        with unit:
            thread = Thread(target=elsewhere)
            thread.start()
            thread.join()
        assert (len(refused), story) == (1, [])


class TestEnd:
    """Uses `unit` and `story`."""

    def test_it_is_current_from_beginning_to_end(self, unit: UnitOfWork):
        with unit as opened:
            assert unit_of_work.current() is opened

    def test_it_is_not_current_afterwards(self, unit: UnitOfWork):
        with unit:
            pass
        with pytest.raises(UnitOfWorkError):
            unit_of_work.current()

    def test_it_is_not_current_after_an_exception(self, unit: UnitOfWork):
        with suppress(ZeroDivisionError), unit:
            raise ZeroDivisionError
        with pytest.raises(UnitOfWorkError):
            unit_of_work.current()

    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
    def test_an_exception_rolls_back_and_stands_on_the_trail(
        self, unit: UnitOfWork, story: Story, error: type[BaseException]
    ):
        with pytest.raises(error):
            play(unit, Attempted(), unit.write, error())
        assert story == ["begin default", "rollback", f"Attempted failed: {error.__name__}"]

    def test_an_exception_before_the_first_write_stands_on_the_trail(
        self, unit: UnitOfWork, story: Story
    ):
        with pytest.raises(ZeroDivisionError):
            play(unit, Attempted(), ZeroDivisionError())
        assert story == ["Attempted failed: ZeroDivisionError"]

    def test_an_exception_after_the_outcome_takes_the_outcome_back(
        self, unit: UnitOfWork, story: Story
    ):
        with pytest.raises(ZeroDivisionError):
            play(unit, Attempted(), Succeeded(), ZeroDivisionError())
        assert story == ["begin default", "rollback", "Attempted failed: ZeroDivisionError"]

    def test_an_exception_without_an_attempt_has_no_outcome(self, unit: UnitOfWork, story: Story):
        with pytest.raises(ZeroDivisionError):
            play(unit, Sole(), ZeroDivisionError())
        assert story == ["begin default", "rollback"]

    @pytest.mark.parametrize("refusal", [IntegrityError, OperationalError, InterfaceError])
    def test_a_refused_commit_stands_on_the_trail(
        self, unit: UnitOfWork, story: Story, refusal: type[Exception]
    ):
        story.refusal = refusal()
        with pytest.raises(refusal):
            play(unit, Attempted(), Succeeded())
        assert story == ["begin default", f"Attempted failed: {refusal.__name__}"]

    @pytest.mark.parametrize(
        "refusal", [IntegrityError, OperationalError, InterfaceError, UnknownKeyError, OSError]
    )
    def test_an_attempt_that_cannot_be_recorded_is_none(
        self, unit: UnitOfWork, story: Story, refusal: type[Exception]
    ):
        with pytest.raises(AttemptNotRecordedError) as error, unit, unit.recording(Attempted()):
            raise refusal
        assert (type(error.value.__cause__), story) == (refusal, [])

    def test_an_outcome_that_cannot_be_recorded_rolls_back(self, unit: UnitOfWork, story: Story):
        def refuse() -> None:
            with unit.recording(Succeeded()):
                raise IntegrityError

        with pytest.raises(IntegrityError):
            play(unit, Attempted(), refuse)
        assert story == ["begin default", "rollback", "Attempted failed: IntegrityError"]

    @pytest.mark.parametrize("refusal", [UnknownKeyError, ConnectionRefusedError, TimeoutError])
    def test_an_outcome_that_nobody_takes_rolls_back_and_says_so(
        self, unit: UnitOfWork, story: Story, refusal: type[Exception]
    ):
        def refuse() -> None:
            with unit.recording(Succeeded()):
                raise refusal

        with pytest.raises(NotRecordedError) as error:
            play(unit, Attempted(), refuse)
        assert type(error.value.__cause__) is refusal
        assert story == ["begin default", "rollback", "Attempted failed: NotRecordedError"]


class TestEffects:
    """Uses `unit` and `story`."""

    def test_they_run_after_the_commit_in_their_order(self, unit: UnitOfWork, story: Story):
        with unit:
            publish(unit, Attempted())
            unit.after_commit(lambda: story.append("first"))
            unit.after_commit(lambda: story.append("second"))
            publish(unit, Succeeded())
        assert story == ["begin default", "commit", "first", "second"]

    def test_a_refusal_commits_and_has_its_effects(self, unit: UnitOfWork, story: Story):
        with unit:
            publish(unit, Attempted())
            unit.after_commit(lambda: story.append("effect"))
            publish(unit, Failed())
        assert story == ["begin default", "commit", "effect"]

    def test_they_do_not_run_when_the_unit_rolls_back(self, unit: UnitOfWork, story: Story):
        with suppress(ZeroDivisionError), unit:
            publish(unit, Attempted())
            unit.after_commit(lambda: story.append("effect"))
            raise ZeroDivisionError
        assert story == ["Attempted failed: ZeroDivisionError"]

    def test_they_do_not_run_when_the_commit_is_refused(self, unit: UnitOfWork, story: Story):
        story.refusal = IntegrityError()
        with suppress(IntegrityError), unit:
            publish(unit, Attempted())
            unit.after_commit(lambda: story.append("effect"))
            publish(unit, Succeeded())
        assert story == ["begin default", "Attempted failed: IntegrityError"]

    def test_they_do_not_run_when_the_outcome_is_missing(self, unit: UnitOfWork, story: Story):
        with suppress(UnitOfWorkError), unit:
            publish(unit, Attempted())
            unit.after_commit(lambda: story.append("effect"))
        assert story == ["Attempted failed: UnitOfWorkError"]

    def test_they_run_outside_of_the_unit(self, unit: UnitOfWork, story: Story):
        def effect() -> None:
            with UnitOfWork("default", on_failure=story.failed):
                story.append("another unit")

        with unit:
            unit.after_commit(effect)
        assert story == ["another unit"]

    def test_one_that_fails_keeps_no_other_from_running(self, unit: UnitOfWork, story: Story):
        def fail() -> None:
            raise OperationalError

        with capture_logs(), unit:
            unit.after_commit(fail)
            unit.after_commit(lambda: story.append("the next"))
        assert story == ["the next"]

    def test_one_that_fails_is_logged_with_its_error(self, unit: UnitOfWork):
        error = OperationalError()

        def fail() -> None:
            raise error

        with capture_logs() as logs, unit:
            unit.after_commit(fail)
        assert logs == [{"event": "effect_failed", "log_level": "error", "exc_info": error}]
