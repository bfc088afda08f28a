"""Whoever owns the store can change everything in it. Each of it is found, and named."""

import pytest

from audit.ports import Evidence, SealedLog
from tests.memory_trail import MemoryTrail
from tests.tampered import Incremental, SpotChecks, TamperMatrix


@pytest.fixture(scope="module")
def original() -> MemoryTrail:
    return MemoryTrail.sealed()


@pytest.fixture
def trail(original: MemoryTrail) -> MemoryTrail:
    return original.copy()


@pytest.mark.contract(of=(SealedLog, Evidence))
class TestTampering(TamperMatrix):
    """Uses fixtures: trail."""


class TestVerifyingWhatIsNew(Incremental):
    """Uses fixtures: trail."""


@pytest.mark.slow(reason="proves six hundred leaves, one by one")
class TestSpotChecks(SpotChecks):
    """Uses fixtures: trail."""
