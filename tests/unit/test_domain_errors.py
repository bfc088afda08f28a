"""The refusals that stand ready: programs branch on the code, people read the sentence."""

import re
from uuid import UUID

import pytest

import sessions_app.domain.errors as of_sessions
import users.domain.errors as of_accounts
from core.errors import DomainError, ErrorCode
from users.domain.claim import Known, KnownBy

REFUSALS = {
    name: refusal
    for module in (of_accounts, of_sessions)
    for name, refusal in vars(module).items()
    if isinstance(refusal, DomainError)
}

# Where the code is not the name of the refusal, and what a refusal is about.
CODES = {
    "EMAIL_TAKEN": "email_already_exists",
    "EMAIL_TWICE": "email_already_exists",
    "ADMIN_EXISTS": "admin_already_exists",
    "INVALID_SETUP_TOKEN": "invalid_one_use_token",
    "INVALID_RESET_TOKEN": "invalid_one_use_token",
    "INVALID_UNLOCK_TOKEN": "invalid_one_use_token",
    "INVALID_INVITATION": "invalid_one_use_token",
    "INVALID_EMAIL_CHANGE": "invalid_one_use_token",
    "OWN_EMAIL": "validation_failed",
    "INVALID_LOCK": "validation_failed",
    "MAILED_JUST_NOW": "rate_limited",
    "WRONG_PASSWORD": "invalid_credentials",
    "NOT_THE_PASSWORD": "invalid_credentials",
    "INVALID_LIFETIME": "validation_failed",
    "SCOPE_NOT_ALLOWED": "validation_failed",
    "INVALID_GRACE": "validation_failed",
}
ABOUT = {
    "INVALID_ONE_USE_TOKEN": "token",
    "INVALID_SETUP_TOKEN": "token",
    "INVALID_RESET_TOKEN": "token",
    "INVALID_UNLOCK_TOKEN": "token",
    "INVALID_INVITATION": "token",
    "INVALID_EMAIL_CHANGE": "token",
    "OWN_EMAIL": "email",
    "INVALID_LOCK": "hours",
    "USER_NOT_FOUND": "user",
    "SESSION_NOT_FOUND": "session",
    "PERSONAL_TOKEN_NOT_FOUND": "personal_token",
    "INVALID_LIFETIME": "expires_in_days",
    "SCOPE_NOT_ALLOWED": "scope",
    "INVALID_GRACE": "grace_seconds",
}
SENTENCES = re.compile(r"([A-Z][a-z]* [^.]*(manage\.py [^.]*)?\.( |$)|`manage\.py [^.]*\.)+")


@pytest.mark.parametrize("name", REFUSALS)
class TestRefusals:
    def test_its_code_does_not_change(self, name: str) -> None:
        assert REFUSALS[name].code == CODES.get(name, name.lower())

    def test_it_says_what_it_is_about(self, name: str) -> None:
        refusal = REFUSALS[name]
        about = getattr(refusal, "field", None) or getattr(refusal, "resource_type", None)
        assert about == ABOUT.get(name)

    def test_it_is_told_in_whole_sentences(self, name: str) -> None:
        message = REFUSALS[name].message
        assert SENTENCES.fullmatch(message), message


def test_each_invalid_link_says_where_to_get_another() -> None:
    links = [name for name in REFUSALS if ABOUT.get(name) == "token"]
    assert all(re.search(r"new|again", REFUSALS[name].message) for name in links)


def test_the_limits_that_are_told_are_those_that_hold() -> None:
    assert "from 1 to 366 days" in of_sessions.INVALID_LIFETIME.message
    assert "from 0 to 604800 seconds" in of_sessions.INVALID_GRACE.message


class TestRefusedSignIn:
    """One code and one sentence, whatever the reason: nobody learns which addresses are known."""

    def test_the_reason_is_for_the_trail_alone(self) -> None:
        device = KnownBy(Known.DEVICE, UUID(int=1))
        one = of_accounts.SignInRefused.because("wrong_password", UUID(int=2), device)
        other = of_accounts.SignInRefused.because("unknown_email", None)
        assert (one.code, one.message) == (other.code, other.message)
        assert one.code is ErrorCode.INVALID_CREDENTIALS
        assert (one.reason, one.user_id, one.known_by) == (
            "wrong_password",
            UUID(int=2),
            device,
        )
        assert (other.reason, other.user_id, other.known_by) == ("unknown_email", None, None)

    def test_it_is_told_in_whole_sentences(self) -> None:
        message = of_accounts.SignInRefused.because("wrong_password", None).message
        assert message == (
            "This e-mail address and password do not sign in. The address may be unknown or not "
            "verified yet, the password wrong, or the account locked or not active."
        )

    def test_without_more_it_has_no_reason_and_is_about_nobody(self) -> None:
        bare = of_accounts.SignInRefused(ErrorCode.INVALID_CREDENTIALS, "No.")
        assert (bare.reason, bare.user_id, bare.known_by) == ("", None, None)
