from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

import pytest

from audit.application.recording import Recorder
from audit.domain.entry import Entry
from audit.ports import Trail
from core.actions import AuditAction, Phase
from core.events import DomainEvent, EventMetadata, personal
from core.ids import uuid7

METADATA = EventMetadata(
    ip_address="192.0.2.1", user_agent="curl/8", trace_id="a" * 32, actor_id=UUID(int=5), door="api"
)


@dataclass(frozen=True, kw_only=True)
class Happened(DomainEvent):
    action: ClassVar[AuditAction] = AuditAction.USER_LOGIN
    phase: ClassVar[Phase] = Phase.FAILED
    resource_type: ClassVar[str | None] = "session"
    email: str = personal()
    reason: str

    @property
    def resource_id(self) -> UUID | None:
        return UUID(int=8)


@dataclass
class ListTrail:
    implements = Trail
    entries: list[Entry] = field(default_factory=list)

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)


@pytest.fixture
def trail() -> ListTrail:
    return ListTrail()


def happened(user_id: UUID | None = None) -> Happened:
    return Happened(user_id=user_id, email="ada@example.com", reason="locked")


class TestRecorder:
    """Uses fixtures: trail."""

    def test_personal_fields_are_kept_apart(self, trail: ListTrail) -> None:
        Recorder(trail).record(happened(), Phase.FAILED, METADATA)
        assert trail.entries[0].personal == {
            "email": "ada@example.com",
            "ip": "192.0.2.1",
            "agent": "curl/8",
        }

    def test_the_other_fields_are_the_context_with_door_trace_and_event(
        self, trail: ListTrail
    ) -> None:
        event = happened()
        Recorder(trail).record(event, Phase.FAILED, METADATA)
        assert trail.entries[0].context == {
            "reason": "locked",
            "event": event.event_id,
            "door": "api",
            "trace": "a" * 32,
        }

    def test_an_entry_tells_who_did_what_to_whom_and_when(self, trail: ListTrail) -> None:
        event = happened(user_id=UUID(int=6))
        Recorder(trail).record(event, Phase.FAILED, METADATA)
        entry = trail.entries[0]
        assert (entry.actor, entry.subject, entry.action, entry.at) == (
            UUID(int=5),
            UUID(int=6),
            "user.login",
            event.occurred_at,
        )

    @pytest.mark.parametrize(("proved", "actor"), [(True, UUID(int=6)), (False, None)])
    def test_who_has_just_proved_who_they_are_is_the_actor(
        self, trail: ListTrail, monkeypatch: pytest.MonkeyPatch, proved: bool, actor: UUID | None
    ) -> None:
        monkeypatch.setattr(Happened, "by_subject", proved)
        Recorder(trail).record(happened(user_id=UUID(int=6)), Phase.FAILED, EventMetadata())
        assert trail.entries[0].actor == actor

    def test_an_entry_names_its_resource_and_its_request(self, trail: ListTrail) -> None:
        Recorder(trail).record(happened(), Phase.FAILED, METADATA)
        entry = trail.entries[0]
        assert (entry.resource_type, entry.resource_id) == ("session", UUID(int=8))
        assert entry.correlation == METADATA.correlation

    def test_an_attempt_gets_an_id_that_leaves_room_for_its_outcome(self, trail: ListTrail) -> None:
        entry_id = Recorder(trail).record(happened(), Phase.ATTEMPTED, METADATA)
        assert entry_id.int & 0b11 == 0
        assert trail.entries[0].attempt is None

    @pytest.mark.parametrize("phase", [Phase.SUCCEEDED, Phase.FAILED])
    def test_an_outcome_takes_the_place_beside_its_attempt(
        self, trail: ListTrail, phase: Phase
    ) -> None:
        attempt = UUID(int=uuid7().int & ~0b11)
        entry_id = Recorder(trail).record(happened(), phase, METADATA, attempt=attempt)
        assert entry_id.int == attempt.int | 1
        assert trail.entries[0].attempt == attempt

    def test_an_outcome_without_an_attempt_stands_alone(self, trail: ListTrail) -> None:
        entry_id = Recorder(trail).record(happened(), Phase.SOLE, METADATA)
        assert entry_id.int & 0b11 == 0b10

    def test_the_class_of_the_exception_is_kept(self, trail: ListTrail) -> None:
        Recorder(trail).record(happened(), Phase.FAILED, METADATA, error="IntegrityError")
        assert trail.entries[0].error == "IntegrityError"
