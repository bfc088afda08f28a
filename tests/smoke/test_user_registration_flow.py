"""From nothing to a session and out again, each step on record."""

from uuid import UUID

from audit.models import AuditEvent
from core.actions import AuditAction, Phase
from tests.mailing import delivered
from tests.smoke.conftest import Program, token_from_mail

EMAIL, PASSWORD = "newcomer@example.com", "SecurePass123!"


def test_a_newcomer_registers_verifies_signs_in_and_out(program: Program) -> None:
    registered = program.call("POST", "users", email=EMAIL, password=PASSWORD)
    assert registered.status == 201

    assert program.sign_in(EMAIL, PASSWORD).status == 401  # not verified yet
    assert delivered()[-1].to == [EMAIL]
    assert program.call("POST", "email-verifications", token=token_from_mail()).status == 204

    signed_in = program.sign_in(EMAIL, PASSWORD)
    assert signed_in.status == 201
    assert signed_in.headers["Cache-Control"] == "no-store"
    assert program.call("GET", "users/me")["email"] == EMAIL

    (session,) = program.call("GET", "sessions")["results"]
    assert session["is_current"] is True
    assert program.call("DELETE", f"sessions/{session['id']}").status == 204
    assert program.call("GET", "users/me").status == 401

    trail = AuditEvent.objects.for_user(UUID(registered["id"])).order_by("id")
    assert list(trail.values_list("action", "phase")) == [
        (AuditAction.USER_REGISTERED, Phase.SUCCEEDED),
        (AuditAction.USER_LOGIN, Phase.FAILED),
        (AuditAction.USER_EMAIL_VERIFIED, Phase.SUCCEEDED),
        (AuditAction.USER_LOGIN, Phase.SUCCEEDED),
        (AuditAction.SESSION_REVOKED, Phase.ATTEMPTED),
        (AuditAction.SESSION_REVOKED, Phase.SUCCEEDED),
    ]


def test_nobody_learns_from_the_answers_who_has_an_account(program: Program) -> None:
    first = program.call("POST", "users", email=EMAIL, password=PASSWORD)
    second = program.call("POST", "users", email=EMAIL, password="Another-Pass-456")
    assert (second.status, second.body.keys()) == (first.status, first.body.keys())
    assert UUID(second["id"]).version == UUID(first["id"]).version == 7
    assert second["id"] != first["id"]
    assert {second["email"], second["is_verified"]} == {EMAIL, False}
