"""Who may do what: docs/reference/permissions.md is the table, and this holds it to the product."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.test import Client

from tests.factories import PASSWORD, UserFactory
from tests.fakes.clock import FakeClock
from tests.plugin.fixtures import JsonClient
from tests.routes import ACTS, CHANGING, DOOR, PANEL, filled, in_panel, operations, routes
from tests.undone import undone

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "permissions.md"
ROW: Final = re.compile(r"^\| (GET|POST|PUT|PATCH|DELETE) \| `(\S+)` \| (.+) \|$", re.MULTILINE)
ROLES: Final = ("user", "auditor", "admin")
SCOPES: Final = ("read", "write", "introspect")
CALLERS: Final = ("nobody", *ROLES, *SCOPES)
TABLE: Final = {
    (method, path): dict(zip(CALLERS, cells.split(" | "), strict=True))
    for method, path, cells in ROW.findall(DOCUMENT.read_text())
}
METHODS: Final = ("GET", "POST")
NO, PROOF, YES = "–", "proof", "yes"  # noqa: RUF001  as a table has it


def verdict(answer: Any) -> str:
    if answer.status_code == 401 and answer.json()["code"] == "reauthentication_required":
        return PROOF
    to_the_door = answer.headers.get("Location", "").startswith("/admin/login/")
    return NO if answer.status_code in (401, 403) or to_the_door else YES


def ask(client: Client, method: str, path: str) -> str:
    """With nothing in the body: who may come in is told what is missing, and changes nothing."""
    body = "" if method == "GET" else "{}"
    return verdict(client.generic(method, filled(path), body, content_type="application/json"))


@pytest.fixture
def callers(client: JsonClient, frozen: FakeClock) -> dict[str, list[JsonClient]]:
    """Of each role two sessions: one whose password was proved eleven minutes ago, and one of now.
    The tokens are an admin's: what they may not do is for want of scope."""
    found = {"nobody": [client]}
    for role in ROLES:
        UserFactory.create(email=f"{role}@example.com", role=role)
        found[role] = [JsonClient().as_user(f"{role}@example.com", PASSWORD)]
    frozen.advance(timedelta(minutes=11))
    for role in ROLES:
        found[role].append(JsonClient().as_user(f"{role}@example.com", PASSWORD))
    UserFactory.create(email="owner@example.com", role="admin")
    owner = JsonClient().as_user("owner@example.com", PASSWORD)
    return found | {scope: [with_token(owner, scope)] for scope in SCOPES}


def with_token(owner: JsonClient, scope: str) -> JsonClient:
    made = owner.post("/api/v1/access-tokens", json={"name": scope, "scope": scope})
    program = JsonClient()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {made.json()['token']}")
    return program


def told(answers: list[str]) -> str:
    """Of the session of before and that of now; who cannot prove a password has one answer."""
    return NO if answers in ([PROOF], [PROOF, NO]) else answers[0]


def seen_by(callers: dict[str, list[JsonClient]], method: str, path: str) -> dict[str, str]:
    return {
        name: told([ask(client, method, path) for client in clients])
        for name, clients in callers.items()
    }


@pytest.mark.conforms("Z1")
class TestPermissions:
    """Uses fixtures: callers."""

    def test_every_operation_is_in_the_table(self) -> None:
        assert TABLE.keys() == operations()

    @pytest.mark.slow(reason="seven callers ask for all that can be read")
    def test_who_may_read(self, callers: dict[str, list[JsonClient]]) -> None:
        reads = [row for row in TABLE if row[0] == "GET" and row[1] not in (PANEL, ACTS)]
        found = {row: seen_by(callers, *row) for row in reads}
        assert found == {row: TABLE[row] for row in reads}

    @pytest.mark.slow(reason="seven callers ask for all that can be written")
    def test_who_may_write(self, callers: dict[str, list[JsonClient]]) -> None:
        writes = [row for row in TABLE if row[0] != "GET" and row[1] != ACTS]
        found = {}
        for row in writes:
            with undone():  # what one request ends, the next one needs: a session, an account
                found[row] = seen_by(callers, *row)
        assert found == {row: TABLE[row] for row in writes}

    @pytest.mark.slow(reason="the pages of the panel are many")
    @pytest.mark.parametrize("caller", CALLERS)
    def test_who_may_look_into_the_panel(
        self, callers: dict[str, list[JsonClient]], caller: str
    ) -> None:
        browser = callers[caller][0]
        form = {"username": f"{caller}@example.com", "password": PASSWORD}
        browser.post(DOOR, form, format="multipart")
        pages = [path for path, _ in routes() if in_panel(path)]
        found = {page: ask(browser, "GET", page) for page in pages}
        assert {found.pop(page) for page in pages if page.endswith(CHANGING)} == {NO}
        doing = [page for page in pages if "/do/" in page]
        acts = [ask(browser, method, page) for page in doing for method in METHODS]
        may_act = TABLE["GET", ACTS][caller] == TABLE["POST", ACTS][caller] != NO
        assert set(acts) == {YES if may_act else NO}
        shown = {answer for page, answer in found.items() if page not in doing}
        assert shown == {TABLE["GET", PANEL][caller]}
