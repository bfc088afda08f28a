"""The ports of `audit`, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit.domain.entry import Entry
from audit.domain.subject import Subject
from audit.ports import Subjects, Trail


@dataclass
class InMemoryTrail:
    implements = Trail
    entries: list[Entry] = field(default_factory=list)

    def append(self, entry: Entry) -> None:
        if any(known.id == entry.id for known in self.entries):
            raise ValueError(f"{entry.id} is on the trail.")
        self.entries.append(entry)


@dataclass
class InMemorySubjects:
    implements = Subjects
    subjects: dict[str, Subject] = field(default_factory=dict)

    def named(self, *names: str) -> Mapping[str, Subject]:
        return {name: self.subjects.setdefault(name, Subject.new()) for name in names}
