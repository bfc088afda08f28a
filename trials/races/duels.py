"""Pairs of transactions, for `trials/races/orders.py`."""

from collections.abc import Callable

from core.actions import AuditAction, Phase
from core.errors import ErrorCode
from sessions_app import wiring as sessions_wiring
from sessions_app.application.rotation import RotateTokens
from tests.factories import PASSWORD
from trials.races.crew import Act
from trials.races.ground import (
    Heat,
    Round,
    do,
    expect,
    expect_all_over,
    is_open,
    link,
    live,
    login,
    refresh,
    session,
    sign_in,
)
from trials.races.of_accounts import expect_one
from trials.races.of_tokens import (
    deactivate,
    expect_revoked_once,
    reauthenticate,
    revoke,
    the_successor,
)
from users import wiring
from users.application.passwords import ChangePassword, ChoosePassword
from users.application.registration import VerifyEmail
from users.domain.lockout import MAX_FAILURES
from users.domain.tokens import Purpose

Arranged = tuple[Act, Act, Callable[[Heat], None]]


def refresh_and_revoke(race: Round) -> Arranged:
    signed_in = sign_in(race.person())
    return (
        refresh(signed_in.tokens.refresh_token),
        revoke(signed_in),
        lambda heat: expect_revoked_once(heat, signed_in),
    )


def replay_and_revoke(race: Round) -> Arranged:
    """The token was used up long ago."""
    signed_in = sign_in(race.person())
    used_up = refresh(signed_in.tokens.refresh_token)
    successor = do(used_up.door, used_up.command)
    do(used_up.door, refresh(successor.refresh_token).command)
    return used_up, revoke(signed_in), lambda heat: expect_revoked_once(heat, signed_in)


def step_up_and_revoke(race: Round) -> Arranged:
    user = race.person()
    signed_in = sign_in(user)
    return (
        reauthenticate(user, signed_in),
        revoke(signed_in),
        lambda heat: expect_revoked_once(heat, signed_in),
    )


def refresh_and_deactivate(race: Round) -> Arranged:
    user = race.person()
    signed_in = sign_in(user)

    def check(heat: Heat) -> None:
        expect(not live(user), "a session survived the deactivation")
        expect_all_over([signed_in.tokens, *heat.tokens], "after the deactivation")

    return refresh(signed_in.tokens.refresh_token), deactivate(user, user), check


def refresh_and_rotation(race: Round) -> Arranged:
    user = race.person()
    signed_in = sign_in(user)
    rotation = Act(sessions_wiring.rotate_tokens, RotateTokens(reason="a leak"))

    def check(heat: Heat) -> None:
        expect(not live(user), "a session survived the rotation")
        expect_all_over([signed_in.tokens, *heat.tokens], "after the rotation")

    return refresh(signed_in.tokens.refresh_token), rotation, check


def login_and_password_change(race: Round) -> Arranged:
    user = race.person()
    kept = sign_in(user)
    change = ChangePassword(
        user_id=user.pk,
        session_id=kept.session_id,
        current_password=PASSWORD,
        new_password="another horse, another battery",  # noqa: S106
    )

    def check(heat: Heat) -> None:
        survived = len(live(user) - {kept.session_id})
        expect(not survived, f"{survived} sessions survived the change")
        expect_all_over(heat.tokens, "after the change")

    return login(user), Act(wiring.change_password, change), check


def two_logins(race: Round) -> Arranged:
    user = race.person(max_sessions=1)

    def check(heat: Heat) -> None:
        expect(not heat.refusals, f"a login was refused: {dict(heat.refusals)}")
        expect(len(live(user)) == 1, f"{len(live(user))} live sessions at a limit of 1")

    return login(user), login(user), check


def two_refreshes(race: Round) -> Arranged:
    signed_in = sign_in(race.person())
    both = refresh(signed_in.tokens.refresh_token)

    def check(heat: Heat) -> None:
        successor = the_successor(heat)
        expect(is_open(successor), "the successor does not open the door")
        expect(session(signed_in.session_id).generation == 2, "there is more than one successor")

    return both, both, check


def two_verifications(race: Round) -> Arranged:
    user = race.person(is_verified=False)
    both = Act(wiring.verify_email, VerifyEmail(token=link(Purpose.EMAIL_VERIFICATION, user)))
    return both, both, lambda heat: expect_one(heat, ErrorCode.INVALID_ONE_USE_TOKEN)


def two_wrong_passwords(race: Round) -> Arranged:
    """The fourth and the fifth in a row."""
    user = race.person()
    wrong = login(user, "a wrong one")
    for _ in range(MAX_FAILURES - 2):
        wrong.door().handle(wrong.command)

    def check(heat: Heat) -> None:
        counted = [each["failures"] for each in heat.told(AuditAction.USER_LOCKED, Phase.SOLE)]
        expect(counted == [MAX_FAILURES], f"it was locked after {counted} failures")
        right = login(user)
        expect(not right.door().handle(right.command).is_success, "it is not locked")

    return wrong, wrong, check


def verification_and_reset(race: Round) -> Arranged:
    """Both links of one account, which is not verified yet."""
    user = race.person(is_verified=False)
    verify = VerifyEmail(token=link(Purpose.EMAIL_VERIFICATION, user))
    choose = ChoosePassword(
        token=link(Purpose.PASSWORD_RESET, user),
        password="another horse, another battery",  # noqa: S106
    )

    def check(heat: Heat) -> None:
        user.refresh_from_db()
        expect(user.is_verified, "the account is not verified")

    return Act(wiring.verify_email, verify), Act(wiring.reset_password, choose), check
