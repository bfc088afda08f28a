"""What was recorded, told again to people; and that somebody looked is on record."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from uuid import UUID

import pytest

from audit.application.following import Follower
from audit.application.proving import Prover
from audit.application.reading import (
    ExportEvents,
    ExportEventsHandler,
    Person,
    Reader,
    SeenEvent,
    ViewEvent,
    ViewEventHandler,
    ViewEvents,
    ViewEventsHandler,
    own_activity,
    told,
)
from audit.domain.entry import Entry, sole_id
from audit.domain.events import EventsExported, EventViewed, TrailViewed
from audit.domain.log import Cursor, Row
from audit.domain.subject import NamedSubject, Subject, named_day, named_user
from audit.ports import Criteria, Recorded
from core.actions import Phase
from core.errors import ErrorCode
from core.ids import uuid7
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_entry
from tests.fakes.event_bus import StubEventBus
from tests.memory_trail import MemoryTrail

ADA, BOB = uuid7(), uuid7()
ANYBODY = Criteria()


@dataclass
class Events:
    """Recorded in this order; each of its ids is later than the one before."""

    rows: list[Recorded] = field(default_factory=list)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def add(self, entry: Entry, *, is_sealed: bool = True) -> UUID:
        self.rows.append(Recorded(entry.encoded(), NOON, is_sealed))
        return entry.id

    def newest(self, criteria: Criteria, before: UUID | None, size: int) -> list[Recorded]:
        self.asked.append(("newest", criteria))
        rows = [row for row in self.rows if before is None or id_of(row) < before]
        return rows[::-1][:size]

    def oldest(self, criteria: Criteria, after: UUID | None, size: int) -> list[Recorded]:
        self.asked.append(("oldest", after))
        return [row for row in self.rows if after is None or id_of(row) > after][:size]

    def among(self, criteria: Criteria, ids: Sequence[UUID]) -> list[Recorded]:
        self.asked.append(("among", criteria))
        return [row for row in self.rows if id_of(row) in ids]

    def find(self, entry_id: UUID) -> Recorded | None:
        return next((row for row in self.rows if id_of(row) == entry_id), None)


@dataclass
class Directory:
    """Whom pseudonyms stand for."""

    named: dict[str, Subject] = field(default_factory=dict)

    def by_ref(self, *refs: UUID) -> Sequence[NamedSubject]:
        known = self.named.items()
        return [NamedSubject(name, subject) for name, subject in known if subject.ref in refs]

    def by_name(self, *names: str) -> Sequence[NamedSubject]:
        return [NamedSubject(name, self.named[name]) for name in names if name in self.named]


@cache
def id_of(row: Recorded) -> UUID:
    return UUID(json.loads(row.entry)["id"])


@dataclass
class House:
    """Ada and Bob are known; so is the pseudonym of those who were nobody on that day."""

    events: Events = field(default_factory=Events)
    people: Directory = field(default_factory=Directory)
    bus: StubEventBus = field(default_factory=StubEventBus)

    def __post_init__(self) -> None:
        for name in (named_user(ADA), named_user(BOB), named_day(NOON)):
            self.people.named[name] = Subject.new()

    @property
    def reader(self) -> Reader:
        return Reader(events=self.events, subjects=self.people)

    def of(self, user_id: UUID) -> Subject:
        return self.people.named[named_user(user_id)]

    def record(self, *, is_sealed: bool = True, by_nobody: bool = False, **over: Any) -> UUID:
        """Ada has done something to Bob's account."""
        entry_id = sole_id()
        actor = self.people.named[named_day(NOON)] if by_nobody else self.of(ADA)
        values: dict[str, Any] = {
            "id": entry_id,
            "actor": None if by_nobody else actor.ref,
            "subject": self.of(BOB).ref,
            "resource_id": self.of(BOB).ref,
            "context": {"old": "user", "door": "api", "trace": "t1", "event": str(uuid7())},
            "pii": self.of(BOB).conceal({"email": "bob@example.com"}, entry_id),
            "source": actor.conceal({"ip": "192.0.2.1"}, entry_id),
        }
        return self.events.add(make_entry(**values | over), is_sealed=is_sealed)

    def seen(self, **over: Any) -> SeenEvent:
        found = self.reader.find(self.record(**over))
        assert found is not None
        return found


@pytest.fixture
def house() -> House:
    return House()


class TestSeeing:
    """Uses fixtures: house."""

    def test_people_and_what_is_personal_are_told_again(self, house: House) -> None:
        seen = house.seen()
        assert seen.actor == Person(house.of(ADA).ref, ADA)
        assert seen.subject == seen.resource == Person(house.of(BOB).ref, BOB)
        assert (seen.personal, seen.source) == ({"email": "bob@example.com"}, {"ip": "192.0.2.1"})
        assert not seen.is_erased

    def test_door_and_trace_have_places_of_their_own(self, house: House) -> None:
        seen = house.seen()
        assert (seen.door, seen.trace_id, seen.context) == ("api", "t1", {"old": "user"})

    def test_who_was_erased_is_a_pseudonym_and_nothing_personal_is_left(self, house: House) -> None:
        entry_id = house.record()
        ref = house.of(BOB).ref
        del house.people.named[named_user(BOB)]
        seen = house.reader.find(entry_id)
        assert seen is not None
        assert seen.subject == Person(ref, None)
        assert (seen.personal, seen.source) == (None, {"ip": "192.0.2.1"})
        assert seen.is_erased

    def test_what_was_never_recorded_is_not_erased(self, house: House) -> None:
        seen = house.seen(pii=None, source=None, actor=None, subject=None)
        assert (seen.personal, seen.source, seen.is_erased) == (None, None, False)
        assert (seen.actor, seen.subject) == (None, None)

    def test_where_nobody_was_known_the_pseudonym_of_the_day_opens_the_source(
        self, house: House
    ) -> None:
        seen = house.seen(by_nobody=True)
        assert (seen.actor, seen.source) == (None, {"ip": "192.0.2.1"})

    def test_what_somebody_else_concealed_is_not_revealed(self, house: House) -> None:
        moved = Subject.new().conceal({"email": "x@example.com"}, sole_id())
        seen = house.seen(pii=moved)
        assert (seen.personal, seen.is_erased) == (None, True)

    def test_a_resource_that_is_nobody_is_an_id(self, house: House) -> None:
        session = uuid7()
        seen = house.seen(resource_type="session", resource_id=session)
        assert seen.resource == Person(session, None)

    def test_a_document_is_as_programs_read_it(self, house: House) -> None:
        seen = house.seen()
        document = seen.as_document()
        bob = {"ref": str(house.of(BOB).ref), "user_id": str(BOB)}
        assert document["subject"] == bob
        assert document["resource"] == {"type": "user", **bob}
        assert document["details"] == {"old": "user"}
        assert (document["attempt"], document["recorded_at"]) == (None, NOON.isoformat())
        assert json.loads(json.dumps(document)) == document

    def test_a_document_of_nobody_has_no_people(self, house: House) -> None:
        document = house.seen(
            actor=None, subject=None, resource_type=None, resource_id=None
        ).as_document()
        assert (document["actor"], document["subject"], document["resource"]) == (None, None, None)

    def test_an_outcome_names_its_attempt(self, house: House) -> None:
        attempt = uuid7()
        seen = house.seen(phase=Phase.FAILED, attempt=attempt, error="ValueError")
        assert (seen.attempt, seen.error) == (attempt, "ValueError")
        assert seen.as_document()["attempt"] == str(attempt)


class TestReader:
    """Uses fixtures: house."""

    def test_the_newest_come_first_and_the_oldest_the_other_way(self, house: House) -> None:
        ids = [house.record() for _ in range(3)]
        assert [one.id for one in house.reader.newest(ANYBODY, None, 2)] == ids[:0:-1]
        assert [one.id for one in house.reader.newest(ANYBODY, ids[1], 9)] == ids[:1]
        assert [one.id for one in house.reader.oldest(ANYBODY, ids[0], 9)] == ids[1:]

    def test_some_are_found_in_the_order_that_was_asked_for(self, house: House) -> None:
        first, second = house.record(), house.record()
        found = house.reader.among(ANYBODY, [second, uuid7(), first])
        assert [one.id for one in found] == [second, first]

    def test_what_is_not_there_is_not_found(self, house: House) -> None:
        assert house.reader.find(uuid7()) is None

    @pytest.mark.slow(reason="more records than a page holds")
    def test_a_stream_goes_on_from_page_to_page_until_nothing_is_left(self, house: House) -> None:
        ids = [house.events.add(make_entry(id=sole_id())) for _ in range(501)]
        assert [one.id for one in house.reader.stream(ANYBODY)] == ids
        assert [what for what in house.events.asked if what[0] == "oldest"] == [
            ("oldest", None),
            ("oldest", ids[499]),
            ("oldest", ids[500]),
        ]

    def test_a_broken_stream_continues_behind_its_last_event(self, house: House) -> None:
        ids = [house.record() for _ in range(3)]
        assert [one.id for one in house.reader.stream(ANYBODY, ids[1])] == ids[2:]

    def test_the_first_page_is_read_at_once(self, house: House) -> None:
        house.reader.stream(ANYBODY)
        assert house.events.asked == [("oldest", None)]

    @pytest.mark.parametrize(("asked", "known"), [(None, None), (ADA, ADA), (UUID(int=1), None)])
    def test_only_who_is_on_the_trail_is_known(
        self, house: House, asked: UUID | None, known: UUID | None
    ) -> None:
        assert house.reader.known(asked) == known

    def test_ones_own_activity_is_what_happened_to_ones_account(self, house: House) -> None:
        house.record()
        assert len(own_activity(house.reader, BOB, None, 50)) == 1
        ((_, criteria),) = house.events.asked
        assert criteria.subject == BOB
        assert Phase.ATTEMPTED not in criteria.phases
        assert criteria.phases == {Phase.SUCCEEDED, Phase.FAILED, Phase.ABANDONED, Phase.SOLE}


class TestTelling:
    def test_whom_somebody_asked_about_is_not_among_what_they_asked_for(self) -> None:
        asked = Criteria(subject=ADA, actor=ADA, resource_id=ADA, action="user.login", ip="::1")
        assert told(asked) == {"action": "user.login", "ip": "::1"}

    def test_phases_are_told_by_their_names(self) -> None:
        asked = Criteria(phases=frozenset({Phase.SOLE, Phase.FAILED}), since=NOON)
        assert told(asked) == {"phases": "FAILED,SOLE", "since": str(NOON)}


class TestViewing:
    """Uses fixtures: house."""

    @pytest.mark.parametrize("place", ["subject", "actor", "resource_id"])
    def test_a_page_is_found_after_the_look_is_on_record(self, house: House, place: str) -> None:
        house.record()
        criteria = replace(Criteria(action="user.login"), **{place: BOB})  # type: ignore[arg-type]
        handler = ViewEventsHandler(reader=house.reader, event_bus=house.bus)
        found = assert_success(handler.handle(ViewEvents(criteria=criteria, size=50, viewer=ADA)))
        assert len(found) == 1
        (viewed,) = house.bus.published_events
        assert isinstance(viewed, TrailViewed)
        assert (viewed.user_id, viewed.whose) == (ADA, BOB)
        assert viewed.asked_for == {"action": "user.login"}

    def test_an_export_is_read_when_it_is_asked_for_after_the_record(self, house: House) -> None:
        ids = [house.record() for _ in range(2)]
        handler = ExportEventsHandler(reader=house.reader, event_bus=house.bus)
        query = ExportEvents(criteria=Criteria(subject=BOB), after=ids[0], viewer=ADA)
        exported = assert_success(handler.handle(query))
        assert [one.id for one in exported] == ids[1:]
        (recorded,) = house.bus.published_events
        assert isinstance(recorded, EventsExported)
        assert (recorded.user_id, recorded.whose) == (ADA, BOB)


class TestViewingOne:
    """Uses fixtures: house, trail."""

    def handler(self, house: House, trail: MemoryTrail | None = None) -> ViewEventHandler:
        store = (trail or MemoryTrail(None, [], [])).store
        return ViewEventHandler(reader=house.reader, prover=Prover(store), event_bus=house.bus)

    def test_one_that_waits_has_no_proof_yet(self, house: House) -> None:
        entry_id = house.record(is_sealed=False)
        event, proof = assert_success(
            self.handler(house).handle(ViewEvent(id=entry_id, viewer=ADA))
        )
        assert (event.id, proof) == (entry_id, None)
        (viewed,) = house.bus.published_events
        assert isinstance(viewed, EventViewed)
        assert (viewed.user_id, viewed.event) == (ADA, entry_id)

    def test_one_that_is_sealed_comes_with_its_proof(
        self, house: House, trail: MemoryTrail
    ) -> None:
        house.events.rows.append(Recorded(trail.entry(11), NOON, is_sealed=True))
        found = self.handler(house, trail).handle(ViewEvent(id=trail.ids[11]))
        event, proof = assert_success(found)
        assert proof is not None
        assert (event.id, proof.leaf) == (trail.ids[11], 11)

    def test_one_that_cannot_be_proved_is_not_shown(self, house: House) -> None:
        refused = self.handler(house).handle(ViewEvent(id=house.record()))
        assert_failure(refused, ErrorCode.NOTHING_SEALED)

    def test_one_that_is_not_there_is_told_and_the_look_is_on_record(self, house: House) -> None:
        refused = self.handler(house).handle(ViewEvent(id=uuid7()))
        assert_failure(refused, ErrorCode.EVENT_NOT_FOUND)
        assert house.bus.names == ["EventViewed"]


@dataclass
class Commits:
    """Rows in the order of their commits; they come while somebody watches."""

    rows: list[Row] = field(default_factory=list)

    def add(self, entry_id: UUID) -> None:
        self.rows.append(Row(Cursor(0, 0, len(self.rows) + 1), entry_id, b"", b""))

    def newest(self) -> Cursor:
        return self.rows[-1].cursor if self.rows else Cursor(0, 0, 0)

    def unsealed(self, cursor: Cursor, limit: int) -> list[Row]:
        return [row for row in self.rows if row.cursor > cursor][:limit]


class TestFollowing:
    """Uses fixtures: house."""

    def follower(self, house: House) -> tuple[Follower, Commits]:
        commits = Commits()
        return Follower(commits, house.reader, ANYBODY), commits

    def test_it_begins_with_the_last_ones_from_the_oldest(self, house: House) -> None:
        ids = [house.record() for _ in range(3)]
        follower, commits = self.follower(house)
        for each in ids:
            commits.add(each)
        assert [one.id for one in follower.begin(2)] == ids[1:]
        assert follower.more() == []

    def test_with_none_it_shows_only_what_comes(self, house: House) -> None:
        follower, commits = self.follower(house)
        commits.add(house.record())
        assert follower.begin(0) == []
        late = house.record()
        commits.add(late)
        assert [one.id for one in follower.more()] == [late]
        assert follower.more() == []

    def test_what_came_between_the_cursor_and_the_page_is_shown_once(self, house: House) -> None:
        follower, commits = self.follower(house)
        between = house.record()
        assert [one.id for one in follower.begin(5)] == [between]
        commits.add(between)
        assert follower.more() == []

    def test_what_the_criteria_leave_out_is_passed_over(self, house: House) -> None:
        follower, commits = self.follower(house)
        follower.begin(0)
        commits.add(uuid7())
        assert follower.more() == []
        commits.add(house.record())
        assert len(follower.more()) == 1


def test_nothing_personal_prints(house: House) -> None:
    seen = house.seen()
    assert "bob@example.com" not in repr(seen)
    assert "192.0.2.1" not in repr(seen)
