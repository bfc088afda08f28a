"""The table at the end of a run, and the gate on the shape of the whole suite."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.plugin.budget import BUDGETS
from tests.plugin.tiers import TIERS, tier_of

_BANDS = {"unit": (60, 70), "integration": (25, 35), "api and smoke": (5, 10)}
_SELECTIONS = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "stepwise")


class Pyramid:
    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.counts = dict.fromkeys(TIERS, 0)
        self.seconds: dict[str, list[float]] = {tier: [] for tier in TIERS}
        self.whole = _covers_everything(config)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self.whole = self.whole and not items

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        tier = tier_of(report.nodeid)
        if tier is None:
            return
        if report.when == "setup":
            self.counts[tier] += 1
        if report.when == "call":
            self.seconds[tier] += [
                float(str(value)) for name, value in report.user_properties if name == "seconds"
            ]

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        self.whole = self.whole and sum(self.counts.values()) == session.testscollected
        if self.whole:
            self._keep()
        if self.gated() and self.outside() and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not any(self.counts.values()):
            return
        terminalreporter.write_sep("=", "pyramid")
        for line in [*self.table(), *self.notes()]:
            terminalreporter.write_line(line)

    def _keep(self) -> None:
        """For `make report`."""
        kept = self.config.rootpath / ".cache" / "pyramid.txt"
        kept.parent.mkdir(exist_ok=True)
        kept.write_text("\n".join(self.table()) + "\n")

    def gated(self) -> bool:
        return self.whole and bool(self.config.getini("pyramid_gate"))

    def share(self, *tiers: str) -> float:
        return 100 * sum(self.counts[tier] for tier in tiers) / (sum(self.counts.values()) or 1)

    def table(self) -> list[str]:
        columns = ("tier", "tests", "share", "p50", "p95", "max", "budget")
        rows = [columns, *(self._row(tier) for tier in TIERS if self.counts[tier])]
        return ["".join(cell.rjust(12) for cell in row) for row in rows]

    def _row(self, tier: str) -> tuple[str, ...]:
        taken = sorted(self.seconds[tier]) or [0.0]
        points = [taken[round((len(taken) - 1) * part)] for part in (0.5, 0.95, 1.0)]
        share = f"{self.share(tier):.1f} %" if self.whole else "-"
        budget = _milliseconds(BUDGETS[tier]) + (" CPU" if tier == "unit" else "")
        return (tier, str(self.counts[tier]), share, *map(_milliseconds, points), budget)

    def outside(self) -> list[str]:
        shares = {tiers: self.share(*tiers.split(" and ")) for tiers in _BANDS}
        return [
            f"{tiers}: {shares[tiers]:.1f} % of the tests, {low} to {high} % keep the pyramid's"
            " shape; write the missing ones on the right tier"
            for tiers, (low, high) in _BANDS.items()
            if not low <= shares[tiers] <= high
        ]

    def notes(self) -> list[str]:
        notes = self.outside() if self.whole else []
        if seed := getattr(self.config.option, "randomly_seed", None):
            notes.append(f"the order: -p randomly --randomly-seed={seed} runs it again")
        return notes


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 0.0995 else f"{seconds * 1000:.0f} ms"


def _covers_everything(config: pytest.Config) -> bool:
    if any(getattr(config.option, name, None) for name in _SELECTIONS):
        return False
    whole = (config.rootpath, config.rootpath / "tests")
    given = (Path(config.invocation_params.dir, str(arg).partition("::")[0]) for arg in config.args)
    return any(path.resolve() in whole for path in given)


def pytest_addoption(parser: pytest.Parser) -> None:
    help_ = "fail a run of the whole of tests/ when a tier leaves its band"
    parser.addini("pyramid_gate", help_, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Pyramid(config), "pyramid")
