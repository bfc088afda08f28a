"""Whether pseudonyms still stand for the people that they stood for."""

from collections.abc import Iterator

from audit.domain.findings import Finding, Kind
from audit.domain.subject import DamagedSubjectError, Subject
from audit.ports import Evidence
from core.keys import KeyRing, UnknownKeyError


def findings_of_people(evidence: Evidence, keys: KeyRing) -> Iterator[Finding]:
    """A key is bound to its pseudonym and its name; and who was erased is so on record."""
    recorded = evidence.erased_refs()
    for ref, name, wrapped in evidence.subjects():
        if name is None or wrapped is None:
            if recorded is not None and ref not in recorded:
                yield Finding(Kind.SUBJECT, f"{ref} was erased without a record")
            continue
        try:
            Subject.unwrapped(ref, name, wrapped, keys)
        except DamagedSubjectError:
            yield Finding(Kind.SUBJECT, f"{ref} does not stand for {name}, or its key was changed")
        except UnknownKeyError:  # not configured here: nothing can be said
            continue
