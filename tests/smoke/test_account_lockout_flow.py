"""Guessing stops after five failures, for addresses that exist and for those that do not."""

import pytest

from tests.factories import PASSWORD, UserFactory
from tests.smoke.conftest import Program


@pytest.mark.parametrize("email", ["owner@example.com", "nobody@example.com"])
def test_guessing_is_stopped_and_the_answers_do_not_change(program: Program, email: str) -> None:
    UserFactory.create(email="owner@example.com")
    answers = [program.sign_in(email, "a wrong password").body for _ in range(6)]
    details = {(answer["status"], answer["code"], answer["detail"]) for answer in answers}
    assert len(details) == 1
    assert program.sign_in(email, PASSWORD).status == 401
