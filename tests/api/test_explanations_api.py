"""Why a session ended: for its owner over HTTP, and for whoever answers the telephone."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from audit.models import AuditEvent
from core.ids import uuid7
from sessions_app import wiring
from sessions_app.application.revocation import RevokeSessions
from sessions_app.models import DeviceSession
from tests.factories import PASSWORD, UserFactory
from tests.plugin.fixtures import JsonClient

EMAIL = "ada@example.com"


@pytest.fixture
def ada(db: None, client: JsonClient) -> JsonClient:
    """Signed in on a second device, from which the first is about to be ended."""
    UserFactory.create(email=EMAIL)
    JsonClient().as_user(EMAIL, PASSWORD)
    return client.as_user(EMAIL, PASSWORD)


def first_session() -> DeviceSession:
    session = DeviceSession.objects.order_by("pk").first()
    assert session is not None
    return session


def explained(*arguments: str) -> str:
    output = StringIO()
    call_command("explain", *arguments, stdout=output)
    return output.getvalue()


class TestOwner:
    """Uses fixtures: ada, client."""

    def test_a_session_that_was_ended_says_by_whom_and_when(self, ada: JsonClient) -> None:
        path = f"/api/v1/sessions/{first_session().pk}"
        ada.delete(path)
        answer = ada.get(f"{path}/explanation")
        assert answer.status_code == 200
        body: dict[str, Any] = answer.json()
        assert "by its owner: The session was ended." in body["summary"]
        assert [step["action"] for step in body["steps"]] == ["session.revoked", "user.login"]
        assert body["is_whole"] is True

    @pytest.mark.conforms("Z2")
    def test_nobody_elses_is_explained(self, ada: JsonClient) -> None:
        UserFactory.create(email="bob@example.com")
        bob = JsonClient().as_user("bob@example.com", PASSWORD)
        for session in (first_session().pk, uuid7()):
            answer = bob.get(f"/api/v1/sessions/{session}/explanation")
            assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")


class TestCommand:
    """Uses fixtures: ada."""

    def test_the_reason_that_was_given_and_that_there_is_more(self, ada: JsonClient) -> None:
        owner = first_session().user_id
        for _ in range(51):
            wiring.revoke_sessions().handle(
                RevokeSessions(user_id=owner, stated_reason="a lost bag")
            )
        told = explained("--user", EMAIL)
        assert 'ended: 0. By the command line or a job. "a lost bag"' in told
        assert "There is more: manage.py audit_tail." in told

    def test_a_session_by_its_id_in_lines_and_as_json(self, ada: JsonClient) -> None:
        session = str(first_session().pk)
        assert "Signed in on" in explained("--session", session)
        document = json.loads(explained("--session", session, "--json"))
        assert document["summary"].startswith("No event has ended it.")
        assert document["steps"][0]["by"] == "its owner"

    @pytest.mark.parametrize("by", ["address", "id"])
    def test_an_account_by_address_or_id_and_that_somebody_asked_is_on_record(
        self, ada: JsonClient, by: str
    ) -> None:
        body = {"email": EMAIL, "password": "not this one"}
        JsonClient().post("/api/v1/sessions", json=body)
        asked = EMAIL if by == "address" else str(first_session().user_id)
        assert "Signing in was refused: the password was wrong." in explained("--user", asked)
        assert AuditEvent.objects.filter(action="audit.viewed").exists()

    @pytest.mark.parametrize(
        "asked",
        [("--session", str(uuid7())), ("--user", "nobody@example.com")],
        ids=["session", "user"],
    )
    def test_what_is_not_there_ends_with_1(
        self, ada: JsonClient, asked: tuple[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as stopped:
            explained(*asked)
        assert stopped.value.code == 1
        assert "nothing of it on the trail" in capsys.readouterr().err
