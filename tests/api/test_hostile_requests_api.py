"""What no generator makes from a document, sent to every operation that the document has."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml

from tests.factories import PASSWORD, UserFactory
from tests.plugin.fixtures import JsonClient
from tests.plugin.services import ROOT

_PATHS: Final = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())["paths"]
OPERATIONS: Final = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, operations in _PATHS.items()
    for method, operation in operations.items()
}
WITH_BODY: Final = [name for name, each in OPERATIONS.items() if "requestBody" in each[2]]
WITH_QUERY: Final = [
    name
    for name, (_, _, operation) in OPERATIONS.items()
    if any(each["in"] == "query" for each in operation.get("parameters", ()))
]
UNKNOWN_ID: Final = "01900000-0000-7000-8000-000000000000"
NO_VALUES: Final = ("%00", "%ED%A0%80", "%FF", "9" * 5000, "-" + "9" * 400, "1e999", "%F0%9F%92%A9")
NO_BODIES: Final = (
    b"",
    b"\x00",
    b"\xed\xa0\x80",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"9" * 5000,
    b'{"a": 1e999}',
    b"[" * 30_000,
)


@pytest.fixture
def admin(client: JsonClient) -> JsonClient:
    client.raise_request_exception = False
    return client.as_user(UserFactory.create(role="admin").email, PASSWORD)


def wrong(answer: Any, *allowed: int) -> Iterator[str]:
    """What it is, where it is no problem of these statuses."""
    if answer.status_code not in allowed:
        yield f"{answer.status_code}: {answer.content[:200]!r}"
    elif answer.headers["Content-Type"] != "application/problem+json":
        yield f"{answer.status_code} as {answer.headers['Content-Type']}"


def send(client: Any, name: str, query: str = "", body: bytes = b"", **extra: Any) -> Any:
    method, path, _ = OPERATIONS[name]
    for each in ("session_id", "token_id", "user_id", "event_id"):
        path = path.replace(f"{{{each}}}", UNKNOWN_ID)
    extra = {"content_type": "application/json"} | extra
    return client.generic(method, path + query, body, **extra)


def test_a_form_of_answer_that_nobody_speaks(admin: JsonClient) -> None:
    assert [name for name in OPERATIONS if "406" not in OPERATIONS[name][2]["responses"]] == []
    found = [
        f"{name}, {accept!r}: {w}"
        for name in OPERATIONS
        for accept in ("text/html", "image/png;q=0.5", "nonsense", "a/b\x00")
        for w in wrong(send(admin, name, HTTP_ACCEPT=accept), 406)
    ]
    assert found == []


def test_values_that_no_parameter_has(admin: JsonClient) -> None:
    found = []
    for name in WITH_QUERY:
        for parameter in OPERATIONS[name][2]["parameters"]:
            for value in NO_VALUES:
                query = f"?{parameter['name']}={value}"
                answer = send(admin, name, query)
                if answer.status_code != 200:
                    found += [f"{name}{query[:40]}: {w}" for w in wrong(answer, 400)]
    assert found == []


def test_bodies_that_are_no_object(admin: JsonClient) -> None:
    found = [
        f"{name}, {body[:20]!r}: {w}"
        for name in WITH_BODY
        for body in NO_BODIES
        for w in wrong(send(admin, name, body=body), *refusals(name, 400, 404))
    ]
    assert found == []


def test_bodies_of_another_type(admin: JsonClient) -> None:
    found = [
        f"{name}, {kind!r}: {w}"
        for name in WITH_BODY
        for kind in ("text/plain", "application/xml", "multipart/form-data", "", "a/b\x00")
        for w in wrong(send(admin, name, body=b'{"a": 1}', content_type=kind), *refusals(name, 415))
    ]
    assert found == []


def test_of_a_field_that_is_there_twice_the_last_counts(admin: JsonClient) -> None:
    body = (
        b'{"email": "a", "email": 1, "token": "a", "token": 1, "password": 1,'
        b' "name": 1, "reason": 1, "refresh_token": 1, "current_password": 1, "role": 1}'
    )
    found = [
        f"{name}: {w}"
        for name in WITH_BODY
        for w in wrong(send(admin, name, body=body), *refusals(name, 400, 404))
    ]
    assert found == []


def refusals(name: str, *statuses: int) -> tuple[int, ...]:
    """Permissions come first: a session may not introspect."""
    return (403,) if name == "introspect" else statuses
