from uuid import UUID

import pytest

from audit.domain.findings import BEFORE_ALL, INCOMPLETE, WARNINGS, Finding, Kind, Verified
from audit.domain.log import Cursor
from audit.domain.merkle import Edge, leaf_hash

EVENT = UUID(int=7)


class TestFinding:
    @pytest.mark.parametrize(
        ("finding", "told"),
        [
            (Finding(Kind.CLOCK, "late"), "not a leaf: clock: late"),
            (Finding(Kind.ALTERED, "changed", leaf=0), "leaf 0: altered: changed"),
            (
                Finding(Kind.MAC, "not ours", id=EVENT),
                "not a leaf, event 00000000-0000-0000-0000-000000000007: mac: not ours",
            ),
            (
                Finding(Kind.DELETED, "gone", 12, EVENT),
                "leaf 12, event 00000000-0000-0000-0000-000000000007: deleted: gone",
            ),
        ],
    )
    def test_it_tells_where_and_what(self, finding: Finding, told: str) -> None:
        assert str(finding) == told

    def test_the_kinds_that_machines_read_do_not_change(self) -> None:
        assert " ".join(Kind) == (
            "altered deleted inserted duplicate reordered column mac bad_phase not_an_entry tile "
            "id_tile frontier checkpoint rewritten subject orphan_outcome open_attempt unsealed "
            "outside unknown pruned unreadable clock"
        )

    def test_what_is_only_late_or_not_there_is_told_apart(self) -> None:
        assert {kind.value for kind in INCOMPLETE} == {
            "open_attempt",
            "unsealed",
            "outside",
            "unknown",
        }
        assert {kind.value for kind in WARNINGS} == {"clock", "pruned"}


class TestVerified:
    def test_at_first_nothing_was(self) -> None:
        nothing = Verified()
        assert (nothing.size, nothing.cursor, nothing.attempts) == (0, BEFORE_ALL, UUID(int=0))

    def test_its_size_is_that_of_the_tree(self) -> None:
        edge = Edge.empty().grown([leaf_hash(b"first"), leaf_hash(b"second")]).edge
        assert Verified(edge).size == 2

    def test_the_first_verification_passes_nothing_over(self) -> None:
        """Every column of a cursor is at least the smallest number that it can hold."""
        assert Cursor(-32768, 0, -9223372036854775808) == BEFORE_ALL
