"""What makes some of the lives worth a look: each of the first people has a story, and one in forty
of the others was guessed at."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from config.demo.lives import Life, Source
from core.events import RequestsThrottled
from sessions_app.domain.events import (
    SessionRefreshAttempted,
    SessionRefreshFailed,
    SessionRevocationAttempted,
    SessionRevocationSucceeded,
)
from sessions_app.domain.session import EndReason
from users.domain.events import (
    AccountChangeAttempted,
    AccountChangeSucceeded,
    ActivityChanged,
    PasswordResetAttempted,
    PasswordResetRequestAttempted,
    PasswordResetRequestSucceeded,
    PasswordResetSucceeded,
    RoleChanged,
    SessionsForfeited,
    SignInLocked,
)
from users.domain.lockout import MAX_FAILURES, FailureCount
from users.domain.roles import Role

Story = Callable[[Life], None]
_MINUTE: Final = timedelta(minutes=1)
_GUESSER: Final = "python-requests/2.32.3"
_GUESSED_AT: Final = 40


def life_of(number: int, *, seed: int, now: datetime, visits: int, admin: UUID | None) -> Life:
    """The same for the same numbers, but for what `now` is."""
    life = Life(number, Random(f"{seed}:{number}"), now, visits, admin)  # noqa: S311  no secret
    story = STORIES[number] if number < len(STORIES) else None
    life.register()
    if story is not nobody_confirmed:
        life.confirm()
        life.come_and_go()
    if story is not None:
        story(life)
    elif number % _GUESSED_AT == 0:
        guessed_at(life)
    return life


def a_stolen_token_came_back(life: Life) -> None:
    at = life.now - 50 * _MINUTE
    session = life.sign_in(at - 20 * _MINUTE)
    ended = life.end(session, at, EndReason.REUSE)
    failed = SessionRefreshFailed(
        user_id=life.user.id, session_id=session.id, reason=EndReason.REUSE
    )
    life.happen(
        at, SessionRefreshAttempted(), ended, failed, source=Source("203.0.113.77", _GUESSER)
    )


def one_device_too_many(life: Life) -> None:
    for n in range(3):
        life.sign_in(life.now - (30 - n) * _MINUTE)


def a_forgotten_password(life: Life) -> None:
    at, user = life.now - 40 * _MINUTE, life.user
    life.happen(
        at,
        PasswordResetRequestAttempted(email=user.email),
        PasswordResetRequestSucceeded(user_id=user.id, email=user.email),
    )
    at += 3 * _MINUTE
    life.happen(
        at,
        PasswordResetAttempted(),
        SessionsForfeited(user_id=user.id, reason=EndReason.PASSWORD_RESET),
        *life.end_all(at, EndReason.PASSWORD_RESET),
        PasswordResetSucceeded(user_id=user.id),
    )
    life.sign_in(at + _MINUTE)


def promoted_to_auditor(life: Life) -> None:
    at, user = life.now - timedelta(days=2), life.user
    life.happen(
        at,
        AccountChangeAttempted(user_id=user.id, stated_reason="for the yearly audit"),
        RoleChanged(user_id=user.id, old=user.role, new=Role.AUDITOR),
        AccountChangeSucceeded(user_id=user.id),
        by=life.admin,
    )
    life.user = replace(user, role=Role.AUDITOR, updated_at=at)


def left_the_company(life: Life) -> None:
    at, user = life.now - timedelta(days=1), life.user
    life.sign_in(at - timedelta(hours=3))
    life.happen(
        at,
        AccountChangeAttempted(user_id=user.id, stated_reason="left the company"),
        ActivityChanged(user_id=user.id, old=True, new=False),
        SessionsForfeited(user_id=user.id, reason=EndReason.DEACTIVATED),
        *life.end_all(at, EndReason.DEACTIVATED),
        AccountChangeSucceeded(user_id=user.id),
        by=life.admin,
    )
    life.user = replace(user.with_tokens_ended(), is_active=False, updated_at=at)


def signed_out(life: Life) -> None:
    session = life.sign_in(life.now - 90 * _MINUTE)
    at = life.now - 15 * _MINUTE
    life.end(session, at, EndReason.REVOKED)
    user_id = life.user.id
    life.happen(
        at,
        SessionRevocationAttempted(user_id=user_id, session_id=session.id),
        SessionRevocationSucceeded(user_id=user_id, session_id=session.id),
        by=user_id,
    )


def guessed_at(life: Life) -> None:
    """From one of a few sources; the fifth failure locks, so that two more are refused."""
    at = life.now - timedelta(minutes=life.random.randrange(20, 28 * 24 * 60))
    _guess(life, at, f"203.0.113.{life.random.randrange(10, 15)}")


def locked_now(life: Life) -> None:
    _guess(life, life.now - 6 * _MINUTE, "203.0.113.12")


def nobody_confirmed(life: Life) -> None:
    """The mail was never opened, and signing in is refused."""
    life.fail(life.user.created_at + timedelta(hours=2), "unverified")


def _guess(life: Life, at: datetime, address: str) -> None:
    count = FailureCount()
    source = Source(address, _GUESSER)
    for n in range(MAX_FAILURES):
        at += timedelta(seconds=life.random.randrange(2, 9))
        count = count.after_failure(at)
        until = count.locked_until
        locked = SignInLocked(
            user_id=life.user.id, email=life.user.email, failures=n + 1, until=until or at
        )
        life.fail(at, "wrong_password", *([locked] if until else ()), source=source)
    life.locked = count
    for _ in range(2):
        at += timedelta(seconds=2)
        life.fail(at, "locked", source=source)
    throttled = RequestsThrottled(policy="sign_in", by="address", amount=10, seconds=60)
    life.happen(at + timedelta(seconds=1), throttled, source=source)


STORIES: Final[tuple[Story, ...]] = (
    a_stolen_token_came_back,
    one_device_too_many,
    a_forgotten_password,
    promoted_to_auditor,
    left_the_company,
    signed_out,
    locked_now,
    nobody_confirmed,
    guessed_at,
    guessed_at,
)
