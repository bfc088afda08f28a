"""The trail in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import create_autospec
from uuid import UUID

import pytest

from audit.application.figures import FailingSource, Figures, SignIns
from audit.application.reading import Reader, SeenEvent
from audit.ports import Criteria, Outcomes, Source
from core.actions import Phase
from core.ids import uuid7
from tests.factories import NOON

HOURS = [NOON + timedelta(hours=hour) for hour in range(4)]
KNOWN, FORGOTTEN = uuid7(), uuid7()


@dataclass
class Counted:
    asked: list[Any] = field(default_factory=list)

    def outcomes(self, action: str, bounds: Sequence[datetime]) -> list[Outcomes]:
        self.asked.append((action, bounds))
        return [Outcomes(0, Phase.SUCCEEDED, 5), Outcomes(2, Phase.FAILED, 7)]

    def sources(
        self, action: str, phase: Phase, bounds: tuple[datetime, datetime], most: int
    ) -> list[Source]:
        self.asked.append((action, phase, bounds, most))
        return [Source(9, KNOWN), Source(2, FORGOTTEN)]


def event(entry_id: UUID, address: str | None) -> SeenEvent:
    seen: SeenEvent = create_autospec(SeenEvent, instance=True)
    object.__setattr__(seen, "id", entry_id)
    object.__setattr__(seen, "source", {"ip": address} if address else None)
    return seen


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def figures(counted: Counted) -> Figures:
    reader = create_autospec(Reader, instance=True)
    reader.among.return_value = [event(KNOWN, "192.0.2.1"), event(FORGOTTEN, None)]
    return Figures(counted, reader)


class TestFigures:
    """Uses fixtures: figures, counted."""

    def test_a_step_without_sign_ins_has_none(self, figures: Figures, counted: Counted) -> None:
        assert figures.sign_ins(HOURS) == SignIns([5, 0, 0], [0, 0, 7])
        assert counted.asked == [("user.login", HOURS)]

    def test_five_sources_with_their_addresses_as_far_as_they_can_be_read(
        self, figures: Figures, counted: Counted
    ) -> None:
        assert figures.failing_sources(HOURS[0], HOURS[-1]) == [
            FailingSource("192.0.2.1", 9, KNOWN),
            FailingSource(None, 2, FORGOTTEN),
        ]
        assert counted.asked == [("user.login", Phase.FAILED, (HOURS[0], HOURS[-1]), 5)]
        figures.reader.among.assert_called_once_with(Criteria(), [KNOWN, FORGOTTEN])  # type: ignore[attr-defined]
