import re

import pytest

import sessions_app.domain.events  # noqa: F401  so that every event there is can be found
import users.domain.events  # noqa: F401
from core.actions import OUTCOMES, AuditAction, Phase
from core.events import DomainEvent


def subclasses(kind: type[DomainEvent]) -> list[type[DomainEvent]]:
    return [each for sub in kind.__subclasses__() for each in (sub, *subclasses(sub))]


EVENTS = [
    event
    for event in subclasses(DomainEvent)
    if hasattr(event, "action") and event.__module__.startswith(("users", "sessions_app"))
]


class TestAuditAction:
    """The trail stores these words for years."""

    def test_user_registered(self):
        assert AuditAction.USER_REGISTERED.value == "user.registered"

    def test_an_action_is_text(self):
        assert f"{AuditAction.USER_LOGIN}" == "user.login"

    def test_no_two_actions_are_the_same(self):
        assert len({action.value for action in AuditAction}) == len(AuditAction.__members__)

    @pytest.mark.parametrize("action", list(AuditAction))
    def test_an_action_is_a_thing_and_what_was_done_to_it(self, action: AuditAction):
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", action.value)

    @pytest.mark.parametrize("action", list(AuditAction))
    def test_an_action_is_named_as_it_is_spelt(self, action: AuditAction):
        assert action.name == action.value.replace(".", "_").upper()

    @pytest.mark.parametrize("action", list(AuditAction))
    def test_an_action_fits_its_column(self, action: AuditAction):
        assert len(action) <= 64


class TestPhase:
    """The numbers are stored, and a constraint of the table knows them."""

    def test_the_numbers_never_change(self):
        assert {phase.name: phase.value for phase in Phase} == {
            "ATTEMPTED": 1,
            "SUCCEEDED": 2,
            "FAILED": 3,
            "ABANDONED": 4,
            "SOLE": 5,
        }

    def test_what_a_handler_may_end_with(self):
        assert {Phase.SUCCEEDED, Phase.FAILED} == OUTCOMES


class TestEvents:
    """Every event class of every context says what it is on the trail."""

    def test_there_are_events_to_look_at(self):
        assert len(EVENTS) >= 20

    @pytest.mark.parametrize("event", EVENTS)
    def test_an_event_names_its_action(self, event: type[DomainEvent]):
        assert isinstance(event.action, AuditAction)

    @pytest.mark.parametrize("event", EVENTS)
    def test_an_event_is_named_after_its_phase(self, event: type[DomainEvent]):
        endings = {
            Phase.ATTEMPTED: "Attempted",
            Phase.SUCCEEDED: "Succeeded",
            Phase.FAILED: "Failed",
        }
        ended = [phase for phase, ending in endings.items() if event.__name__.endswith(ending)]
        assert (ended or [Phase.SOLE]) == [event.phase]

    @pytest.mark.parametrize("event", [event for event in EVENTS if event.phase is Phase.ATTEMPTED])
    def test_whatever_is_attempted_can_succeed_and_fail(self, event: type[DomainEvent]):
        phases = {other.phase for other in EVENTS if other.action is event.action}
        assert phases >= {Phase.ATTEMPTED, Phase.SUCCEEDED, Phase.FAILED}
