"""Somebody forgot: from the mail to a new password, and nothing of before works any more."""

from uuid import UUID

from audit.models import AuditEvent
from core.actions import AuditAction, Phase
from tests.smoke.conftest import Program, token_from_mail

EMAIL, OLD, NEW = "forgetful@example.com", "SecurePass123!", "another horse, another battery"


def test_who_forgot_gets_in_again_and_whoever_was_in_is_out(
    program: Program, another_program: Program
) -> None:
    registered = program.call("POST", "users", email=EMAIL, password=OLD)
    program.call("POST", "email-verifications", token=token_from_mail())
    assert program.sign_in(EMAIL, OLD).status == 201

    asked = another_program.call("POST", "password-reset-tokens", email=EMAIL)
    assert (asked.status, asked.body) == (202, None)
    token = token_from_mail()
    assert another_program.call("POST", "password-resets", token=token, password=NEW).status == 204
    assert another_program.call("POST", "password-resets", token=token, password=OLD).status == 400

    assert program.call("GET", "users/me").status == 401
    assert another_program.sign_in(EMAIL, OLD).status == 401
    assert another_program.sign_in(EMAIL, NEW).status == 201

    trail = AuditEvent.objects.for_user(UUID(registered["id"])).order_by("id")
    # An outcome stands where its attempt stood.
    assert list(trail.values_list("action", "phase"))[3:-2] == [
        (AuditAction.USER_PASSWORD_RESET_REQUESTED, Phase.SUCCEEDED),
        (AuditAction.USER_PASSWORD_RESET, Phase.SUCCEEDED),
        (AuditAction.SESSION_ENDED, Phase.SOLE),
        (AuditAction.USER_SESSIONS_FORFEITED, Phase.SOLE),
        (AuditAction.USER_DEVICES_FORGOTTEN, Phase.SOLE),
        (AuditAction.USER_PASSWORD_RESET, Phase.FAILED),
    ]
