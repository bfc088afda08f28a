"""Results, unpacked: the failure says what came instead. (Railway-oriented testing.)"""

from typing import Any, TypeVar

from core.errors import DomainError, ErrorCode
from core.result import Failure, Result, Success

T = TypeVar("T")
E = TypeVar("E", bound=DomainError)


def assert_success(result: Result[T, Any]) -> T:
    assert isinstance(result, Success), f"expected a Success, got {result}"
    return result.value


def assert_failure(result: Result[Any, E], code: ErrorCode) -> E:
    assert isinstance(result, Failure), f"expected a Failure({code}), got {result}"
    assert result.error.code is code
    return result.error
