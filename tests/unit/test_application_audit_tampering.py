"""Whoever owns the store can change everything in it. Each of it is found, and named."""

import pytest

from audit.ports import Evidence, SealedLog
from tests.tampered import Incremental, SpotChecks, TamperMatrix


@pytest.mark.contract(of=(SealedLog, Evidence))
class TestTampering(TamperMatrix):
    """Uses fixtures: trail."""


class TestVerifyingWhatIsNew(Incremental):
    """Uses fixtures: trail."""


@pytest.mark.slow(reason="proves six hundred leaves, one by one")
class TestSpotChecks(SpotChecks):
    """Uses fixtures: trail."""
