"""Refreshing, the way that clients with bad networks do it, and the way that thieves do."""

import pytest

from tests.factories import PASSWORD, UserFactory
from tests.smoke.conftest import Program


@pytest.mark.conforms("S17")
def test_a_lost_answer_does_not_end_the_session(program: Program) -> None:
    tokens = program.sign_in(UserFactory.create().email, PASSWORD)
    lost = program.refresh(tokens["refresh_token"])
    repeated = program.refresh(tokens["refresh_token"])
    assert (lost.status, repeated.status) == (201, 201)
    assert repeated.body == lost.body
    program.carry(repeated)
    assert program.call("GET", "users/me").status == 200


@pytest.mark.conforms("S16")
def test_a_stolen_refresh_token_ends_the_session(program: Program) -> None:
    tokens = program.sign_in(UserFactory.create().email, PASSWORD)
    second = program.refresh(tokens["refresh_token"])
    third = program.refresh(second["refresh_token"])
    replayed = program.refresh(tokens["refresh_token"])
    assert (replayed.status, replayed["code"]) == (401, "invalid_grant")
    program.carry(third)
    assert program.call("GET", "users/me").status == 401


def test_the_oldest_session_makes_room_for_a_new_one(
    program: Program, another_program: Program
) -> None:
    email = UserFactory.create().email
    program.sign_in(email, PASSWORD)
    another_program.sign_in(email, PASSWORD)
    assert another_program.sign_in(email, PASSWORD).status == 201
    assert program.call("GET", "users/me").status == 401
    assert len(another_program.call("GET", "sessions")["results"]) == 2
