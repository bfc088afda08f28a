"""The numbers that the explanations tell are those of the code."""

import re
from pathlib import Path

import pytest

from core.quotas import POLICIES
from core.settings import SHORTEST_MINIMUM, Settings
from core.validation import LONGEST_PASSWORD
from sessions_app.api.serializers import NewPersonalTokenSerializer
from sessions_app.domain import personal_token, session
from users.adapters import Argon2idHasher, common_passwords
from users.application.accounts import KEEP_FAILURES
from users.domain import device_pass, lockout, password
from users.domain.password import RECENT
from users.domain.roles import SessionTier

EXPLANATION = Path(__file__).resolve().parents[2] / "docs" / "explanation"
SESSIONS, SIGN_IN = (
    " ".join((EXPLANATION / name).read_text().split()) for name in ("sessions.md", "sign-in.md")
)


def row(name: str) -> str:
    found = re.search(rf"\| {re.escape(name)} \| ([^|]+) \|", SESSIONS)
    assert found, name
    return found[1]


@pytest.mark.conforms("S1")
def test_how_long_sessions_live_and_why() -> None:
    assert row("access token") == f"{session.ACCESS_LIFETIME.seconds // 60} minutes"
    assert row("session that nobody uses") == f"{session.IDLE_LIMIT.days} days"
    used = "session, however much it is used and refreshed"
    assert row(used) == f"{session.ABSOLUTE_LIMIT.days} days"
    proof = "proof of the password, for what a stolen session must not do"
    assert row(proof) == f"{RECENT.seconds // 60} minutes"
    default = NewPersonalTokenSerializer().fields["expires_in_days"].default
    longest = personal_token.LONGEST_LIFE.days
    assert (
        row("personal access token") == f"{longest} days at most, {default} unless said otherwise"
    )
    assert "NIST SP 800-63B-4 recommends for AAL1" in SESSIONS
    assert "For AAL2 it asks for 24 hours" in SESSIONS


@pytest.mark.conforms("S2")
def test_how_many_sessions_there_may_be_and_what_happens_then() -> None:
    tiers = ", ".join(f"{tier} {tier.max_sessions or 'without limit'}" for tier in SessionTier)
    assert tiers in SESSIONS
    assert "is not refused: the oldest session ends" in SESSIONS
    assert f"there may be {personal_token.MOST_TOKENS} of them" in SESSIONS


@pytest.mark.conforms("S21")
def test_what_ends_sessions_by_itself() -> None:
    assert row("a change of the password") == "all other sessions"
    ended = "all sessions, personal access tokens and known devices"
    assert row("a reset of the password") == ended
    assert "Each session that ends is on the trail with its reason" in SESSIONS


@pytest.mark.conforms("S22")
def test_signing_in_is_said_to_be_no_grant() -> None:
    assert "is no OAuth grant" in SESSIONS
    assert "neither the password grant nor the implicit one" in SESSIONS


@pytest.mark.conforms("A1")
def test_how_long_a_password_must_be_and_why_not_longer() -> None:
    least, most = Settings.password_min_length, f"{LONGEST_PASSWORD:,}"
    assert f"at least {least} characters and may have {most}" in SIGN_IN
    assert "asks for 15 characters where the password is the only factor" in SIGN_IN
    assert f"less than {SHORTEST_MINIMUM} is refused at start" in SIGN_IN


@pytest.mark.conforms("A7")
def test_which_words_a_password_may_not_be_made_of() -> None:
    assert f"of this product: {', '.join(password._CONTEXT_WORDS)}." in SIGN_IN
    assert f"of at least {password._SHORTEST_WORD} letters" in SIGN_IN
    assert f"{password._TOO_SIMILAR:.0%}".replace("%", " %") in SIGN_IN
    assert f"(some {round(len(common_passwords()), -3):,})" in SIGN_IN
    assert f"up to {password._MOST_DECORATION} digits and signs" in SIGN_IN


@pytest.mark.conforms("A10")
def test_how_a_password_is_kept() -> None:
    kib, passes = Settings.argon2_memory_kib, Settings.argon2_time_cost
    bits = len(Argon2idHasher().salt()) * 6 // 8 * 8
    assert f"at least {kib:,} KiB, {passes} passes and a salt of {bits} bits" in SIGN_IN


@pytest.mark.conforms("A11")
def test_how_guessing_is_stopped_and_how_a_lock_is_got_around() -> None:
    minute, hour = POLICIES["sign_in"].quotas
    (account,) = POLICIES["sign_in_account"].quotas
    for told in (
        f"{minute.amount} times a minute and {hour.amount} times an hour",
        f"tried {account.amount} times an hour",
        f"Every {lockout.MAX_FAILURES}th failure in a row locks",
        f"for {lockout.FIRST_LOCK.seconds // 60} minutes at first and twice as long",
        f"The {lockout.FAILURES_IN_A_ROW}th locks for good",
        f"nobody has tried for {KEEP_FAILURES.days} days",
        f"live {device_pass.LIFETIME.days} days from its last use",
        "Each lock of the strangers mails the owner a link",
    ):
        assert told in SIGN_IN
    assert lockout.LONGEST_LOCK.days == 1  # "a day at most"
