"""What the OpenAPI document says of each operation that asks who somebody is."""

from collections.abc import Iterator

import yaml

from tests.plugin.documented import METHODS
from tests.plugin.fixtures import JsonClient
from tests.plugin.services import ROOT
from tests.routes import filled


def operations_for_callers() -> Iterator[tuple[str, str]]:
    text = (ROOT / "docs" / "openapi.yaml").read_text()
    for path, item in yaml.load(text, Loader=yaml.CSafeLoader)["paths"].items():
        for method in METHODS:
            if {"bearer": []} in item.get(method, {}).get("security", []):
                yield method.upper(), path


def test_a_token_that_is_none_is_refused_as_such_everywhere(client: JsonClient) -> None:
    """The client itself holds each answer against the document."""
    client.credentials(HTTP_AUTHORIZATION="Bearer dsh_access_none")
    refused = {
        client.generic(method, filled(path), "{}", content_type="application/json").json()["code"]
        for method, path in operations_for_callers()
    }
    assert refused == {"invalid_token"}
