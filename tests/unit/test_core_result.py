from dataclasses import FrozenInstanceError

import pytest

from core.errors import DomainError, ErrorCode
from core.result import Failure, Result, Success
from tests.assertions import assert_failure, assert_success

REFUSED = DomainError(ErrorCode.NOT_FOUND, "There is nothing here.")


def describe(result: Result[int, DomainError]) -> str:
    match result:
        case Success(value):
            return f"value {value}"
        case Failure(error):
            return f"error {error.code}"


def test_a_success_holds_its_value():
    assert Success(7).value == 7


def test_a_success_takes_its_value_by_name():
    assert Success(value=7).value == 7


def test_a_failure_holds_its_error():
    assert Failure(REFUSED).error is REFUSED


def test_a_failure_takes_its_error_by_name():
    assert Failure(error=REFUSED).error is REFUSED


@pytest.mark.parametrize(
    ("result", "is_success"), [(Success(None), True), (Failure(REFUSED), False)]
)
def test_a_result_tells_which_of_the_two_it_is(result: Result[None, DomainError], is_success: bool):
    assert result.is_success is is_success


@pytest.mark.parametrize(("result", "absent"), [(Success(1), "error"), (Failure(REFUSED), "value")])
def test_the_other_side_is_not_there(result: Result[int, DomainError], absent: str):
    with pytest.raises(AttributeError):
        getattr(result, absent)


@pytest.mark.parametrize("field", ["value", "is_success"])
def test_a_success_cannot_be_changed(field: str):
    with pytest.raises(FrozenInstanceError):
        setattr(Success(1), field, 2)


@pytest.mark.parametrize("field", ["error", "is_success"])
def test_a_failure_cannot_be_changed(field: str):
    with pytest.raises(FrozenInstanceError):
        setattr(Failure(REFUSED), field, None)


@pytest.mark.parametrize(
    ("result", "description"),
    [(Success(3), "value 3"), (Failure(REFUSED), "error not_found")],
)
def test_a_result_can_be_matched_by_pattern(result: Result[int, DomainError], description: str):
    assert describe(result) == description


def test_a_success_of_a_falsy_value_is_a_success():
    assert Success(0).is_success


class TestAssertions:
    """The helpers of `tests.assertions` tell what came instead."""

    def test_assert_success_unpacks_the_value(self):
        assert assert_success(Success("value")) == "value"

    def test_assert_success_says_what_came_instead(self):
        with pytest.raises(AssertionError, match="There is nothing here"):
            assert_success(Failure(REFUSED))

    def test_assert_failure_unpacks_the_error(self):
        assert assert_failure(Failure(REFUSED), ErrorCode.NOT_FOUND) is REFUSED

    def test_assert_failure_says_what_came_instead(self):
        with pytest.raises(AssertionError, match=r"expected a Failure\(not_found\), got Success"):
            assert_failure(Success(1), ErrorCode.NOT_FOUND)

    def test_assert_failure_wants_the_very_code(self):
        with pytest.raises(AssertionError):
            assert_failure(Failure(REFUSED), ErrorCode.USER_NOT_FOUND)
