"""Each answer that a test gets from the API, held against the OpenAPI document."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

import yaml
from django.urls import Resolver404

from tests.plugin.services import ROOT

Refusals: TypeAlias = Mapping[tuple[str, str], Mapping[int, frozenset[str]]]
"""By method and path: the codes of each status, which are none where it is no problem."""

METHODS: Final = ("get", "post", "put", "patch", "delete")
_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")


def assert_documented(answer: Any) -> None:
    """Not of a surprise (500, `internal_error`), and not of what is no operation."""
    method, path = answer.request["REQUEST_METHOD"], _path(answer)
    status, code = answer.status_code, _code(answer)
    known = _refusals().get((method, path))
    if known is None or code == "internal_error":
        return
    told = f"{method} {path} answers with {status} ({code})"
    assert status in known, f"{told}, which docs/openapi.yaml does not have"
    assert code is None or code in known[status], f"{told}, a code that is not in docs/openapi.yaml"


def _path(answer: Any) -> str:
    try:
        return "/" + _PARAMETER.sub(r"{\1}", answer.resolver_match.route)
    except Resolver404:
        return ""


def _code(answer: Any) -> str | None:
    if answer.headers.get("Content-Type") != "application/problem+json":
        return None
    return str(answer.json()["code"])


@lru_cache(maxsize=1)
def _refusals() -> Refusals:
    text = (ROOT / "docs" / "openapi.yaml").read_text()
    document = yaml.load(text, Loader=yaml.CSafeLoader)
    return refusals(document)


def refusals(document: Mapping[str, Any]) -> Refusals:
    components = document["components"]["responses"]
    return {
        (method.upper(), path): {
            int(status): codes(response, components)
            for status, response in item[method]["responses"].items()
        }
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


def codes(response: Mapping[str, Any], components: Mapping[str, Any]) -> frozenset[str]:
    name = response.get("$ref", "").rpartition("/")[2]
    content = components.get(name, {}).get("content", {}).get("application/problem+json")
    if content is None:
        return frozenset()
    (_, told) = content["schema"]["allOf"]
    return frozenset(told["properties"]["code"]["enum"])
