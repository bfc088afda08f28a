"""What the API asks for and what it does not, read from its schema (which is compared with the
code, see test_reference_settings.py)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from django.urls import ResolverMatch

from audit.domain.checkpoint import Checkpoint, SignedNote
from audit.domain.inclusion import InclusionProof
from audit.domain.merkle import leaf_hash, verify_inclusion
from config.openapi import OPERATIONS
from core.documentation import status_of
from core.errors import ErrorCode
from tests.plugin.documented import METHODS, assert_documented
from tests.plugin.documented import refusals as refusals_in
from users import models, pages

SCHEMA: dict[str, Any] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml").read_text()
)
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


def body_types(part: Any) -> list[tuple[str, dict[str, Any]]]:
    return list((part or {}).get("content", {}).items())


def answers(operation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """With something in them, where it went well."""
    done = [response for status, response in operation["responses"].items() if status < "3"]
    return [each for response in done for each in body_types(response)]


def examples(operation: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each with the schema that it is to keep to."""
    for _, body in [*body_types(operation.get("requestBody")), *answers(operation)]:
        for example in body.get("examples", {}).values():
            yield body["schema"], example["value"]


def names_of(schema: dict[str, Any]) -> set[str]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return set(SCHEMA["components"]["schemas"].get(name, {}).get("properties", {}))


class TestDescribed:
    """Each operation tells what programmers ask."""

    def test_each_has_a_summary(self) -> None:
        assert [path for path, each in operations() if not each.get("summary")] == []

    def test_each_has_an_example_of_what_is_sent_and_of_what_is_answered(self) -> None:
        for path, operation in operations():
            asked = body_types(operation.get("requestBody"))
            assert not asked or any("examples" in body for _, body in asked), path
            assert all("examples" in body for _, body in answers(operation)), path

    def test_each_example_is_what_its_schema_says_and_no_more(self) -> None:
        checked = 0
        for path, operation in operations():
            for schema, value in examples(operation):
                whole = schema | {"components": SCHEMA["components"]}
                validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
                assert [str(error) for error in validator.iter_errors(value)] == [], path
                assert not isinstance(value, dict) or set(value) <= names_of(schema), path
                checked += 1
        assert checked >= 40

    def test_each_refusal_is_told_with_its_codes_and_each_code_has_its_status(self) -> None:
        for (method, path), refusals in refusals_in(SCHEMA).items():
            for status, codes in refusals.items():
                assert status < 400 or codes, f"{method} {path} {status}"
                assert {status_of(ErrorCode(code)) for code in codes} <= {status}

    def test_the_tables_know_each_operation_and_no_other(self) -> None:
        assert set(OPERATIONS) == {each["operationId"] for _, each in operations()}

    def test_the_example_of_a_proof_holds(self) -> None:
        answer = OPERATIONS["get_audit_event"].answer
        proof, leaf = InclusionProof.read(answer["proof"]["text"]), answer["proof"]["leaf"]
        tree = Checkpoint.read(SignedNote.read(proof.note).text)
        hashed = leaf_hash(answer["entry"].encode())
        assert verify_inclusion(hashed, leaf, tree.size, proof.hashes, tree.root)


class Answer:
    """Of an operation, as a test's client gets it."""

    def __init__(self, status: int, code: str, path: str = "api/v1/tokens") -> None:
        self.status_code, self.request = status, {"REQUEST_METHOD": "POST"}
        self.headers = {"Content-Type": "application/problem+json"}
        self.resolver_match = ResolverMatch(str, (), {}, route=path)
        self._code = code

    def json(self) -> dict[str, str]:
        return {"code": self._code}


class TestClient:
    """The client of the tests holds each answer against the document."""

    @pytest.mark.parametrize(
        "answer",
        [Answer(401, "invalid_grant"), Answer(500, "internal_error"), Answer(404, "x", "api/none")],
        ids=["documented", "surprise", "no operation"],
    )
    def test_what_may_be_passes(self, answer: Answer) -> None:
        assert_documented(answer)

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (Answer(401, "last_admin"), r"401 \(last_admin\), a code that is not"),
            (Answer(404, "not_found"), r"404 \(not_found\), which docs/openapi.yaml"),
        ],
        ids=["code", "status"],
    )
    def test_what_may_not_fails(self, answer: Answer, told: str) -> None:
        with pytest.raises(AssertionError, match=told):
            assert_documented(answer)
