"""How a broken rule becomes a failed test.

A sentence is recorded on the test and turns its report into a failure, so that neither a
swallowed exception nor `xfail` hides it.
"""

from collections.abc import Generator

import pytest

_SENTENCES = pytest.StashKey[list[str]]()


def sentence(place: str, what: str, why: str, instead: str) -> str:
    return f"{place}: {what}; {why}; {instead}"


def place(item: pytest.Item, line: int | None = None) -> str:
    path, first, _ = item.location
    return f"{path}:{line or (first or 0) + 1}"


def record(item: pytest.Item, text: str) -> None:
    sentences = item.stash.setdefault(_SENTENCES, [])
    if text not in sentences:
        sentences.append(text)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    sentences = item.stash.get(_SENTENCES, [])
    # What set-up recorded is told with the call: FAILED reads better than ERROR.
    if not sentences or (call.when == "setup" and report.passed):
        return report
    if not report.failed:
        report.outcome, report.longrepr = "failed", "\n".join(sentences)
        vars(report).pop("wasxfail", None)
    elif untold := [text for text in sentences if text not in report.longreprtext]:
        report.sections.append(("Broken rules", "\n".join(untold)))
    sentences.clear()
    return report
