"""Success or Failure: what a journey returns instead of raising."""

from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeAlias, TypeVar

T_co = TypeVar("T_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True)
class Success(Generic[T_co]):
    value: T_co
    is_success: ClassVar[Literal[True]] = True


@dataclass(frozen=True)
class Failure(Generic[E_co]):
    error: E_co
    is_success: ClassVar[Literal[False]] = False


Result: TypeAlias = Success[T_co] | Failure[E_co]
