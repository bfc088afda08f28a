"""The trail in memory that the other unit tests use keeps the contracts of the real one."""

import pytest

from audit.ports import Commits, Keeper, ProvableLog, Subjects
from core.ids import uuid7
from tests.contracts.trail import KeeperContract, LogContract, SubjectsContract
from tests.fakes.audit import InMemorySubjects
from tests.fakes.sealed_log import InMemoryKeeper


@pytest.mark.contract(of=(ProvableLog, Commits))
class TestInMemoryLog(LogContract):
    """Uses fixtures: trail."""


@pytest.mark.contract(of=Keeper)
class TestInMemoryKeeper(KeeperContract):
    @pytest.fixture
    def keeper(self) -> Keeper:
        return InMemoryKeeper()


@pytest.mark.contract(of=Subjects)
class TestInMemorySubjects(SubjectsContract):
    @pytest.fixture
    def subjects(self) -> Subjects:
        return InMemorySubjects()

    @pytest.fixture
    def name(self) -> str:
        return f"user:{uuid7()}"
