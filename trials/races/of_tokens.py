"""Races for the tokens of one session."""

from typing import Final

from core.actions import AuditAction, Phase
from core.errors import ErrorCode
from sessions_app import wiring
from sessions_app.adapters import REUSE
from sessions_app.application.reauthenticating import Reauthenticate
from sessions_app.application.revocation import RevokeSession
from sessions_app.application.rotation import RotateTokens
from sessions_app.application.signing_in import SignedIn
from sessions_app.domain.session import EndReason
from sessions_app.domain.tokens import TokenPair
from tests.factories import PASSWORD
from trials.races.crew import PROCESSES, RUNNERS, Act
from trials.races.ground import (
    KEYS,
    ROTATED,
    Heat,
    Round,
    do,
    expect,
    expect_all_over,
    is_open,
    live,
    login,
    mailed,
    refresh,
    session,
    sign_in,
)
from users import models
from users import wiring as users_wiring
from users.application.accounts import ChangeAccount

_GENERATIONS: Final = 3
_LOST_ANSWERS: Final = 3
_REFRESHED: Final = AuditAction.SESSION_REFRESHED


def one_successor(race: Round) -> None:
    signed_in = sign_in(race.person())
    heat = race.at_once([refresh(signed_in.tokens.refresh_token)] * RUNNERS)
    successor = the_successor(heat)
    repeated = [each["repeated"] for each in heat.told(_REFRESHED, Phase.SUCCEEDED)]
    expect(repeated.count(False) == 1, f"{repeated.count(False)} refreshes were not repetitions")
    _expect_generation(signed_in, 2)
    expect(is_open(successor), "the successor does not open the door")
    do(wiring.refresh_session, refresh(successor.refresh_token).command)


def answers_lost(race: Round) -> None:
    """For minutes, several in a row, of several generations in a row: nothing of the successor is
    used before it arrives."""
    signed_in = sign_in(race.person())
    tokens = signed_in.tokens
    for generation in range(2, 2 + _GENERATIONS):
        heard = set()
        for _ in range(_LOST_ANSWERS):
            heard.add(the_successor(race.at_once([refresh(tokens.refresh_token)] * RUNNERS)))
            race.pass_time(minutes=race.random.uniform(2, 40))
        expect(len(heard) == 1, f"{len(heard)} successors, minutes apart")
        (tokens,) = heard
        _expect_generation(signed_in, generation)
    # By now its access token is too old; whoever refreshes is still signed in.
    tokens = do(wiring.refresh_session, refresh(tokens.refresh_token).command)
    expect(is_open(tokens), "the newest token does not open the door")


def replay(race: Round) -> None:
    user = race.person()
    signed_in = sign_in(user)
    used_up = refresh(signed_in.tokens.refresh_token)
    successor = do(wiring.refresh_session, used_up.command)
    expect(is_open(successor), "the successor does not open the door")
    race.pass_time(seconds=race.random.uniform(0, 5))  # a round takes less than the others
    same = the_successor(race.at_once([used_up] * RUNNERS))
    expect(same == successor, "within 10 s of its use there was another successor")
    race.pass_time(seconds=10.001)
    heat = race.at_once([used_up] * RUNNERS)
    expect(heat.refusals == {ErrorCode.INVALID_GRANT: RUNNERS}, f"a replay got {heat.successes}")
    expect(heat.endings() == {EndReason.REUSE: 1}, f"on record are {dict(heat.endings())}")
    expect(session(signed_in.session_id).revoked_reason == EndReason.REUSE, "the session goes on")
    expect(mailed(REUSE, user) == 1, f"the owner was mailed {mailed(REUSE, user)} times")
    expect_all_over([successor, signed_in.tokens], "after a replay")


def keys_rotated(race: Round) -> None:
    """Half of the processes were restarted, the others not yet."""
    signed_in = sign_in(race.person())
    old = refresh(signed_in.tokens.refresh_token)
    keys = race.random.sample([KEYS, ROTATED] * (PROCESSES // 2), PROCESSES)
    successor = the_successor(race.at_once([old] * RUNNERS, keys))
    race.pass_time(minutes=5)
    again = the_successor(race.at_once([old] * RUNNERS, [ROTATED] * PROCESSES))
    expect(again == successor, "when all had the new key, there was another successor")
    newer = race.at_once([refresh(successor.refresh_token)] * RUNNERS, [ROTATED] * PROCESSES)
    expect(is_open(the_successor(newer)), "what was made under the new key opens no door")
    _expect_generation(signed_in, 3)
    key_id = session(signed_in.session_id).key_id
    expect(key_id == "new", f"the new token is made under the key {key_id}")


def against_revoke(race: Round) -> None:
    signed_in = sign_in(race.person())
    revocations = race.random.choice([1, 1, 4, 10])
    refreshes = [refresh(signed_in.tokens.refresh_token)] * (RUNNERS - revocations)
    heat = race.at_once([*refreshes, *[revoke(signed_in)] * revocations])
    expect_revoked_once(heat, signed_in)


def stepping_up_against_revoke(race: Round) -> None:
    user = race.person()
    signed_in = sign_in(user)
    steps = [reauthenticate(user, signed_in)] * (RUNNERS - 2)
    heat = race.at_once([*steps, *[revoke(signed_in)] * 2])
    expect_revoked_once(heat, signed_in)


def against_rotation(race: Round) -> None:
    """Of everybody's tokens, or of this person's."""
    user = race.person(max_sessions=RUNNERS)
    signed_in = sign_in(user)
    whose = None if race.number % 3 else user.pk
    rotation = Act(wiring.rotate_tokens, RotateTokens(user_id=whose, reason="a leak"))
    heat = race.at_once(
        [rotation, *[refresh(signed_in.tokens.refresh_token)] * 10, *[login(user)] * 9]
    )
    began_after = live(user)
    expect(signed_in.session_id not in began_after, "a session survived the rotation")
    expect_all_over(
        [signed_in.tokens, *(each for each in heat.successes if isinstance(each, TokenPair))],
        "after the rotation",
    )
    fresh = [each for each in heat.successes if isinstance(each, SignedIn)]
    accepted = {each.session_id for each in fresh if is_open(each.tokens)}
    expect(accepted == began_after, "tokens and sessions do not agree on what began afterwards")


def against_deactivation(race: Round) -> None:
    admin, user = race.person(role="admin"), race.person(max_sessions=RUNNERS)
    signed_in = sign_in(user)
    closing = deactivate(user, admin)
    heat = race.at_once(
        [closing, *[refresh(signed_in.tokens.refresh_token)] * 10, *[login(user)] * 9]
    )
    expect(not live(user), "a session survived the deactivation")
    handed_out = [signed_in.tokens, *heat.tokens]
    expect_all_over(handed_out, "after the deactivation")
    do(users_wiring.change_account, deactivate(user, admin, is_active=True).command)
    expect_all_over(handed_out, "when the account was open again")


def revoke(signed_in: SignedIn) -> Act:
    command = RevokeSession(session_id=signed_in.session_id, user_id=signed_in.user_id)
    return Act(wiring.revoke_session, command)


def reauthenticate(user: models.User, signed_in: SignedIn) -> Act:
    command = Reauthenticate(
        session_id=signed_in.session_id, user_id=user.pk, email=user.email, password=PASSWORD
    )
    return Act(wiring.reauthenticate, command)


def deactivate(user: models.User, admin: models.User, *, is_active: bool = False) -> Act:
    command = ChangeAccount(user_id=user.pk, actor_id=admin.pk, is_active=is_active)
    return Act(users_wiring.change_account, command)


def expect_revoked_once(heat: Heat, signed_in: SignedIn) -> None:
    revoked = heat.count(AuditAction.SESSION_REVOKED, Phase.SUCCEEDED)
    # Who refreshes a token that a step-up has retired ends the session, too.
    ended = revoked + heat.endings().total()
    expect(ended == 1, f"the session ended {ended} times")
    expect(session(signed_in.session_id).revoked_at is not None, "the session is not revoked")
    expect_all_over([signed_in.tokens, *heat.tokens], "after a revoke")


def the_successor(heat: Heat) -> TokenPair:
    expect(not heat.refusals, f"somebody was logged out: {dict(heat.refusals)}")
    successors = set(heat.successes)
    expect(len(successors) == 1, f"{len(successors)} different successors were handed out")
    successor: TokenPair = successors.pop()
    return successor


def _expect_generation(signed_in: SignedIn, generation: int) -> None:
    row = session(signed_in.session_id)
    seen = (row.generation, row.revoked_at)
    expect(seen == (generation, None), f"generation, end are {seen} instead of {generation}")
