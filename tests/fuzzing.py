"""Requests made from the OpenAPI document by schemathesis, and each answer held against it."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final, TypeAlias
from unittest.mock import patch

import schemathesis
from django.db import connections
from schemathesis.core.failures import Failure
from schemathesis.engine import events, from_schema
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.transport.wsgi import WSGITransport

from config.wsgi import application
from tests.insiders import Case, Insider

Home: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

_SCHEMA: Final = "/api/schema"
# What no schema can say. All else that is well formed must not be answered with 400.
_RIGHTLY_REFUSED: Final = {
    # Which one-use tokens there are: only mails tell.
    ("accept_invitation", "invalid_one_use_token"),
    ("change_email", "invalid_one_use_token"),
    ("grant_device_pass", "invalid_one_use_token"),
    ("reset_password", "invalid_one_use_token"),
    ("verify_email", "invalid_one_use_token"),
    # Which passwords are common, or hold the address.
    ("accept_invitation", "weak_password"),
    ("change_password", "weak_password"),
    ("register", "weak_password"),
    ("reset_password", "weak_password"),
    # `format: email` admits quoted local parts and other scripts, which mail here does not.
    ("invite_user", "invalid_email"),
    ("register", "invalid_email"),
    ("request_email_change", "invalid_email"),
    # Who may give which scope.
    ("create_access_token", "validation_failed: scope"),
    # Which sizes the log has had.
    ("get_consistency_proof", "validation_failed: from"),
    ("get_consistency_proof", "validation_failed: to"),
}


@dataclass
class Report:
    """What was sent, and a paragraph for every answer that is not as the document says."""

    cases: int = 0
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def never_done(self) -> set[str]:
        """The operations that never succeeded."""
        done = {label for label, status in self.answers if 200 <= status < 300}
        return {label for label, _ in self.answers} - done

    def hear(self, event: events.EngineEvent) -> None:
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.NonFatalError):
            self.wrong.append(f"{event.label}: {event.value!r}")
        if isinstance(event, events.ScenarioFinished):
            self._count(event.recorder)
            self.wrong += _failures(event)

    def _count(self, recorder: Any) -> None:
        self.cases += len(recorder.interactions)
        for case_id, interaction in recorder.interactions.items():
            case = recorder.cases[case_id].value
            if interaction.response and case.method.upper() == case.operation.method.upper():
                self.answers[case.operation.label, interaction.response.status_code] += 1


def fuzz(insider: Insider | None, *, examples: int, thorough: bool, seed: int) -> Report:
    """As nobody where there is no insider. Thorough: with each bound of each field too, and with
    chains of requests, in which one uses what another has answered."""
    report = Report()
    config = schemathesis.Config.from_dict(_config(examples, thorough, seed))
    with _one_connection() as home, patch.object(WSGITransport, "send", _send):
        schema = schemathesis.openapi.from_wsgi(_SCHEMA, home(application), config=config)
        schema.hook("filter_failure")(_is_wrong)
        if insider is not None:
            _introduce(insider, schema, home)
        for event in from_schema(schema).execute():
            report.hear(event)
    return report


def _introduce(insider: Insider, schema: schemathesis.BaseSchema, home: Home) -> None:
    class Authentication:
        """The one place that a schema lets see each request before it is sent."""

        def get(self, case: Case, context: schemathesis.AuthContext) -> str:
            token: str = home(insider.token)(_name(case))
            return token

        def set(self, case: Case, data: str, context: schemathesis.AuthContext) -> None:
            case.headers["Authorization"] = f"Bearer {data}"
            if case.meta is not None and case.meta.generation.mode.is_positive:
                home(insider.make_true)(_name(case), case)

    schema.auth.auth(refresh_interval=None)(Authentication)


@contextmanager
def _one_connection() -> Iterator[Home]:
    """Requests are sent by threads, one after another: all over the connection of the test, which
    ends with it."""
    ours = connections["default"]

    def home(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            connections["default"] = ours
            return function(*args, **kwargs)

        return run

    ours.inc_thread_sharing()
    try:
        yield home
    finally:
        ours.dec_thread_sharing()


_really_send: Final = WSGITransport.send


def _send(
    self: WSGITransport, case: Case, *, session: Any = None, **kwargs: Any
) -> schemathesis.Response:
    """Without what belongs to sockets: 4.32 passes it on where it sends without a session."""
    if session is None:
        for name in ("max_redirects", "verify", "cert"):
            kwargs.pop(name, None)
    return _really_send(self, case, session=session, **kwargs)


def _config(examples: int, thorough: bool, seed: int) -> dict[str, Any]:
    """Every check is on: that is the default."""
    # It takes the `errors` of a problem for a field of the request.
    unlearning = {"error-feedback": {"enabled": False}}
    return {
        "seed": seed,
        "continue-on-failure": True,
        "cache": {"enabled": False},
        "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
        "phases": {
            "coverage": {"enabled": thorough},
            "fuzzing": unlearning,
            "stateful": {"enabled": thorough},
        },
    }


def _is_wrong(
    context: schemathesis.HookContext,
    failure: Failure,
    case: Case,
    response: schemathesis.Response,
) -> bool:
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = response.json()
    code = problem["code"]
    if code == "validation_failed":
        code += ": " + ", ".join(problem["errors"])
    return (_name(case), code) not in _RIGHTLY_REFUSED


def _name(case: Case) -> str:
    return str(case.operation.definition.raw["operationId"])


def _failures(event: events.ScenarioFinished) -> Iterator[str]:
    for checks in event.recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                where = f"{event.recorder.label} ({event.phase.value}), {check.name}"
                what = f"{failure.title}: {failure.message}"
                yield f"{where}\n{what}\n{check.failure_info.code_sample}"
