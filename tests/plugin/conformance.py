"""Which lines of the standards a test holds, and what it said when it last ran."""

import json
from pathlib import Path

import pytest

_WHERE = Path(".cache") / "conformance.json"
_LINES = "conforms"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "conforms(*lines): holds these lines of docs/reference/standards.md"
    )
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Conformance(config), "conformance")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        lines = [line for mark in item.iter_markers(_LINES) for line in mark.args]
        if lines:
            item.user_properties.append((_LINES, lines))


class _Conformance:
    """What earlier runs said stays, until the same test says something else."""

    def __init__(self, config: pytest.Config) -> None:
        self.path = config.rootpath / _WHERE
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if any(name == _LINES for name, _ in report.user_properties) and (
            report.when == "call" or report.failed
        ):
            self.outcomes[report.nodeid] = report.outcome

    def pytest_sessionfinish(self) -> None:
        if not self.outcomes:
            return
        try:
            known = json.loads(self.path.read_text())
        except (OSError, ValueError):
            known = {}
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(json.dumps(known | self.outcomes, indent=1, sort_keys=True))
