"""A sealed trail in memory: made once, and a copy of it for each test that tampers with it."""

import pytest

from audit.domain.checkpoint import SigningKey
from tests.fakes.sealed_log import InMemoryKeeper
from tests.memory_trail import MemoryTrail


@pytest.fixture(scope="session")
def _sealed() -> MemoryTrail:
    return MemoryTrail.sealed()


@pytest.fixture
def trail(_sealed: MemoryTrail) -> MemoryTrail:
    return _sealed.copy()


@pytest.fixture
def empty() -> MemoryTrail:
    """With a key, and nothing to sign."""
    trail = MemoryTrail(InMemoryKeeper(), [], [])
    trail.keeper.add(SigningKey.generate("dashtam.test/audit"))
    return trail
