"""Every operation of the OpenAPI document, asked as nobody, as anybody and as an admin."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from audit.adapters.keys import KeyFolder
from audit.domain.checkpoint import SigningKey
from core import container
from tests.fuzzing import Report, fuzz
from tests.insiders import Insider
from tests.plugin.services import Services
from tests.sealing import empty_the_trail, forget_the_seals, make_sealer, record, seal
from users.domain.roles import Role

CALLERS: Final = (None, Role.USER, Role.ADMIN)
A_FEW: Final = 1
EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", A_FEW))
SEED: Final = int(os.environ.get("FUZZ_SEED", "1"))
FEWEST: Final = int(os.environ.get("FUZZ_REQUESTS", "2000"))  # of all callers together
PATIENCE: Final = max(300, 30 * EXAMPLES)

Fuzz = Callable[..., Report]


@pytest.fixture
def run(transactional_db: None, services: Services, tmp_path: Path) -> Iterator[Fuzz]:
    container.get_cache().flush()
    empty_the_trail()
    keeper = KeyFolder(tmp_path / "audit")
    keeper.add(SigningKey.generate("dashtam.test/audit"))
    record(3)
    seal(make_sealer(keeper))

    def run_as(role: Role | None, examples: int, *, thorough: bool) -> Report:
        insider = Insider(role) if role else None
        return fuzz(insider, examples=examples, thorough=thorough, seed=SEED)

    yield run_as
    forget_the_seals()


@pytest.mark.fuzz
@pytest.mark.slow(reason="requests for each of the operations")
@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("role", CALLERS)
def test_requests_are_answered_as_documented(run: Fuzz, role: Role | None) -> None:
    """A few of them; `make fuzz` asks for as many as the bounds of all fields need."""
    thorough = EXAMPLES > A_FEW
    report = run(role, EXAMPLES, thorough=thorough)
    assert "\n\n".join(report.wrong) == ""
    assert report.cases >= (FEWEST / len(CALLERS) if thorough else 1)
    assert report.never_done == set() or role is not Role.ADMIN or not thorough
