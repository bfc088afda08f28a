"""The first admin: by the one-use link into the panel, and out when the session is ended."""

import re
from io import StringIO

from django.core.management import call_command
from django.test import Client

from audit.models import AuditEvent
from core.actions import AuditAction
from sessions_app import wiring
from sessions_app.application.revocation import RevokeSession
from sessions_app.models import DeviceSession
from tests.factories import PASSWORD, UserFactory
from users.domain.roles import Role


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


def test_signing_out_of_the_panel_ends_the_device_session(transactional_db: None) -> None:
    admin = UserFactory.create(role=Role.ADMIN)
    browser = Client()
    sign_in(browser, admin.email)
    browser.post("/admin/logout/")
    assert DeviceSession.objects.get(user=admin).revoked_at is not None
