"""The bus with signals of its own: who hears what, in which order, and what an error stops."""

import gc
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import FrozenInstanceError, dataclass, field, fields
from datetime import UTC
from typing import Any

import pytest
from django.dispatch import Signal

from core import context, signals, unit_of_work
from core.actions import Phase
from core.events import DomainEvent, EventMetadata, personal
from core.ports import EventBusProtocol, UnitOfWorkProtocol
from core.signals import SignalEventBus
from core.unit_of_work import UnitOfWorkError
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.events import Attempted, Succeeded


@dataclass(frozen=True, kw_only=True)
class SucceededTwice(Succeeded):
    pass


@dataclass
class RecordingUnit:
    """Notes what happened within `recording`; stands every event for SOLE."""

    implements = UnitOfWorkProtocol
    story: list[str] = field(default_factory=list)

    def write(self) -> None:
        self.story.append("write")

    def after_commit(self, effect: Callable[[], None]) -> None:
        self.story.append("effect")

    @contextmanager
    def recording(self, event: DomainEvent) -> Iterator[Phase]:
        self.story.append("begin")
        yield Phase.SOLE
        self.story.append("end")


class Trail:
    """What audit's receiver would be given."""

    def __init__(self, records: Signal) -> None:
        self.heard: list[dict[str, Any]] = []
        records.connect(self.hear, weak=False)

    def hear(self, **given: Any) -> None:
        self.heard.append(given)


@pytest.fixture
def bus() -> SignalEventBus:
    return SignalEventBus(events=Signal(), records=Signal())


@pytest.fixture
def unit() -> RecordingUnit:
    return RecordingUnit()


@pytest.fixture
def trail(bus: SignalEventBus) -> Trail:
    return Trail(bus.records)


class TestSubscribing:
    """Uses `bus` and `unit`."""

    def test_a_handler_hears_its_event(self, bus: SignalEventBus, unit: RecordingUnit):
        heard: list[DomainEvent] = []
        bus.subscribe(Succeeded, heard.append)
        event = Succeeded()
        bus.publish(event, session=unit)
        assert heard == [event]

    @pytest.mark.parametrize("other", [Attempted, SucceededTwice])
    def test_a_handler_hears_exactly_its_type(
        self, bus: SignalEventBus, unit: RecordingUnit, other: type[DomainEvent]
    ):
        heard: list[DomainEvent] = []
        bus.subscribe(Succeeded, heard.append)
        bus.publish(other(), session=unit)
        assert heard == []

    def test_an_event_that_nobody_subscribed_to_is_published_all_the_same(
        self, bus: SignalEventBus, unit: RecordingUnit, trail: Trail
    ):
        bus.publish(Succeeded(), session=unit)
        assert len(trail.heard) == 1

    def test_every_handler_of_a_type_hears_it_in_the_order_of_subscribing(
        self, bus: SignalEventBus, unit: RecordingUnit
    ):
        bus.subscribe(Succeeded, lambda event: unit.story.append("first"))
        bus.subscribe(Succeeded, lambda event: unit.story.append("second"))
        bus.publish(Succeeded(), session=unit)
        assert unit.story == ["begin", "first", "second", "end"]

    def test_a_handler_that_subscribes_twice_hears_once(
        self, bus: SignalEventBus, unit: RecordingUnit
    ):
        heard: list[DomainEvent] = []

        def handler(event: DomainEvent) -> None:
            heard.append(event)

        bus.subscribe(Succeeded, handler)
        bus.subscribe(Succeeded, handler)
        bus.publish(Succeeded(), session=unit)
        assert len(heard) == 1

    def test_one_handler_may_hear_two_types(self, bus: SignalEventBus, unit: RecordingUnit):
        heard: list[DomainEvent] = []

        def handler(event: DomainEvent) -> None:
            heard.append(event)

        bus.subscribe(Attempted, handler)
        bus.subscribe(Succeeded, handler)
        bus.publish(Attempted(), session=unit)
        bus.publish(Succeeded(), session=unit)
        assert [type(event) for event in heard] == [Attempted, Succeeded]

    def test_a_closure_outlives_the_function_that_made_it(
        self, bus: SignalEventBus, unit: RecordingUnit
    ):
        heard: list[DomainEvent] = []

        def subscribe() -> None:
            bus.subscribe(Succeeded, lambda event: heard.append(event))

        subscribe()
        gc.collect(0)
        bus.publish(Succeeded(), session=unit)
        assert len(heard) == 1

    def test_two_buses_with_signals_of_their_own_do_not_hear_each_other(
        self, bus: SignalEventBus, unit: RecordingUnit
    ):
        heard: list[DomainEvent] = []
        bus.subscribe(Succeeded, heard.append)
        SignalEventBus(events=Signal(), records=Signal()).publish(Succeeded(), session=unit)
        assert heard == []

    def test_without_signals_of_its_own_a_bus_is_the_house_s(self):
        bus = SignalEventBus()
        assert (bus.events, bus.records) == (signals.domain_event, signals.trail)


class TestPublishing:
    """Uses `bus`, `unit` and `trail`."""

    def test_the_trail_is_told_everything(
        self, bus: SignalEventBus, unit: RecordingUnit, trail: Trail
    ):
        event, metadata = Succeeded(), EventMetadata(trace_id="trace")
        bus.publish(event, session=unit, metadata=metadata)
        assert trail.heard == [
            {
                "signal": bus.records,
                "sender": Succeeded,
                "event": event,
                "phase": Phase.SOLE,
                "session": unit,
                "metadata": metadata,
            }
        ]

    def test_the_trail_hears_after_everybody_else_and_within_the_unit(
        self, bus: SignalEventBus, unit: RecordingUnit
    ):
        def record(**_: Any) -> None:
            unit.story.append("record")

        bus.records.connect(record)
        bus.subscribe(Succeeded, lambda event: unit.story.append("handler"))
        bus.publish(Succeeded(), session=unit)
        assert unit.story == ["begin", "handler", "record", "end"]

    def test_the_metadata_is_that_of_the_request_unless_given(
        self, bus: SignalEventBus, unit: RecordingUnit, trail: Trail
    ):
        with context.bound(EventMetadata(trace_id="trace")) as metadata:
            bus.publish(Succeeded(), session=unit)
        assert trail.heard[0]["metadata"] is metadata

    def test_the_unit_is_the_one_that_is_open_unless_given(
        self, bus: SignalEventBus, unit: RecordingUnit, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(unit_of_work, "current", lambda: unit)
        bus.publish(Succeeded())
        assert unit.story == ["begin", "end"]

    def test_outside_a_unit_of_work_nothing_is_published(self, bus: SignalEventBus, trail: Trail):
        with pytest.raises(UnitOfWorkError, match=r"^No unit of work is open"):
            bus.publish(Succeeded())
        assert trail.heard == []

    def test_a_failing_handler_stops_the_change(
        self, bus: SignalEventBus, unit: RecordingUnit, trail: Trail
    ):
        def fail(event: DomainEvent) -> None:
            raise ZeroDivisionError

        bus.subscribe(Succeeded, fail)
        with pytest.raises(ZeroDivisionError):
            bus.publish(Succeeded(), session=unit)
        assert (unit.story, trail.heard) == (["begin"], [])

    def test_a_failing_trail_stops_the_change(self, bus: SignalEventBus, unit: RecordingUnit):
        def fail(**_: Any) -> None:
            raise ZeroDivisionError

        bus.records.connect(fail)
        with pytest.raises(ZeroDivisionError):
            bus.publish(Succeeded(), session=unit)
        assert unit.story == ["begin"]


class TestStubEventBus:
    """The fake that handlers are tested with. Uses `unit`."""

    def test_it_stands_in_for_the_bus(self):
        assert isinstance(StubEventBus(), EventBusProtocol)

    @pytest.mark.parametrize("method", ["publish", "subscribe"])
    @pytest.mark.parametrize("kind", [StubEventBus, SignalEventBus])
    def test_it_has_the_signatures_of_the_bus(self, kind: type, method: str):
        expected = inspect.signature(getattr(EventBusProtocol, method))
        assert inspect.signature(getattr(kind, method)) == expected

    def test_it_keeps_what_was_published_in_order(self, unit: RecordingUnit):
        stub, events = StubEventBus(), [Attempted(), Succeeded()]
        stub.publish(events[0])
        stub.publish(events[1], session=unit, metadata=EventMetadata())
        assert stub.published_events == events

    def test_it_names_what_was_published(self):
        stub = StubEventBus()
        stub.publish(Attempted())
        assert stub.names == ["Attempted"]

    def test_it_delivers_nothing(self):
        stub, heard = StubEventBus(), list[DomainEvent]()
        stub.subscribe(Succeeded, heard.append)
        stub.publish(Succeeded())
        assert heard == []


class TestDomainEvent:
    """Uses `frozen`."""

    def test_each_event_has_an_id_of_its_own(self):
        first, second = Succeeded(), Succeeded()
        assert (first.event_id.version, first.event_id < second.event_id) == (7, True)

    def test_it_occurred_now(self, frozen: FakeClock):
        assert Succeeded().occurred_at == frozen.now()

    @pytest.mark.conforms("L3")
    def test_it_occurred_in_utc(self):
        assert Succeeded().occurred_at.tzinfo is UTC

    def test_it_may_be_about_nobody_and_nothing(self):
        event = Succeeded()
        assert (event.user_id, event.resource_type, event.resource_id) == (None, None, None)

    def test_a_field_that_tells_who_somebody_is_is_marked(self):
        @dataclass(frozen=True, kw_only=True)
        class Named(Succeeded):
            email: str = personal()

        marked = {each.name for each in fields(Named) if each.metadata.get("personal")}
        assert marked == {"email"}

    def test_a_field_that_is_marked_may_have_a_default(self):
        @dataclass(frozen=True, kw_only=True)
        class Named(Succeeded):
            email: str = personal(default="nobody@example.com")

        assert Named().email == "nobody@example.com"

    def test_a_fact_cannot_be_changed(self):
        with pytest.raises(FrozenInstanceError):
            setattr(Succeeded(), "user_id", None)  # noqa: B010  the assignment is under test

    def test_its_fields_are_given_by_name(self):
        with pytest.raises(TypeError):
            Succeeded("user")  # type: ignore[call-arg, arg-type]
