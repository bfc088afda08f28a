"""What the API asks for and what it does not, read from its schema (which is compared with the
code, see test_reference_settings.py)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from users import models, pages

SCHEMA: dict[str, Any] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "docs" / "reference" / "openapi.yaml").read_text()
)
METHODS = ("get", "post", "put", "patch", "delete")
FORMS = [
    pages.VerifyEmailForm,
    pages.ChangeEmailForm,
    pages.ChoosePasswordForm,
    pages.SetUpForm,
    pages.TokenForm,
]


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in SCHEMA["paths"].items():
        yield from ((path, item[method]) for method in METHODS if method in item)


def words(node: object) -> Iterator[str]:
    """The names of all fields in it, those of the components that it refers to as well."""
    if isinstance(node, list):
        for each in node:
            yield from words(each)
    elif isinstance(node, dict):
        reference = str(node.get("$ref", ""))
        if reference.startswith("#/components/schemas/"):
            yield from words(SCHEMA["components"]["schemas"][reference.rpartition("/")[2]])
        yield from node.get("properties", {})
        for each in node.values():
            yield from words(each)


def fields(operation: dict[str, Any]) -> set[str]:
    return set(words([operation.get("requestBody"), operation["responses"]]))


@pytest.mark.conforms("A17")
def test_nowhere_is_a_hint_or_a_question_asked_for_or_kept() -> None:
    names = set(words(SCHEMA["components"]["schemas"]))
    names |= {field.name for field in models.User._meta.get_fields()}
    names |= {name for form in FORMS for name in form.base_fields}
    asked = [name for name in names if any(word in name for word in ("hint", "question", "answer"))]
    assert asked == []


@pytest.mark.conforms("A19")
def test_no_operation_of_an_admin_takes_or_tells_a_password_or_a_token() -> None:
    found = {
        path: {name for name in fields(operation) if "password" in name or "token" in name}
        for path, operation in operations()
        if "/admin/" in path
    }
    assert len(found) >= 4
    counts = {"personal_tokens"}  # how many a rotation ends
    assert {path: names - counts for path, names in found.items() if names - counts} == {}


@pytest.mark.conforms("S32")
def test_no_address_carries_a_token_or_a_password() -> None:
    places = [
        (parameter["name"], parameter["in"])
        for _, operation in operations()
        for parameter in operation.get("parameters", [])
    ]
    assert ("X-Device-Token", "header") in places
    in_address = {name for name, place in places if place != "header"}
    secret = {name for name in in_address if "token" in name or "password" in name}
    assert secret == {"token_id"}  # of a row, and it opens nothing


@pytest.mark.conforms("S22")
def test_no_operation_is_an_oauth_grant() -> None:
    taken = {name for _, each in operations() for name in words(each.get("requestBody"))}
    assert taken.isdisjoint({"grant_type", "response_type", "client_id", "client_secret"})
    assert not [path for path, _ in operations() if "oauth" in path or "authorize" in path]
