"""The fixture `interleave`: two go as far as they are told, and nothing is passed over silently."""

import pytest
from django.db import connection

from tests.interleaving import Interleave, StuckError

STEPS = {"second": "SELECT 2", "never": "SELECT 9"}


def asking(heard: list[str], name: str, *numbers: int) -> str:
    for number in numbers:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {number}")
        heard.append(f"{name}{number}")
    return name


def test_each_goes_as_far_as_it_is_told(interleave: Interleave):
    heard: list[str] = []
    ran = interleave(
        lambda: asking(heard, "A", 1, 2, 3),
        lambda: asking(heard, "B", 1, 2),
        "B second, A second, B, A",
        STEPS,
    )
    assert heard == ["B1", "A1", "B2", "A2", "A3"]
    assert (ran.results, ran.waited) == (["A", "B"], "")


def test_an_order_with_a_step_that_does_not_come_is_no_order(interleave: Interleave):
    with pytest.raises(StuckError, match="A has ended without never"):
        interleave(lambda: asking([], "A", 1), lambda: asking([], "B", 1), "A never, B, A", STEPS)


def test_what_one_of_them_raises_is_raised(interleave: Interleave):
    with pytest.raises(ZeroDivisionError):
        interleave(lambda: 1 / 0, lambda: asking([], "B", 1), "A, B", STEPS)
