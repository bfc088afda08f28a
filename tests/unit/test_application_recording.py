from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest

from audit.application.recording import Recorder
from audit.domain.entry import Entry
from core.actions import AuditAction, Phase
from core.events import DomainEvent, EventMetadata, personal
from core.ids import uuid7
from tests.fakes.audit import InMemorySubjects, InMemoryTrail
from tests.fakes.clock import FakeClock

ACTOR, PERSON = UUID(int=5), UUID(int=6)
METADATA = EventMetadata(
    ip_address="192.0.2.1", user_agent="curl/8", trace_id="a" * 32, actor_id=ACTOR, door="api"
)


@dataclass(frozen=True, kw_only=True)
class Happened(DomainEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_LOGIN
    phase: ClassVar[Phase] = Phase.FAILED
    resource_type: ClassVar[str | None] = "session"
    email: str = personal()
    name: str | None = personal(default=None)
    reason: str

    @property
    def resource_id(self) -> UUID | None:
        return UUID(int=8)


@dataclass(frozen=True, kw_only=True)
class HappenedToAUser(Happened):
    resource_type: ClassVar[str | None] = "user"
    whom: UUID | None = personal(default=None)

    @property
    def resource_id(self) -> UUID | None:
        return self.whom


@dataclass
class House:
    clock: FakeClock
    trail: InMemoryTrail = field(default_factory=InMemoryTrail)
    subjects: InMemorySubjects = field(default_factory=InMemorySubjects)

    def record(
        self,
        event: DomainEvent | None = None,
        phase: Phase = Phase.FAILED,
        metadata: EventMetadata = METADATA,
        **over: Any,
    ) -> Entry:
        recorder = Recorder(self.trail, self.subjects, self.clock)
        entry_id = recorder.record(event or happened(), phase, metadata, **over)
        entry = self.trail.entries[-1]
        assert entry.id == entry_id
        return entry

    def ref(self, name: str) -> UUID:
        return self.subjects.subjects[name].ref

    def revealed(self, name: str, concealed: str | None, entry: Entry) -> dict[str, Any] | None:
        assert concealed is not None
        return self.subjects.subjects[name].reveal(concealed, entry.id)


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


def happened(user_id: UUID | None = None, **over: Any) -> Happened:
    return Happened(**{"user_id": user_id, "email": "ada@example.com", "reason": "locked"} | over)


class TestRecorder:
    """Uses fixtures: house (the recorder with its ports in memory, at noon of 2024-01-01)."""

    def test_the_fields_that_are_not_personal_are_the_context_with_door_trace_and_event(
        self, house: House
    ) -> None:
        event = happened()
        assert house.record(event).context == {
            "reason": "locked",
            "event": event.event_id,
            "door": "api",
            "trace": "a" * 32,
        }

    @pytest.mark.conforms("L2")
    def test_an_entry_names_its_action_its_time_its_resource_and_its_request(
        self, house: House
    ) -> None:
        event = happened()
        entry = house.record(event)
        assert (entry.action, entry.at) == ("user.login", event.occurred_at)
        assert (entry.resource_type, entry.resource_id) == ("session", UUID(int=8))
        assert entry.correlation == METADATA.correlation

    def test_an_attempt_gets_an_id_that_leaves_room_for_its_outcome(self, house: House) -> None:
        entry = house.record(phase=Phase.ATTEMPTED)
        assert (entry.id.int & 0b11, entry.attempt) == (0b00, None)

    @pytest.mark.parametrize("phase", [Phase.SUCCEEDED, Phase.FAILED])
    def test_an_outcome_takes_the_place_beside_its_attempt(
        self, house: House, phase: Phase
    ) -> None:
        attempt = UUID(int=uuid7().int & ~0b11)
        entry = house.record(phase=phase, attempt=attempt)
        assert (entry.id.int, entry.attempt) == (attempt.int | 1, attempt)

    def test_an_outcome_without_an_attempt_stands_alone(self, house: House) -> None:
        assert house.record(phase=Phase.SOLE).id.int & 0b11 == 0b10

    def test_the_class_of_the_exception_is_kept(self, house: House) -> None:
        assert house.record(error="IntegrityError").error == "IntegrityError"

    def test_long_text_is_cut_before_it_is_recorded(self, house: House) -> None:
        entry = house.record(happened(PERSON, reason="x" * 5000, email="y" * 5000))
        told = house.revealed(f"user:{PERSON}", entry.pii, entry)
        assert (len(entry.context["reason"]), len((told or {})["email"])) == (1024, 1024)


class TestPeople:
    """Uses fixtures: house. Nobody stands on the trail but under a pseudonym."""

    @pytest.mark.conforms("L2")
    def test_actor_and_subject_stand_there_by_their_pseudonyms(self, house: House) -> None:
        entry = house.record(happened(PERSON))
        assert (entry.actor, entry.subject) == (
            house.ref(f"user:{ACTOR}"),
            house.ref(f"user:{PERSON}"),
        )
        assert {entry.actor, entry.subject}.isdisjoint({ACTOR, PERSON})

    def test_the_same_person_has_the_same_pseudonym_again(self, house: House) -> None:
        first, second = house.record(happened(PERSON)), house.record(happened(PERSON))
        assert first.subject == second.subject

    def test_no_id_of_a_person_is_among_the_bytes(self, house: House) -> None:
        raw = house.record(HappenedToAUser(email="e", reason="r", user_id=PERSON, whom=PERSON))
        text = raw.encoded().decode()
        assert (str(ACTOR) in text, str(PERSON) in text) == (False, False)

    def test_a_resource_that_is_a_person_stands_there_by_its_pseudonym(self, house: House) -> None:
        whom = UUID(int=7)
        entry = house.record(HappenedToAUser(email="e", reason="r", user_id=PERSON, whom=whom))
        assert (entry.resource_type, entry.resource_id) == ("user", house.ref(f"user:{whom}"))

    def test_a_resource_that_is_a_person_who_is_not_known_stays_nobody(self, house: House) -> None:
        entry = house.record(HappenedToAUser(email="e", reason="r"))
        assert (entry.resource_type, entry.resource_id) == ("user", None)

    def test_somebody_who_is_not_known_is_somebody_of_that_day(self, house: House) -> None:
        entry = house.record(happened(), metadata=EventMetadata(ip_address="192.0.2.1"))
        assert (entry.subject, entry.actor) == (house.ref("day:2024-01-01"), None)

    def test_a_day_later_the_unknown_are_others(self, house: House) -> None:
        today = house.record(happened())
        house.clock.advance(timedelta(days=1))
        assert house.record(happened()).subject != today.subject

    @pytest.mark.parametrize("proved", [True, False])
    def test_who_has_just_proved_who_they_are_is_the_actor(
        self, house: House, monkeypatch: pytest.MonkeyPatch, proved: bool
    ) -> None:
        monkeypatch.setattr(Happened, "by_subject", proved)
        entry = house.record(happened(PERSON), metadata=EventMetadata())
        assert entry.actor == (house.ref(f"user:{PERSON}") if proved else None)

    def test_who_is_signed_in_is_the_actor_whoever_it_is_about(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Happened, "by_subject", True)
        assert house.record(happened(PERSON)).actor == house.ref(f"user:{ACTOR}")


class TestPersonalFacts:
    """Uses fixtures: house."""

    def test_what_tells_who_somebody_is_stands_under_the_key_of_the_subject(
        self, house: House
    ) -> None:
        entry = house.record(happened(PERSON, name="Ada"))
        told = house.revealed(f"user:{PERSON}", entry.pii, entry)
        assert told == {"email": "ada@example.com", "name": "Ada"}

    def test_where_the_actor_came_from_stands_under_the_key_of_the_actor(
        self, house: House
    ) -> None:
        entry = house.record(happened(PERSON))
        told = house.revealed(f"user:{ACTOR}", entry.source, entry)
        assert told == {"ip": "192.0.2.1", "agent": "curl/8"}

    def test_neither_key_opens_what_is_under_the_other(self, house: House) -> None:
        entry = house.record(happened(PERSON))
        assert house.revealed(f"user:{ACTOR}", entry.pii, entry) is None
        assert house.revealed(f"user:{PERSON}", entry.source, entry) is None

    def test_what_comes_from_nobody_known_stands_under_the_key_of_the_day(
        self, house: House
    ) -> None:
        entry = house.record(happened(), metadata=EventMetadata(ip_address="192.0.2.1"))
        assert house.revealed("day:2024-01-01", entry.pii, entry) == {"email": "ada@example.com"}
        assert house.revealed("day:2024-01-01", entry.source, entry) == {"ip": "192.0.2.1"}

    def test_nothing_personal_is_among_the_bytes(self, house: House) -> None:
        raw = house.record(happened(PERSON, name="Ada Lovelace")).encoded()
        personal_facts = (b"ada@example.com", b"Ada Lovelace", b"192.0.2.1", b"curl/8")
        assert [fact for fact in personal_facts if fact in raw] == []

    def test_what_is_not_known_leaves_nothing(self, house: House) -> None:
        entry = house.record(happened(), metadata=EventMetadata())
        assert (entry.source, entry.ip_bi) == (None, None)

    def test_an_address_is_found_again_within_its_month(self, house: House) -> None:
        first = house.record(happened(PERSON))
        house.clock.advance(timedelta(days=29))
        second = house.record(happened(ACTOR))
        addresses = house.subjects.subjects["ip:2024-01"]
        assert first.ip_bi == second.ip_bi == addresses.blind("192.0.2.1")

    def test_another_month_has_another_index_of_addresses(self, house: House) -> None:
        first = house.record(happened(PERSON))
        house.clock.current = datetime(2024, 2, 1, tzinfo=UTC)
        assert house.record(happened(PERSON)).ip_bi != first.ip_bi
