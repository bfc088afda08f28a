"""The receiver that turns events into records; where it writes is for the integration tests."""

from unittest.mock import create_autospec
from uuid import UUID

import pytest

from audit import receivers, wiring
from audit.application.recording import Recorder
from core.actions import Phase
from core.events import EventMetadata
from core.signals import trail
from core.unit_of_work import UnitOfWork
from tests.fakes.events import Sole

METADATA = EventMetadata()
ATTEMPT = UUID(int=16)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    mock: Recorder = create_autospec(Recorder, instance=True)
    mock.record.return_value = ATTEMPT  # type: ignore[attr-defined]
    monkeypatch.setattr(wiring, "recorder", lambda alias: mock)
    return mock


def unit_of_work(attempt_id: UUID | None = None) -> UnitOfWork:
    unit = UnitOfWork("default", on_failure=lambda *_: None)
    unit.attempt_id = attempt_id
    return unit


def receive(unit: UnitOfWork, phase: Phase, error: str | None = None) -> Sole:
    event = Sole()
    receivers.record_event(
        Sole, event=event, phase=phase, session=unit, metadata=METADATA, error=error
    )
    return event


class TestRecordEvent:
    """Uses fixtures: recorder."""

    def test_the_unit_of_work_keeps_the_id_of_its_attempt(self, recorder: Recorder) -> None:
        unit = unit_of_work()
        receive(unit, Phase.ATTEMPTED)
        assert unit.attempt_id == ATTEMPT

    @pytest.mark.parametrize("phase", [Phase.SUCCEEDED, Phase.FAILED])
    def test_an_outcome_is_recorded_with_its_attempt(
        self, recorder: Recorder, phase: Phase
    ) -> None:
        event = receive(unit_of_work(ATTEMPT), phase)
        recorder.record.assert_called_once_with(  # type: ignore[attr-defined]
            event, phase, METADATA, attempt=ATTEMPT, error=None
        )

    def test_a_fact_of_its_own_is_recorded_without_the_attempt(self, recorder: Recorder) -> None:
        unit = unit_of_work(ATTEMPT)
        event = receive(unit, Phase.SOLE)
        recorder.record.assert_called_once_with(  # type: ignore[attr-defined]
            event, Phase.SOLE, METADATA, attempt=None, error=None
        )

    def test_the_reason_of_an_exception_is_handed_on(self, recorder: Recorder) -> None:
        event = receive(unit_of_work(ATTEMPT), Phase.FAILED, error="ZeroDivisionError")
        recorder.record.assert_called_once_with(  # type: ignore[attr-defined]
            event, Phase.FAILED, METADATA, attempt=ATTEMPT, error="ZeroDivisionError"
        )

    def test_an_error_of_the_recorder_is_not_swallowed(self, recorder: Recorder) -> None:
        recorder.record.side_effect = OSError("disk full")  # type: ignore[attr-defined]
        with pytest.raises(OSError, match="disk full"):
            receive(unit_of_work(), Phase.ATTEMPTED)

    def test_it_is_connected_once_however_often_the_app_is_made_ready(self) -> None:
        before = len(trail.receivers)
        receivers.connect()
        assert len(trail.receivers) == before
