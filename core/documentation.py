"""What the OpenAPI document says of an operation beside what its serializers do: each app has a
table, by operation id (`api/examples.py`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from drf_spectacular.utils import OpenApiExample

from core.errors import ErrorCode
from core.problems import STATUS

JSON: Final = "application/json"


@dataclass(frozen=True, kw_only=True)
class Told:
    """`codes` are the refusals of its own; those that follow from whom it is open to, or from its
    body, are known without. What is not `is_recorded` works while nothing can be recorded."""

    request: Any = None
    answer: Any = None
    answer_type: str = JSON
    codes: tuple[ErrorCode, ...] = ()
    is_recorded: bool = True

    def examples(self) -> Iterator[OpenApiExample]:
        if self.request is not None:
            yield OpenApiExample("example", self.request, request_only=True)
        if self.answer is not None:
            yield OpenApiExample(
                "example", self.answer, response_only=True, media_type=self.answer_type
            )


Table: TypeAlias = Mapping[str, Told]


def status_of(code: ErrorCode) -> int:
    return STATUS.get(code, 500)
