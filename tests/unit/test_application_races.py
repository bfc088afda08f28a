"""The trials of `trials/races`: that their look at what came of a round is not blind."""

from typing import Any

import pytest

from audit.domain.entry import attempt_id, outcome_id
from audit.models import AuditEvent
from core.actions import AuditAction, Phase
from core.errors import DomainError, ErrorCode
from core.result import Failure, Success
from trials.races.crew import Raised
from trials.races.ground import Broken, Heat, expect

ONE, OTHER = attempt_id(), attempt_id()
REFUSED = Failure(DomainError(ErrorCode.INVALID_GRANT, "No."))


def record(pk: Any, phase: Phase) -> AuditEvent:
    return AuditEvent(pk=pk, phase=phase, action=AuditAction.SESSION_REFRESHED)


ATTEMPTS = [record(ONE, Phase.ATTEMPTED), record(OTHER, Phase.ATTEMPTED)]
OUTCOMES = [record(outcome_id(ONE), Phase.SUCCEEDED), record(outcome_id(OTHER), Phase.FAILED)]


class TestRecords:
    def test_what_was_told_and_recorded_alike_is_in_order(self) -> None:
        heat = Heat([Success(1), REFUSED], ATTEMPTS + OUTCOMES)
        heat.check_results()
        heat.check_records()
        assert heat.refusals == {ErrorCode.INVALID_GRANT: 1}

    @pytest.mark.parametrize(
        ("results", "events", "seen"),
        [
            ([Success(1), REFUSED], ATTEMPTS + OUTCOMES[:1], "no outcome"),
            ([Success(1), REFUSED], ATTEMPTS[:1] + OUTCOMES, "1 attempts"),
            ([Success(1), Success(1)], ATTEMPTS + OUTCOMES, "told were"),
        ],
    )
    def test_what_is_missing_or_told_otherwise_is_seen(
        self, results: list[Any], events: list[AuditEvent], seen: str
    ) -> None:
        with pytest.raises(Broken, match=seen):
            Heat(results, events).check_records()


class TestResults:
    def test_an_exception_breaks_the_round(self) -> None:
        with pytest.raises(Broken, match="ValueError: no"):
            Heat([Raised("Traceback …\nValueError: no\n")], []).check_results()

    @pytest.mark.parametrize("code", [ErrorCode.DATABASE_UNAVAILABLE, ErrorCode.AUDIT_UNAVAILABLE])
    def test_so_does_whoever_is_told_to_try_again(self, code: ErrorCode) -> None:
        with pytest.raises(Broken, match=code):
            Heat([Failure(DomainError(code, "Later."))], []).check_results()

    def test_what_is_expected_and_so_breaks_nothing(self) -> None:
        expect(True, "nothing")
