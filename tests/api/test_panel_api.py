"""The panel: acts with a reason, by admins who have just proved their password, and lists that
show no more than they offer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.db import OperationalError
from django.test import Client

from audit import wiring as audit_wiring
from audit.models import AuditEvent
from audit.repositories.trail import DjangoTrail
from core import container
from core.ids import uuid7
from core.quotas import read_overrides
from sessions_app.models import DeviceSession
from tests.factories import PASSWORD, UserFactory
from tests.fakes.clock import FakeClock
from tests.mailing import delivered
from tests.plugin.fixtures import JsonClient
from users.models import User

ADMIN, EMAIL, WHY = "admin@example.com", "ada@example.com", "she called and said so"
USERS = "/admin/users/user/"
LIST = "/admin/audit/auditevent/"
SESSIONS = "/admin/sessions_app/devicesession/"


def signed_in(email: str) -> Client:
    browser = Client()
    browser.post("/admin/login/?next=/admin/", {"username": email, "password": PASSWORD})
    return browser


@pytest.fixture
def admin(db: None) -> Client:
    UserFactory.create(email=ADMIN, role="admin")
    return signed_in(ADMIN)


@pytest.fixture
def ada(admin: Client) -> User:
    return UserFactory.create(email=EMAIL)


def act(browser: Client, user: User, slug: str, **values: Any) -> Any:
    return browser.post(f"{USERS}{user.pk}/do/{slug}/", {"reason": WHY, **values})


def stated(action: str) -> list[Any]:
    """What was said at the attempts of this kind."""
    attempts = AuditEvent.objects.filter(action=action, phase=1)
    found = [audit_wiring.reader().find(event.pk) for event in attempts]
    return [(event.personal or {}).get("stated_reason") for event in found if event]


class TestActs:
    """Uses fixtures: admin, ada."""

    @pytest.mark.parametrize(
        ("slug", "before", "values", "after", "action"),
        [
            ("verify", {"is_verified": False}, {}, {"is_verified": True}, "user.changed"),
            ("deactivate", {}, {}, {"is_active": False}, "user.changed"),
            ("reactivate", {"is_active": False}, {}, {"is_active": True}, "user.changed"),
            ("role", {}, {"role": "auditor"}, {"role": "auditor"}, "user.changed"),
            ("lock", {}, {"hours": 2}, {}, "user.locked"),
            ("reset", {}, {}, {}, "user.password_reset_requested"),
            ("end-sessions", {}, {}, {}, "sessions.revoked"),
        ],
    )
    def test_it_asks_does_and_is_on_record_with_its_reason(
        self,
        admin: Client,
        slug: str,
        before: dict[str, Any],
        values: dict[str, Any],
        after: dict[str, Any],
        action: str,
    ) -> None:
        user = UserFactory.create(email=EMAIL, **before)
        page = admin.get(f"{USERS}{user.pk}/do/{slug}/")
        assert (page.status_code, EMAIL in page.content.decode()) == (200, True)
        answer = act(admin, user, slug, **values)
        assert (answer.status_code, answer["Location"]) == (302, f"{USERS}{user.pk}/change/")
        user.refresh_from_db()
        assert {name: getattr(user, name) for name in after} == after
        assert stated(action) == [WHY]
        attempt = AuditEvent.objects.get(action=action, phase=1)
        seen = audit_wiring.reader().find(attempt.pk)
        assert seen is not None
        assert seen.actor is not None
        assert seen.actor.user_id == User.objects.get(email=ADMIN).pk

    def test_a_lock_keeps_ada_out_until_it_is_lifted(self, admin: Client, ada: User) -> None:
        act(admin, ada, "lock", hours=1)
        body = {"email": EMAIL, "password": PASSWORD}
        assert JsonClient().post("/api/v1/sessions", json=body).status_code == 401
        assert "locked" in admin.get(f"{USERS}?locked=yes").content.decode()
        assert EMAIL not in admin.get(f"{USERS}?locked=no").content.decode()
        act(admin, ada, "unlock")
        assert JsonClient().post("/api/v1/sessions", json=body).status_code == 201

    def test_sessions_of_programs_end_at_once(self, admin: Client, ada: User) -> None:
        theirs = JsonClient().as_user(EMAIL, PASSWORD)
        act(admin, ada, "end-sessions")
        assert theirs.get("/api/v1/users/me").status_code == 401

    def test_a_rotation_says_first_what_it_would_end(self, admin: Client, ada: User) -> None:
        theirs = JsonClient().as_user(EMAIL, PASSWORD)
        page = admin.get(f"{USERS}{ada.pk}/do/rotate-tokens/").content.decode()
        assert "This ends 1 sessions and 0 personal tokens" in page
        act(admin, ada, "rotate-tokens")
        assert theirs.get("/api/v1/users/me").status_code == 401
        session = DeviceSession.objects.get(user=ada)
        assert "tokens rotated" in admin.get(f"{SESSIONS}{session.pk}/change/").content.decode()

    def test_a_reset_is_mailed_and_nobody_chooses_a_password(
        self, admin: Client, ada: User
    ) -> None:
        act(admin, ada, "reset")
        assert [mail.to for mail in delivered()] == [[EMAIL]]
        assert "dsh_once_" not in admin.get(f"{USERS}{ada.pk}/change/").content.decode()

    @pytest.mark.parametrize("values", [{"reason": ""}, {"hours": 0}, {"hours": 721}, {}], ids=str)
    def test_without_a_reason_or_with_nonsense_nothing_happens(
        self, admin: Client, ada: User, values: dict[str, Any]
    ) -> None:
        assert act(admin, ada, "lock", **values).status_code == 400
        assert not AuditEvent.objects.filter(action="user.locked").exists()

    def test_a_refusal_is_told_on_the_page(self, admin: Client) -> None:
        me = User.objects.get(email=ADMIN)
        answer = act(admin, me, "deactivate")
        assert answer.status_code == 400
        assert "This is the last admin who can sign in" in answer.content.decode()

    def test_what_does_not_suit_is_neither_offered_nor_done(self, admin: Client, ada: User) -> None:
        page = admin.get(f"{USERS}{ada.pk}/change/").content.decode()
        assert f"{ada.pk}/do/lock/" in page
        assert f"{ada.pk}/do/unlock/" not in page
        assert act(admin, ada, "reactivate").status_code == 302
        assert not AuditEvent.objects.filter(action="user.changed").exists()

    @pytest.mark.parametrize("path", ["{ada}/do/fly/", "{nobody}/do/lock/"])
    def test_what_is_not_there_is_404(self, admin: Client, ada: User, path: str) -> None:
        address = USERS + path.format(ada=ada.pk, nobody=uuid7())
        assert admin.post(address, {"reason": WHY}).status_code == 404

    def test_an_auditor_is_offered_nothing_and_refused(self, ada: User) -> None:
        UserFactory.create(email="auditor@example.com", role="auditor")
        auditor = signed_in("auditor@example.com")
        page = auditor.get(f"{USERS}{ada.pk}/change/")
        assert (page.status_code, "/do/" in page.content.decode()) == (200, False)
        assert act(auditor, ada, "lock", hours=1).status_code == 403
        ended = {"action": "end_chosen", "_selected_action": [uuid7()], "reason": WHY}
        assert "End the chosen" not in auditor.get(SESSIONS).content.decode()
        auditor.post(SESSIONS, ended)
        assert not AuditEvent.objects.filter(action="session.revoked").exists()

    def test_no_form_of_another_site_acts(self, admin: Client, ada: User) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = admin.cookies
        assert act(strict, ada, "deactivate").status_code == 403


class TestProof:
    """Uses fixtures: admin, ada, frozen."""

    @pytest.fixture
    def stale(self, frozen: FakeClock, admin: Client) -> Client:
        frozen.advance(timedelta(minutes=10))
        return admin

    def test_an_act_asks_for_the_password_and_goes_on_to_where_it_was(
        self, stale: Client, ada: User
    ) -> None:
        wanted = f"{USERS}{ada.pk}/do/lock/"
        asked = stale.get(wanted)
        assert (asked.status_code, asked["Location"]) == (
            302,
            f"/admin/prove/?next={quote(wanted, '')}",
        )
        assert act(stale, ada, "lock", hours=1).status_code == 302
        assert not AuditEvent.objects.filter(action="user.locked").exists()
        proved = stale.post(asked["Location"], {"password": PASSWORD})
        assert (proved.status_code, proved["Location"]) == (302, wanted)
        assert act(stale, ada, "lock", hours=1)["Location"] == f"{USERS}{ada.pk}/change/"

    def test_its_tries_are_limited_as_over_the_api(
        self, stale: Client, override: Callable[..., Any]
    ) -> None:
        known = container.get_settings()
        limits = {
            **known.rate_limits,
            **read_overrides("reauthenticate=1/hour,audit_export=1/hour"),
        }
        override(get_settings=replace(known, rate_limits=limits))
        for answer in (302, 429):
            assert stale.post("/admin/prove/", {"password": PASSWORD}).status_code == answer
        for answer in (200, 429):
            assert stale.get(f"{LIST}export.csv").status_code == answer

    def test_a_wrong_password_proves_nothing_and_is_counted(self, stale: Client) -> None:
        for _ in range(5):
            assert stale.post("/admin/prove/", {"password": "not this one"}).status_code == 400
        assert stale.post("/admin/prove/", {"password": PASSWORD}).status_code == 400

    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/", "//evil.example", "javascript:1"]
    )
    def test_it_leads_nowhere_else(self, stale: Client, elsewhere: str) -> None:
        answer = stale.post(f"/admin/prove/?next={elsewhere}", {"password": PASSWORD})
        assert answer["Location"] == "/admin/"


class TestSessions:
    """Uses fixtures: admin, ada."""

    def test_one_is_ended_with_a_reason(self, admin: Client, ada: User) -> None:
        theirs = JsonClient().as_user(EMAIL, PASSWORD)
        session = DeviceSession.objects.get(user=ada)
        admin.post(f"{SESSIONS}{session.pk}/do/end/", {"reason": WHY})
        assert theirs.get("/api/v1/users/me").status_code == 401
        page = admin.get(f"{SESSIONS}{session.pk}/change/").content.decode()
        assert "The session was ended." in page
        assert WHY in page

    def test_many_are_ended_each_by_its_own_handler(self, admin: Client, ada: User) -> None:
        for _ in range(2):
            JsonClient().as_user(EMAIL, PASSWORD)
        chosen = list(DeviceSession.objects.filter(user=ada).values_list("pk", flat=True))
        order = {"action": "end_chosen", "_selected_action": chosen}
        page = admin.post(SESSIONS, order)
        assert "End 2 sessions" in page.content.decode()
        assert not AuditEvent.objects.filter(action="session.revoked").exists()
        assert admin.post(SESSIONS, {**order, "reason": WHY}).status_code == 302
        assert stated("session.revoked") == [WHY, WHY]
        assert not DeviceSession.objects.filter(user=ada, revoked_at=None).exists()

    def test_they_are_found_by_state_and_by_person(self, admin: Client, ada: User) -> None:
        JsonClient().as_user(EMAIL, PASSWORD)
        assert EMAIL in admin.get(f"{SESSIONS}?state=live").content.decode()
        assert EMAIL not in admin.get(f"{SESSIONS}?state=ended").content.decode()
        listed = admin.get(f"{SESSIONS}?user={ada.pk}").content.decode()
        assert (EMAIL in listed, "browser" in listed) == (True, True)

    def test_a_persons_page_shows_them(self, admin: Client, ada: User) -> None:
        JsonClient().as_user(EMAIL, PASSWORD)
        page = admin.get(f"{USERS}{ada.pk}/change/").content.decode()
        assert "1 live." in page
        assert "Signed in on" in page  # the timeline


class TestAccounts:
    """Uses fixtures: admin, ada."""

    @pytest.mark.parametrize("asked", ["ADA@ex", "{pk}"])
    def test_they_are_found_by_a_part_of_the_address_or_by_id(
        self, admin: Client, ada: User, asked: str
    ) -> None:
        UserFactory.create(email="bob@example.com")
        page = admin.get(f"{USERS}?q={asked.format(pk=ada.pk)}").content.decode()
        assert (EMAIL in page, "bob@example.com" in page) == (True, False)

    def test_that_somebody_looks_is_on_record(self, admin: Client, ada: User) -> None:
        admin.get(USERS)
        admin.get(f"{USERS}{ada.pk}/change/")
        viewer = User.objects.get(email=ADMIN)
        assert AuditEvent.objects.for_user(viewer.pk).filter(action="user.viewed").count() == 2


class TestHostileInput:
    """Uses fixtures: admin, ada."""

    @pytest.mark.parametrize(
        "address",
        [
            *(f"/admin/?span={text}" for text in ("%00", "24h&span=7d", "x" * 3000)),
            *(f"{USERS}?q={text}" for text in ("%00", "%ED%A0%80", "'%22%3E%3Cscript%3E", "%25_")),
            *(f"{USERS}?p={text}" for text in ("99999999999999999999", "-1", "x")),
            *(f"{USERS}?o={text}" for text in ("99.-5", "x")),
            *(f"{USERS}?{text}" for text in ("locked=x", "role__exact=%00", "e=1")),
            *(
                f"{SESSIONS}?{text}"
                for text in ("user=x", "user=%00", "state=x", "kind__exact=%00")
            ),
            *(f"{SESSIONS}?q={text}" for text in ("%00", "::1", "x" * 3000)),
            *(f"{LIST}?before={text}" for text in ("x", "%00", "0" * 32)),
            *(f"{LIST}?since={text}" for text in ("9999-12-31T23:59", "0001-01-01T00:00", "%00")),
            *(f"{LIST}?until={text}" for text in ("9999-12-31T23:59", "0001-01-01T00:00")),
            *(f"{LIST}?subject={text}" for text in ("%00", "%ED%A0%80", "x" * 3000)),
            *(
                f"{LIST}?{text}"
                for text in ("ip=%00", "trace=%00", "resource_id=%00", "action=%00")
            ),
            *(f"{LIST}export.csv?{text}" for text in ("since=x", "ip=%00")),
            f"{LIST}%00/change/",
            f"{USERS}%00/change/",
            f"{SESSIONS}x/change/",
            "/admin/prove/?next=%00",
            "/admin/autocomplete/?app_label=users&model_name=signinguard&field_name=user&term=",
        ],
    )
    def test_no_question_is_a_fault(self, admin: Client, ada: User, address: str) -> None:
        assert admin.get(address).status_code in (200, 302, 400, 404)

    def test_a_row_has_no_name_but_its_id_and_a_choice_has_ids(
        self, admin: Client, ada: User
    ) -> None:
        assert admin.get(f"{USERS}{ada.pk}/change/?_to_field=").status_code == 400
        order = {"action": "end_chosen", "_selected_action": [""], "reason": WHY}
        assert admin.post(SESSIONS, order).status_code == 400

    def test_nobody_lists_addresses_past_the_trail(self, admin: Client, ada: User) -> None:
        asked = "app_label=sessions_app&model_name=devicesession&field_name=user&term="
        assert admin.get(f"/admin/autocomplete/?{asked}").status_code == 404

    @pytest.mark.parametrize(
        "reason", ["<script>alert(1)</script>", "\u202eevil", "a\x00b", "x" * 501]
    )
    def test_no_reason_is_a_fault_or_becomes_markup(
        self, admin: Client, ada: User, reason: str
    ) -> None:
        answer = act(admin, ada, "lock", hours=1, reason=reason)
        assert answer.status_code in (302, 400)
        page = admin.get(f"{USERS}{ada.pk}/change/").content.decode()
        assert "<script>alert" not in page


def newest(action: str) -> UUID:
    found = AuditEvent.objects.filter(action=action).order_by("-pk").values_list("pk", flat=True)
    return UUID(str(found[0]))


class TestWithoutTrail:
    """Uses fixtures: admin, ada, monkeypatch."""

    PAGES = ("/admin/", USERS, SESSIONS, "/admin/audit/auditevent/")

    @pytest.fixture
    def mute(self, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        """The trail takes nothing more."""

        def refuse(trail: object, entry: object) -> None:
            raise OperationalError("no space left")

        monkeypatch.setattr(DjangoTrail, "append", refuse)

    @pytest.mark.parametrize("page", PAGES)
    def test_what_cannot_be_recorded_is_not_shown(
        self, mute: None, admin: Client, page: str
    ) -> None:
        answer = admin.get(page)
        assert (answer.status_code, EMAIL in answer.content.decode()) == (503, False)

    def test_and_not_done(self, mute: None, admin: Client, ada: User) -> None:
        assert admin.get(f"{USERS}{ada.pk}/change/").status_code == 503
        answer = act(admin, ada, "deactivate")
        assert answer.status_code == 503
        assert "cannot do and record this now" in answer.content.decode()
        ada.refresh_from_db()
        assert ada.is_active is True


class TestDashboard:
    """Uses fixtures: admin, ada."""

    @pytest.mark.parametrize("span", ["24h", "7d", "30d", "nonsense"])
    def test_it_counts_and_each_figure_leads_to_its_list(
        self, admin: Client, ada: User, span: str
    ) -> None:
        for password in (PASSWORD, "not this one"):
            body = {"email": EMAIL, "password": password}
            JsonClient().post("/api/v1/sessions", json=body, REMOTE_ADDR="198.51.100.7")
        page = admin.get(f"/admin/?span={span}")
        text = page.content.decode()
        assert "2 succeeded, 1 failed" in text
        assert "198.51.100.7" in text
        for link in ("user/?locked=yes", "devicesession/?state=live", "phase=FAILED&amp;ip=198"):
            assert link in text
        assert AuditEvent.objects.filter(action="audit.viewed").count() == 1

    def test_an_empty_installation_says_so_kindly(self, admin: Client) -> None:
        assert "No sign-in has failed." in admin.get("/admin/").content.decode()


class TestTrail:
    """Uses fixtures: admin, ada."""

    LIST = "/admin/audit/auditevent/"

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("action=user.login&phase=FAILED", True),
            ("action=user.login&phase=SUCCEEDED&subject=ada@example.com", False),
            ("subject=ada@example.com&phase=FAILED", True),
            ("ip=198.51.100.7", True),
            ("ip=198.51.100.8", False),
            ("since=2000-01-01T00:00", True),
            ("until=2000-01-01", False),
            ("trace=of-this.test", True),
            ("trace=of-another", False),
        ],
    )
    def test_it_is_narrowed(self, admin: Client, ada: User, asked: str, found: bool) -> None:
        JsonClient().post(
            "/api/v1/sessions",
            json={"email": EMAIL, "password": "not this one"},
            headers={"X-Trace-Id": "of-this.test"},
            REMOTE_ADDR="198.51.100.7",
        )
        page = admin.get(f"{self.LIST}?{asked}")
        assert page.status_code == 200
        assert ("the password was wrong" in page.content.decode()) is found

    @pytest.mark.parametrize(
        "asked",
        ["since=yesterday", "ip=home", "subject=nobody@example.com", "trace=a%20b", "phase=9"],
    )
    def test_what_is_not_understood_is_told_and_nothing_shown(
        self, admin: Client, asked: str
    ) -> None:
        page = admin.get(f"{self.LIST}?{asked}")
        assert page.status_code == 400
        assert "Please look at the fields above." in page.content.decode()

    def test_a_long_list_goes_on_at_older(self, admin: Client) -> None:
        for _ in range(60):
            audit_wiring.refuse_view("/x")
        first = admin.get(f"{self.LIST}?action=audit.view_refused").content.decode()
        older = first.split('">Older</a>')[0].rpartition('href="?')[2].replace("&amp;", "&")
        second = admin.get(f"{self.LIST}?{older}").content.decode()
        assert (first.count("tried to read"), second.count("tried to read")) == (50, 10)
        assert ">Newest</a>" in second

    def test_one_event_shows_what_its_request_did_and_its_trace(
        self, admin: Client, ada: User
    ) -> None:
        for _ in range(2):  # two requests of one piece of work
            JsonClient().post(
                "/api/v1/sessions",
                json={"email": EMAIL, "password": PASSWORD},
                headers={"X-Trace-Id": "of-this-test"},
            )
        page = admin.get(f"{self.LIST}{newest('user.login')}/change/").content.decode()
        assert "Signing in was begun." in page
        assert "What else its trace did" in page
        assert page.count("Signed in on") >= 3  # the title, this request, the other one
        assert "Not sealed yet" in page

    def test_what_is_not_there_is_404(self, admin: Client) -> None:
        for event in (uuid7(), "x", "export.xml"):
            assert admin.get(f"{self.LIST}{event}/change/").status_code in (302, 404)
        assert admin.get(f"{self.LIST}export.xml").status_code == 404

    @pytest.mark.parametrize("form", ["csv", "ndjson"])
    def test_the_narrowed_view_is_exported_and_that_is_on_record(
        self, admin: Client, ada: User, form: str
    ) -> None:
        JsonClient().post("/api/v1/sessions", json={"email": EMAIL, "password": "not this one"})
        answer = admin.get(f"{self.LIST}export.{form}?action=user.login&phase=FAILED")
        assert answer["Content-Disposition"] == f'attachment; filename="audit.{form}"'
        lines = b"".join(answer).decode().splitlines()
        assert len(lines) == (2 if form == "csv" else 1)
        assert "user.login" in lines[-1]
        assert AuditEvent.objects.filter(action="audit.exported").exists()

    def test_no_cell_is_a_formula(self, admin: Client) -> None:
        audit_wiring.refuse_view("/x")
        JsonClient().post("/api/v1/sessions", json={"email": EMAIL, "password": "x" * 12})
        answer = admin.get(f"{self.LIST}export.csv")
        cells = [
            cell for line in b"".join(answer).decode().splitlines() for cell in line.split(",")
        ]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "-"))]
