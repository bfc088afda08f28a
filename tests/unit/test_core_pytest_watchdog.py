import faulthandler
from typing import Any

import pytest

from tests.plugin.watchdog import Watchdog


def test_one_watch_serves_the_tests_of_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[tuple[float, Any]] = []
    monkeypatch.setattr(
        faulthandler, "dump_traceback_later", lambda after, file: begun.append((after, file))
    )
    watchdog = Watchdog(patience=50, stderr=2)

    for now in (0.0, 0.1, 4.9, 5.1, 5.2):
        watchdog.watch(now)

    assert begun == [(50, 2), (50, 2)]
