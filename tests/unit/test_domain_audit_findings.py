from uuid import UUID

import pytest

from audit.domain.findings import Finding, Kind, Verified
from audit.domain.merkle import Edge

ID = UUID("01a2101b-c808-73a6-807b-4cad7a2c8958")


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (Finding(Kind.ALTERED, "why", 7, ID), f"leaf 7, event {ID}: altered: why"),
        (Finding(Kind.ALTERED, "why", 0), "leaf 0: altered: why"),
        (Finding(Kind.UNSEALED, "why", id=ID), f"not a leaf, event {ID}: unsealed: why"),
        (Finding(Kind.CHECKPOINT, "why"), "not a leaf: checkpoint: why"),
    ],
    ids=str,
)
def test_a_finding_says_where_what_and_why(finding: Finding, text: str) -> None:
    assert str(finding) == text


def test_what_was_verified_is_as_large_as_its_tree() -> None:
    grown = Edge.empty().grown([b"h" * 32] * 3).edge
    assert (Verified().size, Verified(grown).size) == (0, 3)
