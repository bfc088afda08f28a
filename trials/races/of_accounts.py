"""Races for an account: its limits, its password, what is mailed to its owner."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password

from core.actions import AuditAction, Phase
from core.errors import ErrorCode
from core.result import Success
from sessions_app.domain.session import EndReason
from tests.factories import PASSWORD
from trials.races.crew import RUNNERS, Act
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
    mailed,
    sign_in,
)
from users import models, wiring
from users.adapters import LINKS
from users.application.device_passes import GrantDevicePass
from users.application.passwords import ChangePassword, ChoosePassword
from users.application.registration import RegisterUser, VerifyEmail
from users.domain.lockout import MAX_FAILURES
from users.domain.tokens import Purpose

_NEW_PASSWORD = "another horse, another battery"  # noqa: S105


def limit(race: Round) -> None:
    most = 1 + race.number % 5
    user = race.person(max_sessions=most)
    heat = race.at_once([login(user)] * RUNNERS)
    expect(not heat.refusals, f"logins were refused: {dict(heat.refusals)}")
    expect(len(live(user)) == most, f"{len(live(user))} live sessions at a limit of {most}")
    accepted = {each.session_id for each in heat.successes if is_open(each.tokens)}
    expect(accepted == live(user), f"tokens of {len(accepted)} sessions open doors")
    expect(heat.endings() == {EndReason.LIMIT: RUNNERS - most}, f"ended are {heat.endings()}")


def one_account(race: Round) -> None:
    email = f"{race.name}.{race.number}@example.com"
    command = RegisterUser(email=email, password=PASSWORD)
    heat = race.at_once([Act(wiring.register_user, command)] * RUNNERS)
    expect_one(heat, ErrorCode.EMAIL_ALREADY_EXISTS)
    expect(models.User.objects.filter(email=email).count() == 1, "there are several accounts")


def verification(race: Round) -> None:
    user = race.person(is_verified=False)
    token = link(Purpose.EMAIL_VERIFICATION, user)
    command = VerifyEmail(token=token, password=PASSWORD if race.number % 3 else None)
    heat = race.at_once([Act(wiring.verify_email, command)] * RUNNERS)
    expect_one(heat, ErrorCode.INVALID_ONE_USE_TOKEN)
    user.refresh_from_db()
    expect(user.is_verified, "the account is not verified")


def reset(race: Round) -> None:
    """Each chooses another password."""
    user = race.person()
    before, token = sign_in(user), link(Purpose.PASSWORD_RESET, user)
    chosen = [f"one of twenty words {n}" for n in range(RUNNERS)]
    commands = [ChoosePassword(token=token, password=each) for each in chosen]
    heat = race.at_once([Act(wiring.reset_password, each) for each in commands])
    expect_one(heat, ErrorCode.INVALID_ONE_USE_TOKEN)
    user.refresh_from_db()
    winner = [isinstance(each, Success) for each in heat.results].index(True)
    expect(check_password(chosen[winner], user.password), "the password is not the winner's")
    expect_all_over([before.tokens], "after a reset")


def unlock(race: Round) -> None:
    user = race.person()
    command = GrantDevicePass(token=link(Purpose.UNLOCK, user))
    heat = race.at_once([Act(wiring.grant_device_pass, command)] * RUNNERS)
    expect_one(heat, ErrorCode.INVALID_ONE_USE_TOKEN)
    passes = models.DevicePass.objects.filter(user=user).count()
    expect(passes == 1, f"{passes} passes were granted")


def wrong_passwords(race: Round) -> None:
    user = race.person()
    heat = race.at_once([login(user, "a wrong one")] * RUNNERS)
    refused = {ErrorCode.INVALID_CREDENTIALS: RUNNERS}
    expect(heat.refusals == refused, f"they were told {dict(heat.refusals)}")
    locks = heat.told(AuditAction.USER_LOCKED, Phase.SOLE)
    counted = [each["failures"] for each in locks]
    expect(counted == [MAX_FAILURES], f"it was locked after {counted} failures")
    mails = mailed(LINKS[Purpose.UNLOCK], user)
    expect(mails == 1, f"{mails} mails were ordered")
    expect(not login(user).door().handle(login(user).command).is_success, "it is not locked")


def password_change(race: Round) -> None:
    """Against logins with the old password."""
    user = race.person(max_sessions=RUNNERS + 1)
    kept = sign_in(user)
    change = ChangePassword(
        user_id=user.pk,
        session_id=kept.session_id,
        current_password=PASSWORD,
        new_password=_NEW_PASSWORD,
    )
    heat = race.at_once([Act(wiring.change_password, change), *[login(user)] * (RUNNERS - 1)])
    changed = heat.count(AuditAction.USER_PASSWORD_CHANGED, Phase.SUCCEEDED)
    expect(changed == 1, "the password was not changed")
    expect(live(user) == {kept.session_id}, f"{len(live(user)) - 1} sessions survived the change")
    expect_all_over(heat.tokens, "after the change")
    expect(is_open(kept.tokens), "who changed the password was logged out")


def reset_against_logins(race: Round) -> None:
    user = race.person(max_sessions=RUNNERS + 1)
    command = ChoosePassword(token=link(Purpose.PASSWORD_RESET, user), password=_NEW_PASSWORD)
    heat = race.at_once([Act(wiring.reset_password, command), *[login(user)] * (RUNNERS - 1)])
    expect(heat.count(AuditAction.USER_PASSWORD_RESET, Phase.SUCCEEDED) == 1, "it was not reset")
    expect(not live(user), f"{len(live(user))} sessions survived the reset")
    expect_all_over(heat.tokens, "after the reset")


def older_hash(race: Round) -> None:
    """Of the right password: each of the twenty would make it anew."""
    older = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1000)
    user = race.person(password=older, max_sessions=RUNNERS)
    heat = race.at_once([login(user)] * RUNNERS)
    expect(not heat.refusals, f"the right password was refused: {dict(heat.refusals)}")
    rehashed = heat.count(AuditAction.USER_PASSWORD_REHASHED, Phase.SOLE)
    expect(rehashed == 1, f"the hash was made anew {rehashed} times")
    expect(len(live(user)) == RUNNERS, f"{len(live(user))} sessions are live")
    do(login(user).door, login(user).command)


def expect_one(heat: Heat, refusal: ErrorCode) -> None:
    expect(len(heat.successes) == 1, f"{len(heat.successes)} succeeded")
    expect(heat.refusals == {refusal: len(heat.results) - 1}, f"refused were {dict(heat.refusals)}")
