"""A trail without anything, people behind pseudonyms, and what left the database on record."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from audit.domain.entry import attempt_id
from audit.domain.findings import Kind
from audit.domain.merkle import EMPTY_ROOT
from audit.domain.subject import Subject
from core.actions import AuditAction, Phase
from core.ids import first_id_of, uuid7
from core.keys import KeyRing
from tests.memory_trail import MemoryTrail
from tests.tampering import ANCIENT, MAC_KEYS, SIZE, Found, at, column, deleted, earlier, entry

NAME = "user:ada"


class TestNothing:
    """Uses fixtures: empty."""

    def test_a_trail_without_anything_is_in_order(self, empty: MemoryTrail) -> None:
        report = empty.verify()
        assert (report.findings, report.checked, report.size) == ((), 0, 0)
        assert (report.root, report.exit_code) == (EMPTY_ROOT, 0)

    def test_of_nothing_nothing_is_checked(self, empty: MemoryTrail) -> None:
        report = empty.verifier().verify_some(50)
        assert (report.findings, report.checked) == ((), 0)
        assert empty.verifier().pruned() == ()

    def test_an_event_that_nobody_knows_is_unknown(self, empty: MemoryTrail) -> None:
        assert [each.kind for each in empty.verifier().verify_one(uuid7()).findings] == [
            Kind.UNKNOWN
        ]

    def test_what_waits_for_its_first_seal_is_in_order(self, empty: MemoryTrail) -> None:
        empty.insert(entry())
        assert empty.verify().findings == ()


class TestPeople:
    """Uses fixtures: empty."""

    def found(self, trail: MemoryTrail) -> list[str]:
        return [each.detail for each in trail.verify().findings if each.kind is Kind.SUBJECT]

    def test_a_key_that_is_bound_to_its_name_is_in_order(self, empty: MemoryTrail) -> None:
        subject = Subject.new()
        empty.store.people[subject.ref] = (NAME, subject.wrapped(NAME, MAC_KEYS))
        assert self.found(empty) == []

    def test_a_pseudonym_that_stands_for_another_is_found(self, empty: MemoryTrail) -> None:
        subject = Subject.new()
        empty.store.people[subject.ref] = ("user:bob", subject.wrapped(NAME, MAC_KEYS))
        (told,) = self.found(empty)
        assert told == f"{subject.ref} does not stand for user:bob, or its key was changed"

    def test_of_a_key_that_is_not_configured_nothing_can_be_said(self, empty: MemoryTrail) -> None:
        subject, other = Subject.new(), KeyRing("9", {"9": b"o" * 32})
        empty.store.people[subject.ref] = (NAME, subject.wrapped(NAME, other))
        assert self.found(empty) == []

    def test_who_was_erased_without_a_record_is_found(self, empty: MemoryTrail) -> None:
        gone, recorded = uuid7(), uuid7()
        empty.store.people |= {gone: (None, None), recorded: (None, None)}
        empty.insert(entry(action=AuditAction.AUDIT_SUBJECT_ERASED, subject=recorded))
        assert self.found(empty) == [f"{gone} was erased without a record"]

    def test_where_records_were_pruned_an_erasure_may_have_been_among_them(
        self, empty: MemoryTrail
    ) -> None:
        empty.store.people[uuid7()] = (None, None)
        empty.insert(pruning(UUID(int=1), 0))
        assert self.found(empty) == []


def pruning(before: UUID, last: int) -> Any:
    context = {"month": "2020-01", "before": before, "first": 0, "last": last, "manifest": None}
    return entry(action=AuditAction.AUDIT_PRUNED, context=context)


def this_month() -> UUID:
    now = datetime.now(UTC)
    return first_id_of(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))


class TestPruned:
    """The first leaves are of the month before; they left, and that is on record. Uses fixtures:
    trail."""

    @pytest.fixture
    def pruned(self, trail: MemoryTrail) -> MemoryTrail:
        trail.insert(pruning(this_month(), ANCIENT))
        trail.seal(10)
        trail.remove(*range(ANCIENT))
        return trail

    def test_what_left_on_record_is_in_order(self, pruned: MemoryTrail) -> None:
        report = pruned.verify()
        assert report.findings == ()
        (one,) = pruned.verifier().pruned()
        assert (one.month, one.last) == ("2020-01", ANCIENT)

    def test_a_leaf_of_it_is_told_as_such(self, pruned: MemoryTrail) -> None:
        report = pruned.verifier().verify_one(pruned.ids[3])
        expected: set[Found] = {(Kind.PRUNED, 3, 3)}
        assert (pruned.found(report), report.exit_code) == (expected, 0)

    def test_what_is_gone_behind_it_is_still_a_finding(self, pruned: MemoryTrail) -> None:
        deleted([ANCIENT])(pruned)
        found = pruned.found(pruned.verify())
        assert (Kind.DELETED, ANCIENT, ANCIENT) in found

    def test_a_record_of_it_that_nobody_sealed_excuses_nothing(self, trail: MemoryTrail) -> None:
        said = pruning(this_month(), ANCIENT)
        trail.insert(said)
        trail.put_of(said.id, "mac", b"x" * 32)
        trail.remove(*range(ANCIENT))
        assert Kind.DELETED in {each.kind for each in trail.verify().findings}
        assert trail.verifier().pruned() == ()

    def test_no_record_excuses_what_is_of_its_own_month(self, trail: MemoryTrail) -> None:
        trail.insert(pruning(UUID(int=2**128 - 1), SIZE))
        trail.seal(10)
        (one,) = trail.verifier().pruned()
        assert UUID(one.before) == this_month()


class TestSpots:
    """Uses fixtures: trail."""

    def test_progress_is_told(self, trail: MemoryTrail) -> None:
        told: list[tuple[int, int]] = []
        trail.verifier().verify_some(5, lambda done, of: told.append((done, of)))
        assert told == [(5, 5)]

    def test_a_leaf_without_an_id_is_told(self, trail: MemoryTrail) -> None:
        trail.remove_tiles(kind=1, index=0)
        report = trail.verifier().verify_some(50)  # of 600, of which 256 are in that tile
        assert Kind.ID_TILE in {each.kind for each in report.findings}

    def test_a_hash_that_is_missing_is_told(self, trail: MemoryTrail) -> None:
        trail.remove_tiles(kind=0, index=0)
        report = trail.verifier().verify_one(trail.ids[11])
        assert trail.found(report) == at(11, Kind.TILE)

    def test_a_row_among_the_sealed_that_no_leaf_names_is_told(self, trail: MemoryTrail) -> None:
        extra = entry()
        trail.insert(extra)
        trail.put_of(extra.id, "seq", -1)
        report = trail.verifier().verify_one(extra.id)
        assert [each.kind for each in report.findings] == [Kind.INSERTED]


class TestWalking:
    """Uses fixtures: trail."""

    def test_a_seal_that_is_late_is_told_with_how_many_wait(self, trail: MemoryTrail) -> None:
        column("recorded_at", datetime(2020, 1, 1, tzinfo=UTC), SIZE)(trail)
        late = [each for each in trail.verify().findings if each.kind is Kind.UNSEALED]
        assert [each.detail.startswith("1 rows, the oldest of 2020-01-01") for each in late] == [
            True
        ]

    def test_an_attempt_without_an_outcome_is_told(self, trail: MemoryTrail) -> None:
        trail.insert(
            begun := entry(id=earlier(attempt_id(), timedelta(minutes=6)), phase=Phase.ATTEMPTED)
        )
        told = [each.id for each in trail.verify().findings if each.kind is Kind.OPEN_ATTEMPT]
        assert told == [begun.id]

    def test_tables_that_cannot_be_read_are_a_finding(self, trail: MemoryTrail) -> None:
        trail.put(11, "recorded_at", "never")
        assert at(11, Kind.NOT_AN_ENTRY) <= trail.found(trail.verify())
        trail.change_checkpoint(300, "note", lambda _: 7)
        assert Kind.UNREADABLE in {each.kind for each in trail.verify().findings}
