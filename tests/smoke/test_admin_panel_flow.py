"""The first admin: by the one-use link into the panel, and out when the session is ended."""

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from audit.models import AuditEvent
from core.actions import AuditAction
from sessions_app import wiring
from sessions_app.application.revocation import RevokeSession
from sessions_app.models import DeviceSession
from tests.factories import PASSWORD, UserFactory
from users.domain.roles import Role
from users.models import User


def sign_in(client: Client, email: str) -> int:
    form = {"username": email, "password": PASSWORD}
    return client.post("/admin/login/?next=/admin/", form).status_code


def test_the_first_admin_comes_in_by_the_link_and_reads_the_trail(transactional_db: None) -> None:
    browser = Client()
    output = StringIO()
    call_command("setup_link", stdout=output)
    token = re.search(r"dsh_once_\S+", output.getvalue())
    assert token
    form = {"token": token[0], "email": "admin@example.com", "password": PASSWORD}
    assert browser.post("/setup", form).status_code == 200
    assert browser.post("/setup", form | {"email": "b@example.com"}).status_code == 400

    assert sign_in(browser, "admin@example.com") == 302
    page = browser.get("/admin/audit/auditevent/")
    assert page.status_code == 200
    assert AuditAction.USER_ADMIN_CREATED in page.content.decode()
    assert token[0] not in page.content.decode()
    admin = User.objects.get(email="admin@example.com")
    viewed = AuditEvent.objects.for_user(admin.pk).filter(action=AuditAction.AUDIT_VIEWED)
    assert viewed.count() == 1
    event = AuditEvent.objects.order_by("pk").first()
    assert event is not None
    assert browser.get(f"/admin/audit/auditevent/{event.pk}/change/").status_code == 200
    assert viewed.order_by("pk").values_list("resource_id", flat=True)[1] == event.pk


@pytest.mark.conforms("S8")
def test_ending_the_device_session_puts_the_browser_out_at_once(transactional_db: None) -> None:
    admin = UserFactory.create(role=Role.ADMIN)
    browser = Client()
    sign_in(browser, admin.email)
    assert browser.get("/admin/").status_code == 200
    session = DeviceSession.objects.get(user=admin)
    wiring.revoke_session().handle(RevokeSession(session_id=session.id, user_id=admin.id))
    assert browser.get("/admin/").status_code == 302


def test_the_panel_lets_no_user_in_and_leaves_no_session(transactional_db: None) -> None:
    user = UserFactory.create()
    browser = Client()
    assert sign_in(browser, user.email) == 200  # the form again
    assert browser.get("/admin/").status_code == 302
    assert not DeviceSession.objects.filter(user=user).exists()
    assert AuditEvent.objects.for_user(user.id).filter(action=AuditAction.USER_LOGIN).exists()


@pytest.mark.conforms("S8")
def test_signing_out_of_the_panel_ends_the_device_session(transactional_db: None) -> None:
    admin = UserFactory.create(role=Role.ADMIN)
    browser = Client()
    sign_in(browser, admin.email)
    browser.post("/admin/logout/")
    assert DeviceSession.objects.get(user=admin).revoked_at is not None


@pytest.mark.conforms("S5")
def test_signing_in_again_leaves_one_session_behind(transactional_db: None) -> None:
    admin = UserFactory.create(role=Role.ADMIN)
    browser = Client()
    sign_in(browser, admin.email)
    sign_in(browser, admin.email)
    assert DeviceSession.objects.filter(user=admin, revoked_at=None).count() == 1


@pytest.mark.conforms("A19", "Z3")
@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
def test_the_panel_changes_nothing_past_the_handlers(transactional_db: None, role: Role) -> None:
    staff = UserFactory.create(role=role)
    browser = Client()
    sign_in(browser, staff.email)
    refused = {
        "/admin/users/user/add/": 403,
        f"/admin/users/user/{staff.id}/delete/": 403,
        f"/admin/users/user/{staff.id}/change/": 403,
        "/admin/password_change/": 404,
        "/admin/auth/group/": 404,
    }
    answers = {path: browser.post(path, {"role": "admin"}).status_code for path in refused}
    assert answers == refused


@pytest.mark.parametrize(
    "lookup", ["password__startswith=argon2", "email__regex=(", "salt=x", "created_at__year=9"]
)
def test_the_panel_answers_no_question_that_it_does_not_offer(
    transactional_db: None, lookup: str
) -> None:
    auditor = UserFactory.create(role=Role.AUDITOR)
    browser = Client()
    sign_in(browser, auditor.email)
    assert browser.get(f"/admin/users/user/?{lookup}").status_code == 400
    assert browser.get("/admin/users/user/?role__exact=auditor").status_code == 200
