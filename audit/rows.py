"""How the panel shows events: in words, and with the addresses of who is known and still there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from audit.application.explaining import Step, steps_of
from audit.application.reading import Person, SeenEvent
from core.panel.parts import parts


@dataclass(frozen=True)
class Shown:
    """A person: `page` is None where there is none of them any more."""

    text: str
    page: str | None = None


@dataclass(frozen=True)
class Row:
    step: Step
    subject: Shown | None
    actor: Shown | None

    @property
    def event(self) -> SeenEvent:
        return self.step.event


def rows_of(events: Iterable[SeenEvent]) -> list[Row]:
    return rows_of_steps(steps_of(list(events)))


def rows_of_steps(steps: Iterable[Step]) -> list[Row]:
    listed = list(steps)
    people = [person for step in listed for person in (step.event.subject, step.event.actor)]
    known = parts.name_people({one.user_id for one in people if one and one.user_id})
    return [
        Row(step, _shown(step.event.subject, known), _shown(step.event.actor, known))
        for step in listed
    ]


def _shown(person: Person | None, known: Mapping[UUID, tuple[str, str]]) -> Shown | None:
    if person is None:
        return None
    if person.user_id is None:
        return Shown(f"~{str(person.ref)[:8]}")
    return Shown(*known.get(person.user_id, (str(person.user_id),)))


def facts_of(event: SeenEvent) -> list[tuple[str, str]]:
    """What else is recorded, as people write it."""
    recorded = {**(event.personal or {}), **event.context}
    return [(name.replace("_", " "), _written(value)) for name, value in recorded.items()]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_written(each)}" for name, each in value.items()) or "nothing"
    if isinstance(value, list):
        return ", ".join(map(_written, value)) or "none"
    return str(value)
