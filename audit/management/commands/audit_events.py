"""What can stand on the trail."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import groupby
from typing import Any

from django.core.management import BaseCommand
from django.utils.module_loading import autodiscover_modules

from core.actions import Phase
from core.events import DomainEvent

_HEAD = """# What can stand on the trail

Each event is a class of a context's `domain/events.py`; `manage.py audit_events` prints this page.
Every entry also says when, who, by which door, in which request, and from where. What is *in
italics* is personal: it is encrypted under the key of the person, and goes with it.

"""

_PLACES = (".domain.events", "core.events")


class Command(BaseCommand):
    help = (
        "Prints every event that can be recorded, with its phases and fields, as Markdown."
        " Example: manage.py audit_events > docs/reference/events.md"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        autodiscover_modules("domain.events")
        self.stdout.write(_HEAD, ending="")
        events = sorted(_classes(DomainEvent), key=lambda each: (each.action, each.phase))
        for context, its_events in groupby(events, key=lambda each: each.action.split(".")[0]):
            self.stdout.write(f"## {context}\n")
            self.stdout.write("| Action | Phase | About | Says | Event |")
            self.stdout.write("|---|---|---|---|---|")
            for event in its_events:
                self.stdout.write(_row(event))
            self.stdout.write("")


def _classes(base: type[DomainEvent]) -> Iterator[type[DomainEvent]]:
    """Those of the contexts that can be recorded: what is only a base has no action."""
    for event in base.__subclasses__():
        if hasattr(event, "action") and event.__module__.endswith(_PLACES):
            yield event
        yield from _classes(event)


def _row(event: type[DomainEvent]) -> str:
    said = ", ".join(_fields(event)) or "-"
    about = event.resource_type or "-"
    name = f"`{event.__name__}`{_explained(event)}"
    return f"| `{event.action}` | {Phase(event.phase).name} | {about} | {said} | {name} |"


def _explained(event: type[DomainEvent]) -> str:
    words = " ".join((event.__doc__ or "").split())
    # A dataclass without a docstring gets its signature for one.
    return "" if words.startswith(f"{event.__name__}(") else f": {words}"


def _fields(event: type[DomainEvent]) -> Iterator[str]:
    shared = {each.name for each in fields(DomainEvent)}
    for each in fields(event):
        if each.name not in shared:
            yield f"*{each.name}*" if each.metadata.get("personal") else each.name
