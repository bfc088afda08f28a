"""Reading the trail over HTTP."""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from audit import wiring
from audit.adapters.keys import KeyFolder
from audit.application.erasing import EraseSubject
from audit.application.sealing import Sealer
from audit.domain.checkpoint import SigningKey
from audit.domain.inclusion import check
from audit.domain.merkle import verify_consistency
from audit.models import AuditEvent, AuditSubject
from audit.wiring import erase_subject
from core import container, context
from core.actions import Phase
from core.clock import SystemClock
from core.events import EventMetadata
from core.ids import uuid7
from tests.factories import PASSWORD, UserFactory, arranged
from tests.plugin.fixtures import JsonClient
from tests.sealing import (
    SLOW,
    empty_the_trail,
    execute,
    forget_the_seals,
    make_sealer,
    record,
    seal,
)
from users.domain.events import UserRegistrationSucceeded

AUDITOR = "auditor@example.com"
EVENTS = "/api/v1/audit/events"


@pytest.fixture
def auditor(client: JsonClient) -> JsonClient:
    UserFactory.create(email=AUDITOR, role="auditor")
    return client.as_user(AUDITOR, PASSWORD)


@pytest.fixture
def person(client: JsonClient) -> JsonClient:
    UserFactory.create(email="person@example.com")
    return JsonClient().as_user("person@example.com", PASSWORD)


def registered(user_id: UUID, **metadata: Any) -> AuditEvent:
    with context.bound(EventMetadata(**metadata)), container.get_database().get_session() as unit:
        event = UserRegistrationSucceeded(user_id=user_id, email="ada@example.com")
        container.get_event_bus().publish(event, session=unit)
    return AuditEvent.objects.for_user(user_id).get(action="user.registered")


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [event["id"] for event in answer.json()["results"]]


class TestReading:
    """Uses fixtures: auditor."""

    @pytest.mark.conforms("L2")
    def test_an_event_tells_who_from_where_and_by_which_door(self, auditor: JsonClient) -> None:
        ada = uuid7()
        made = registered(
            ada, ip_address="192.0.2.7", user_agent="Firefox", trace_id="trace-7", door="api"
        )
        [event] = auditor.get(EVENTS, {"subject": str(ada)}).json()["results"]
        assert event["id"] == str(made.pk)
        assert (event["action"], event["phase"]) == ("user.registered", "SOLE")
        assert (event["door"], event["trace_id"]) == ("api", "trace-7")
        assert event["source"] == {"agent": "Firefox", "ip": "192.0.2.7"}
        assert event["personal"] == {"email": "ada@example.com"}
        assert event["subject"] == {"ref": str(made.subject_ref), "user_id": str(ada)}
        assert event["resource"] == {"type": "user", **event["subject"]}
        assert event["actor"] is None
        assert event["is_erased"] is False

    def test_who_was_erased_is_a_pseudonym_and_no_more(self, auditor: JsonClient) -> None:
        ada = uuid7()
        made = registered(ada)
        erase_subject().handle(EraseSubject(user_id=ada))
        event = auditor.get(f"{EVENTS}/{made.pk}").json()
        assert event["subject"] == {"ref": str(made.subject_ref), "user_id": None}
        assert (event["personal"], event["is_erased"]) == (None, True)
        assert "ada@example.com" not in json.dumps(event)

    @pytest.mark.parametrize("name", ["subject", "correlation", "action", "ip", "actor"])
    def test_a_filter_finds_what_it_asks_for_alone(self, auditor: JsonClient, name: str) -> None:
        ada, actor, correlation = uuid7(), uuid7(), uuid7()
        made = registered(ada, actor_id=actor, correlation=correlation, ip_address="2001:db8::1")
        with arranged():
            pass
        asked: dict[str, str] = {
            "subject": str(ada),
            "correlation": str(correlation),
            "action": "user.registered",
            "ip": "2001:DB8:0::1",
            "actor": str(actor),
        }
        assert ids(auditor.get(EVENTS, {name: asked[name]})) == [str(made.pk)]

    def test_several_phases_may_be_asked_for(self, auditor: JsonClient) -> None:
        events = auditor.get(EVENTS, {"phase": ["ATTEMPTED", "SUCCEEDED"]}).json()["results"]
        assert {event["phase"] for event in events} == {"ATTEMPTED", "SUCCEEDED"}

    def test_times_bound_what_is_shown(self, auditor: JsonClient) -> None:
        ada = uuid7()
        made = registered(ada)
        hour = timedelta(hours=1)
        now = SystemClock().now()
        asked: dict[str, str] = {
            "subject": str(ada),
            "since": (now - hour).isoformat(),
            "until": (now + hour).isoformat(),
        }
        assert ids(auditor.get(EVENTS, asked)) == [str(made.pk)]
        assert ids(auditor.get(EVENTS, asked | {"since": asked["until"]})) == []
        assert ids(auditor.get(EVENTS, asked | {"until": asked["since"]})) == []

    def test_pages_follow_one_another_without_gap_or_repetition(self, auditor: JsonClient) -> None:
        correlation = uuid7()
        made = [str(registered(uuid7(), correlation=correlation).pk) for _ in range(5)]
        found: list[str] = []
        url: str | None = f"{EVENTS}?correlation={correlation}&limit=2"
        pages = 0
        while url:
            page = auditor.get(url)
            found += ids(page)
            url = page.json()["next"]
            pages += 1
        assert found == made[::-1]
        assert pages == 3

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ("subjct=1", "subjct"),
            ("subject=ada", "subject"),
            ("phase=DONE", "phase"),
            ("since=yesterday", "since"),
            ("ip=localhost", "ip"),
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("before=1", "before"),
            ("action=%00", "action"),
            ("action=", "action"),
            ("subject=", "subject"),
            ("ip=", "ip"),
            ("until=", "until"),
        ],
    )
    def test_a_query_that_is_not_understood_is_refused(
        self, auditor: JsonClient, asked: str, field: str
    ) -> None:
        answer = auditor.get(f"{EVENTS}?{asked}")
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
        assert list(answer.json()["errors"]) == [field]

    def test_an_event_that_is_not_there_is_not_found(self, auditor: JsonClient) -> None:
        answer = auditor.get(f"{EVENTS}/{uuid7()}")
        assert (answer.status_code, answer.json()["code"]) == (404, "event_not_found")

    def test_what_is_not_sealed_yet_has_no_proof_yet(self, auditor: JsonClient) -> None:
        event = auditor.get(f"{EVENTS}/{registered(uuid7()).pk}").json()
        assert (event["is_sealed"], event["proof"]) == (False, None)


class TestDamage:
    """Uses fixtures: auditor."""

    def test_a_key_that_somebody_changed_hides_its_person_and_nobody_else(
        self, auditor: JsonClient
    ) -> None:
        ada, bob = uuid7(), uuid7()
        registered(ada)
        registered(bob)
        execute("ALTER TABLE audit_subject DISABLE TRIGGER USER")
        execute(
            "UPDATE audit_subject SET key_wrapped = sha256(key_wrapped) WHERE name = %s",
            [f"user:{ada}"],
        )
        events = auditor.get(EVENTS, {"action": "user.registered"}).json()["results"]
        assert [event["personal"] for event in events[:2]] == [{"email": "ada@example.com"}, None]
        lines = b"".join(auditor.get("/api/v1/audit/export", {"action": "user.registered"}))
        assert len(lines.splitlines()) >= 2


class TestTheRecordOfReading:
    """Uses fixtures: auditor, person."""

    @pytest.mark.conforms("L7")
    def test_who_looked_at_whom_is_on_record(self, auditor: JsonClient) -> None:
        ada = uuid7()
        registered(ada)
        auditor.get(EVENTS, {"subject": str(ada), "ip": "192.0.2.1"})
        asked = {"action": "audit.viewed", "resource_id": str(ada)}
        *_, viewed = auditor.get(EVENTS, asked).json()["results"]
        assert viewed["resource"]["user_id"] == str(ada)
        assert viewed["actor"] == viewed["subject"]
        assert viewed["actor"]["user_id"] == me(auditor)
        assert viewed["personal"] == {"asked_for": {"ip": "192.0.2.1"}}

    def test_asking_about_nobody_makes_no_pseudonym(self, auditor: JsonClient) -> None:
        before = AuditSubject.objects.count()
        auditor.get(EVENTS, {"subject": str(uuid7())})
        auditor.get(EVENTS, {"subject": str(uuid7())})
        assert AuditSubject.objects.count() == before

    def test_a_page_of_the_trail_begins_with_the_record_of_its_reading(
        self, auditor: JsonClient
    ) -> None:
        [newest] = auditor.get(EVENTS, {"limit": 1}).json()["results"]
        assert newest["action"] == "audit.viewed"

    @pytest.mark.conforms("L7")
    @pytest.mark.parametrize(
        "path",
        [
            "audit/events",
            f"audit/events/{UUID(int=0)}",
            "audit/export",
            "audit/checkpoints/latest",
            "audit/consistency?from=0",
        ],
    )
    def test_nobody_else_reads_the_trail_and_the_try_is_on_record(
        self, person: JsonClient, path: str
    ) -> None:
        answer = person.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        refused = AuditEvent.objects.for_user(UUID(me(person))).order_by("pk").last()
        assert refused is not None
        assert refused.action == "audit.view_refused"

    def test_a_stranger_is_asked_who_they_are(self, client: JsonClient) -> None:
        assert client.get(EVENTS).status_code == 401


class TestExport:
    """Uses fixtures: auditor."""

    def test_events_come_one_a_line_from_the_oldest(self, auditor: JsonClient) -> None:
        correlation = uuid7()
        made = [str(registered(uuid7(), correlation=correlation).pk) for _ in range(3)]
        answer = auditor.get("/api/v1/audit/export", {"correlation": str(correlation)})
        lines = b"".join(answer).splitlines()
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        assert [json.loads(line)["id"] for line in lines] == made
        newest = AuditEvent.objects.order_by("pk").last()
        assert newest is not None
        assert newest.action == "audit.exported"

    def test_a_broken_stream_is_continued(self, auditor: JsonClient) -> None:
        correlation = uuid7()
        made = [str(registered(uuid7(), correlation=correlation).pk) for _ in range(3)]
        asked = {"correlation": str(correlation), "after": made[0]}
        lines = b"".join(auditor.get("/api/v1/audit/export", asked)).splitlines()
        assert [json.loads(line)["id"] for line in lines] == made[1:]


class TestOwnActivity:
    """Uses fixtures: person."""

    def test_a_person_sees_what_happened_to_their_account(self, person: JsonClient) -> None:
        JsonClient().post(
            "/api/v1/sessions", json={"email": "person@example.com", "password": "wrong"}
        )
        found = person.get("/api/v1/users/me/activity").json()["results"]
        assert [(event["action"], event["phase"]) for event in found[:2]] == [
            ("user.login", "FAILED"),
            ("user.login", "SUCCEEDED"),
        ]
        assert [event["by_me"] for event in found[:2]] == [False, True]
        assert found[0]["ip"] == "127.0.0.1"
        assert found[0]["reason"] == "wrong_password"

    @pytest.mark.conforms("Z2")
    def test_nobody_sees_what_happened_to_others(self, person: JsonClient) -> None:
        registered(uuid7())
        found = person.get("/api/v1/users/me/activity").json()["results"]
        assert "user.registered" not in {event["action"] for event in found}

    def test_where_an_admin_came_from_is_not_told(self, person: JsonClient) -> None:
        registered(UUID(me(person)), actor_id=uuid7(), ip_address="192.0.2.9")
        newest = person.get("/api/v1/users/me/activity").json()["results"][0]
        assert newest["action"] == "user.registered"
        assert (newest["by_me"], newest["ip"], newest["agent"]) == (False, None, None)

    def test_that_an_auditor_looks_is_not_told(
        self, person: JsonClient, auditor: JsonClient
    ) -> None:
        assert ids(auditor.get(EVENTS, {"subject": me(person)})) != []
        found = person.get("/api/v1/users/me/activity").json()["results"]
        assert "audit.viewed" not in {event["action"] for event in found}

    def test_attempts_are_not_told_beside_their_outcomes(self, person: JsonClient) -> None:
        found = person.get("/api/v1/users/me/activity").json()["results"]
        assert Phase.ATTEMPTED.name not in {event["phase"] for event in found}


def me(client: JsonClient) -> str:
    user_id: str = client.get("/api/v1/users/me").json()["id"]
    return user_id


@pytest.mark.slow(reason=SLOW)
class TestProofs:
    """Uses fixtures: sealer, keeper, client."""

    @pytest.fixture
    def keeper(self, transactional_db: None, tmp_path: Path) -> Iterator[KeyFolder]:
        empty_the_trail()
        folder = KeyFolder(tmp_path)
        folder.add(SigningKey.generate("dashtam.test/audit"))
        yield folder
        forget_the_seals()

    @pytest.fixture
    def sealer(self, keeper: KeyFolder) -> Sealer:
        return make_sealer(keeper)

    def test_the_panel_verifies_a_proof_at_a_button(
        self, sealer: Sealer, keeper: KeyFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        UserFactory.create(email=AUDITOR, role="auditor")
        browser = Client()
        browser.post("/admin/login/", {"username": AUDITOR, "password": PASSWORD})
        seal(sealer)
        page = f"/admin/audit/auditevent/{AuditEvent.objects.latest('pk').pk}/change/?verify=1"
        assert "none of the known keys has signed it" in browser.get(page).content.decode()
        monkeypatch.setattr(wiring, "key_folder", lambda: keeper)
        assert "is this event, byte for byte." in browser.get(page).content.decode()

    def test_an_event_comes_with_a_proof_that_holds(
        self, sealer: Sealer, keeper: KeyFolder, auditor: JsonClient
    ) -> None:
        record(300)
        seal(sealer)
        for event_id in AuditEvent.objects.order_by("pk").values_list("pk", flat=True)[:300:99]:
            event = auditor.get(f"{EVENTS}/{event_id}").json()
            assert json.loads(event["entry"])["id"] == str(event_id) == event["id"]
            leaf = check(event["proof"]["text"], event["entry"].encode(), keeper.verifier_keys())
            assert leaf == event["proof"]["leaf"]

    def test_two_checkpoints_are_consistent(
        self, sealer: Sealer, keeper: KeyFolder, auditor: JsonClient
    ) -> None:
        record(3)
        old = seal(sealer)
        record(300)
        seal(sealer)
        latest = auditor.get("/api/v1/audit/checkpoints/latest").json()
        proof = auditor.get("/api/v1/audit/consistency", {"from": old.size}).json()
        hashes = [b64decode(each) for each in proof["hashes"]]
        root = bytes.fromhex(latest["root_hash"])
        assert (proof["from"], proof["to"]) == (old.size, latest["size"])
        assert verify_consistency(old.size, latest["size"], hashes, old.root, root)
        assert latest["note"] == keeper.checkpoint()

    @pytest.mark.parametrize(
        ("asked", "field"),
        [({"from": 9, "to": 8}, "from"), ({"from": 0, "to": 10**6}, "to"), ({}, "from")],
    )
    def test_sizes_that_are_no_sizes_are_refused(
        self, sealer: Sealer, auditor: JsonClient, asked: dict[str, int], field: str
    ) -> None:
        record(10)
        seal(sealer)
        answer = auditor.get("/api/v1/audit/consistency", asked)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])

    def test_without_a_seal_there_is_no_checkpoint(
        self, keeper: KeyFolder, auditor: JsonClient
    ) -> None:
        answer = auditor.get("/api/v1/audit/checkpoints/latest")
        assert (answer.status_code, answer.json()["code"]) == (404, "nothing_sealed")
