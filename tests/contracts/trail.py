"""What the sealed log, its keeper, the pseudonyms and the counts promise."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from audit.domain.checkpoint import Checkpoint, SigningKey, sign_checkpoint
from audit.domain.entry import Entry
from audit.domain.log import Cursor
from audit.ports import EventCounts, Keeper, Outcomes, Source, Subjects
from core.actions import AuditAction, Phase
from core.ids import first_id_of, uuid7
from tests.factories import NOON, make_entry
from tests.tampering import SIZE, Trail, name_another

BEHIND = Cursor(0, 0, 0)


class LogContract:
    """Uses fixtures: trail."""

    @pytest.mark.parametrize("leaf", [0, 255, 256, 599])
    def test_a_sealed_event_has_its_leaf(self, trail: Trail, leaf: int) -> None:
        assert trail.log().leaf_of(trail.ids[leaf]) == leaf

    def test_what_waits_and_what_is_not_there_have_none(self, trail: Trail) -> None:
        assert [trail.log().leaf_of(each) for each in (trail.ids[SIZE], uuid7())] == [None, None]

    def test_an_event_that_its_tile_does_not_name_is_no_leaf(self, trail: Trail) -> None:
        name_another(11, uuid7())(trail)
        with pytest.raises(LookupError, match="no leaf names"):
            trail.log().leaf_of(trail.ids[11])

    def test_rows_come_in_the_order_of_their_commits(self, trail: Trail) -> None:
        rows = trail.log().unsealed(BEHIND, SIZE + 10)
        assert [row.id for row in rows] == trail.ids
        assert trail.log().newest() == rows[-1].cursor

    def test_a_few_at_a_time_and_each_behind_the_one_before(self, trail: Trail) -> None:
        first = trail.log().unsealed(BEHIND, 2)
        second = trail.log().unsealed(first[-1].cursor, 1)
        assert [row.id for row in (*first, *second)] == trail.ids[:3]

    def test_behind_the_edge_only_what_waits_is_there(self, trail: Trail) -> None:
        with trail.log().held() as frontier:
            assert frontier is not None
            waiting = trail.log().unsealed(frontier.cursor, SIZE)
        assert [row.id for row in waiting] == trail.ids[SIZE:]
        assert frontier.size == SIZE

    def test_an_edge_that_is_gone_is_told(self, trail: Trail) -> None:
        trail.remove_edge()
        with pytest.raises(LookupError), trail.log().held():
            pytest.fail("nothing holds what is not there")


def signed(size: int, *keys: SigningKey) -> str:
    return sign_checkpoint(Checkpoint(keys[0].name, size, b"r" * 32), *keys).encoded()


class KeeperContract:
    """Uses fixtures: keeper, which has no key yet."""

    def test_the_first_key_signs(self, keeper: Keeper) -> None:
        key = self.added(keeper)
        assert list(keeper.signing_keys()) == [key]
        assert list(keeper.verifier_keys()) == [key.verifier_key]

    def test_after_a_rotation_both_sign_and_the_new_one_first(self, keeper: Keeper) -> None:
        old, new = self.added(keeper), self.added(keeper)
        assert list(keeper.signing_keys()) == [new, old]
        assert list(keeper.verifier_keys()) == [old.verifier_key, new.verifier_key]

    def test_a_key_that_has_signed_retires_the_others_and_they_stay_known(
        self, keeper: Keeper
    ) -> None:
        old, new = self.added(keeper), self.added(keeper)
        keeper.retire(new)
        assert list(keeper.signing_keys()) == [new]
        assert len(keeper.verifier_keys()) == 2
        assert old.verifier_key in keeper.verifier_keys()

    def test_a_key_that_a_newer_one_has_replaced_retires_nobody(self, keeper: Keeper) -> None:
        old, new = self.added(keeper), self.added(keeper)
        keeper.retire(old)
        assert list(keeper.signing_keys()) == [new, old]

    def test_the_checkpoint_only_goes_forward(self, keeper: Keeper) -> None:
        key = self.added(keeper)
        assert keeper.checkpoint() is None
        for size, kept in ((5, 5), (7, 7), (6, 7), (7, 7)):
            keeper.advance(signed(size, key))
            assert keeper.checkpoint() == signed(kept, key)

    def added(self, keeper: Keeper) -> SigningKey:
        key = SigningKey.generate("dashtam.test/audit")
        keeper.add(key)  # type: ignore[attr-defined]
        return key


class SubjectsContract:
    """Uses fixtures: subjects, name."""

    def test_one_that_is_not_there_is_made(self, subjects: Subjects, name: str) -> None:
        found = subjects.named(name)
        assert found.keys() == {name}
        assert len(found[name].key) == 32

    def test_one_that_is_there_is_found_again(self, subjects: Subjects, name: str) -> None:
        assert subjects.named(name) == subjects.named(name)

    def test_several_are_found_and_made_at_once(self, subjects: Subjects, name: str) -> None:
        first = subjects.named(name)[name]
        found = subjects.named(name, f"{name}-2", f"{name}-3")
        assert found[name] == first
        assert len({subject.ref for subject in found.values()}) == 3
        assert len({subject.key for subject in found.values()}) == 3

    def test_a_name_that_is_asked_for_twice_is_one(self, subjects: Subjects, name: str) -> None:
        assert subjects.named(name, name).keys() == {name}


MIDNIGHT = NOON.replace(hour=0)
HOURS = [MIDNIGHT + timedelta(hours=hour) for hour in range(1, 5)]
LOGIN = AuditAction.USER_LOGIN


def counted(at: datetime, phase: Phase, **over: Any) -> Entry:
    """An entry whose id was made then."""
    bits = {Phase.ATTEMPTED: 0b00, Phase.SOLE: 0b10}.get(phase, 0b01)
    low = secrets.randbits(62) & ~0b11 | bits
    entry_id = UUID(int=first_id_of(at).int & ~((1 << 64) - 1) | 1 << 63 | low)
    return make_entry(id=entry_id, at=at, phase=phase, **{"action": LOGIN, **over})


class EventCountsContract:
    """Uses fixtures: counts, and insert, which takes entries."""

    def test_outcomes_are_counted_step_by_step(
        self, counts: EventCounts, insert: Callable[..., None]
    ) -> None:
        (first, second, third, end), moment = HOURS, timedelta(milliseconds=1)
        insert(
            counted(first - moment, Phase.SUCCEEDED),
            counted(first, Phase.SUCCEEDED),
            counted(second - moment, Phase.SUCCEEDED),
            counted(second, Phase.FAILED),
            counted(second, Phase.ATTEMPTED),
            counted(third, Phase.FAILED, action=AuditAction.USER_REGISTERED),
            counted(end, Phase.FAILED),
        )
        assert set(counts.outcomes(LOGIN, HOURS)) == {
            Outcomes(0, Phase.SUCCEEDED, 2),
            Outcomes(1, Phase.FAILED, 1),
        }

    def test_the_sources_of_most_events_come_first_with_their_last(
        self, counts: EventCounts, insert: Callable[..., None]
    ) -> None:
        moments = [HOURS[0] + timedelta(minutes=minute) for minute in range(4)]
        often = [counted(at, Phase.FAILED, ip_bi=b"often---") for at in moments]
        once = counted(HOURS[0], Phase.FAILED, ip_bi=b"once----")
        seldom = [counted(at, Phase.FAILED, ip_bi=b"seldom--") for at in moments[:2]]
        insert(
            *often,
            once,
            *seldom,
            counted(HOURS[0], Phase.SUCCEEDED, ip_bi=b"once----"),
            counted(HOURS[-1], Phase.FAILED, ip_bi=b"once----"),
            counted(HOURS[0], Phase.FAILED, ip_bi=None),
        )
        bounds = HOURS[0], HOURS[-1]
        assert counts.sources(LOGIN, Phase.FAILED, bounds, 9) == [
            Source(4, often[-1].id),
            Source(2, seldom[-1].id),
            Source(1, once.id),
        ]
        assert len(counts.sources(LOGIN, Phase.FAILED, bounds, 1)) == 1

    def test_where_there_is_nothing_nothing_is_counted(self, counts: EventCounts) -> None:
        assert counts.outcomes(LOGIN, HOURS) == []
        assert counts.sources(LOGIN, Phase.FAILED, (HOURS[0], HOURS[-1]), 5) == []
