"""What happens when something is away: tests/api/test_faults_api.py holds the product to this
table, and `python -m tests.faulting` writes docs/reference/faults.md from it."""

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TextIO

import redis

from core.actions import Phase
from tests.plugin.faults import NO_REDIS, NO_WORDS, Faults

REGISTER, LOGIN, REFRESH = OPERATIONS = ("registration", "login", "refresh")
DEPENDENCIES: Final = ("cache", "database", "event receiver", "secrets", "logger", "mailer")
KINDS: Final = ("refused", "timeout", "garbage", "n-th call")


@dataclass(frozen=True)
class Outcome:
    """`phases` are on the trail afterwards; `kept`: what was asked for is done."""

    status: int
    code: str | None
    phases: Sequence[Phase]
    kept: bool

    def __str__(self) -> str:
        told = f"{self.status} `{self.code}`" if self.code else str(self.status)
        trail = ", ".join(phase.name for phase in self.phases) or "nothing"
        return f"{told}; {trail}"


_DONE = Outcome(201, None, (Phase.ATTEMPTED, Phase.SUCCEEDED), kept=True)
_NOT_BEGUN = Outcome(503, "audit_unavailable", (), kept=False)
_NOT_RECORDED = Outcome(503, "audit_unavailable", (Phase.ATTEMPTED, Phase.FAILED), kept=False)
_LEFT_OPEN = Outcome(503, "audit_unavailable", (Phase.ATTEMPTED,), kept=False)
_UNDONE = Outcome(503, "database_unavailable", (Phase.ATTEMPTED, Phase.FAILED), kept=False)
_A_MISTAKE = Outcome(500, "internal_error", (), kept=False)
_NOT_GENUINE = Outcome(401, "invalid_grant", (Phase.ATTEMPTED, Phase.FAILED), kept=False)


@dataclass(frozen=True)
class Fault:
    """`why` tells what stands behind the answers, or why there is nothing to fail."""

    how: str
    arrange: Callable[[Faults], object]
    why: str
    outcomes: Mapping[str, Outcome]
    asks_nothing: bool = False
    """The dependency is not asked at all."""


def _all(outcome: Outcome) -> Mapping[str, Outcome]:
    return dict.fromkeys(OPERATIONS, outcome)


def _cut_the_second_record(faults: Faults) -> None:
    """The first is the attempt: what the handler has written so far is lost with the connection."""
    faults.at("recorder", 2, faults.cut_connection)


def _reader_leaves(faults: Faults) -> None:
    reader, stream = faults.pipe()
    faults.log_to(stream)
    faults.at("logger", 2, lambda: os.close(reader))
    _cut_the_second_record(faults)


def _log_to(stream: Callable[[Faults], TextIO]) -> Callable[[Faults], None]:
    def arrange(faults: Faults) -> None:
        faults.log_to(stream(faults))
        faults.cache_at(faults.nobody())  # which is worth a line

    return arrange


def _broken_pipe(faults: Faults) -> TextIO:
    reader, stream = faults.pipe()
    os.close(reader)
    return stream


def _closed_stream(_: Faults) -> TextIO:
    stream = io.StringIO()
    stream.close()
    return stream


_COUNTED = "Limits are counted in this process, as are the periods between two mails."
_SECRETS = (
    "Secrets are read when the process starts, which refuses to without them; no request asks."
)
_LINES = "The lines are lost, and nobody waits for them."
_QUEUED = (
    "The order for the mail is in the database, and the worker tries again; a refresh has none."
)
_TAKEN = "What a receiver does not take does not happen."

TABLE: Final[Mapping[tuple[str, str], Fault]] = {
    ("cache", "refused"): Fault(
        "nobody listens at REDIS_URL",
        lambda faults: faults.cache_at(faults.nobody()),
        _COUNTED,
        _all(_DONE),
    ),
    ("cache", "timeout"): Fault(
        "it accepts and never answers",
        lambda faults: faults.cache_at(faults.silent()),
        f"{_COUNTED} One request in five seconds waits, a second for each question it has.",
        _all(_DONE),
    ),
    ("cache", "garbage"): Fault(
        "it answers everything with the same word",
        lambda faults: faults.cache_at(faults.babbling(NO_REDIS)),
        _COUNTED,
        _all(_DONE),
    ),
    ("cache", "n-th call"): Fault(
        "it is lost after its first answer",
        lambda faults: faults.fail("cache", nth=2, error=redis.ConnectionError("lost")),
        _COUNTED,
        _all(_DONE),
    ),
    ("database", "refused"): Fault(
        "nobody listens at DATABASE_URL",
        lambda faults: faults.database_at(faults.nobody()),
        "What cannot be recorded does not begin.",
        _all(_NOT_BEGUN),
    ),
    ("database", "timeout"): Fault(
        "the table of accounts is locked for longer than a statement may take",
        lambda faults: faults.blocked_table("users_user"),
        "The transaction is rolled back.",
        _all(_UNDONE),
    ),
    ("database", "garbage"): Fault(
        "what answers is no PostgreSQL",
        lambda faults: faults.database_at(faults.babbling(NO_WORDS)),
        "What cannot be recorded does not begin.",
        _all(_NOT_BEGUN),
    ),
    ("database", "n-th call"): Fault(
        "it ends the connection when all is written but the outcome",
        _cut_the_second_record,
        "The transaction is rolled back; the failure is recorded on a new connection.",
        _all(_UNDONE),
    ),
    ("event receiver", "refused"): Fault(
        "it hands events on to a server where nobody listens",
        lambda faults: faults.hears(faults.nobody()),
        _TAKEN,
        _all(_NOT_BEGUN),
    ),
    ("event receiver", "timeout"): Fault(
        "that server never answers",
        lambda faults: faults.hears(faults.silent()),
        _TAKEN,
        _all(_NOT_BEGUN),
    ),
    ("event receiver", "garbage"): Fault(
        "it does not understand what that server says, and raises a `ValueError`",
        lambda faults: faults.hears(faults.babbling(NO_WORDS)),
        "A mistake in the receiver: it is logged with its traceback, and nothing is begun.",
        _all(_A_MISTAKE),
    ),
    ("event receiver", "n-th call"): Fault(
        "it takes the attempt, and not the outcome",
        lambda faults: faults.hears(faults.nobody(), nth=2),
        f"{_TAKEN} The transaction is rolled back.",
        _all(_NOT_RECORDED),
    ),
    ("secrets", "refused"): Fault(
        "nothing can be read",
        lambda faults: faults.fail("secrets", error=ConnectionRefusedError()),
        _SECRETS,
        _all(_DONE),
        asks_nothing=True,
    ),
    ("secrets", "timeout"): Fault(
        "nothing is read in time",
        lambda faults: faults.fail("secrets", error=TimeoutError()),
        _SECRETS,
        _all(_DONE),
        asks_nothing=True,
    ),
    ("secrets", "garbage"): Fault(
        "the process has started with other TOKEN_KEYS",
        lambda faults: faults.other_keys("token_keys"),
        "New tokens are made under the new key; those of an unknown key are refused, and are good"
        " again when it is back.",
        {REGISTER: _DONE, LOGIN: _DONE, REFRESH: _NOT_GENUINE},
    ),
    ("secrets", "n-th call"): Fault(
        "AUDIT_KEYS are others when the outcome is due",
        lambda faults: faults.at("recorder", 2, lambda: faults.other_keys("audit_keys")),
        "The transaction is rolled back; the worker closes the attempt as ABANDONED.",
        _all(_LEFT_OPEN),
    ),
    ("logger", "refused"): Fault(
        "whoever read the lines is gone (and the cache, about which there is one)",
        _log_to(_broken_pipe),
        _LINES,
        _all(_DONE),
    ),
    ("logger", "timeout"): Fault(
        "the pipe is full (and the cache away)",
        _log_to(Faults.full_pipe),
        _LINES,
        _all(_DONE),
    ),
    ("logger", "garbage"): Fault(
        "the stream is closed (and the cache away)",
        _log_to(_closed_stream),
        _LINES,
        _all(_DONE),
    ),
    ("logger", "n-th call"): Fault(
        "its reader goes after the first line about a connection that the database has ended",
        _reader_leaves,
        _LINES,
        _all(_UNDONE),
    ),
    ("mailer", "refused"): Fault(
        "nobody listens at EMAIL_URL",
        lambda faults: faults.mail_at(faults.nobody()),
        _QUEUED,
        _all(_DONE),
    ),
    ("mailer", "timeout"): Fault(
        "it accepts and never answers",
        lambda faults: faults.mail_at(faults.silent()),
        _QUEUED,
        _all(_DONE),
    ),
    ("mailer", "garbage"): Fault(
        "what answers is no mail server",
        lambda faults: faults.mail_at(faults.babbling(NO_WORDS)),
        _QUEUED,
        _all(_DONE),
    ),
    ("mailer", "n-th call"): Fault(
        "it greets, and is lost at the next command",
        lambda faults: faults.mail_at(faults.babbling(b"220 here\r\n")),
        _QUEUED,
        _all(_DONE),
    ),
}

_HEAD: Final = """\
# When something is away

What people are told, and what is on the trail afterwards, when one of the services that Dashtam
needs fails. This page is written from the table that the tests hold it to (`make faults`,
`tests/faulting.py`).

In each case a 201 has done all that it says, and any other answer nothing. The answer is a problem
document, without a secret and without a word of the driver's; the log says under the same trace id
what failed, as far as there is a log. When it is over, the same request succeeds, without a
restart. Failed sign-ins and the locks that follow are counted in the database: they hold whatever
the cache does.

An attempt without an outcome is closed as ABANDONED by the worker. A database that accepts
connections and does not answer is waited for 5 s (`?connect_timeout=` in DATABASE_URL says
otherwise).
"""


def page() -> str:
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for dependency in DEPENDENCIES:
        yield f"## {dependency.capitalize()}\n"
        yield f"| Fault | {' | '.join(OPERATIONS)} | Why |"
        yield "|---|" + "---|" * (len(OPERATIONS) + 1)
        for kind in KINDS:
            fault = TABLE[dependency, kind]
            told = " | ".join(str(fault.outcomes[each]) for each in OPERATIONS)
            yield f"| {kind}: {fault.how} | {told} | {fault.why} |"
        yield ""


if __name__ == "__main__":
    sys.stdout.write(page())
