"""What the serializers of every app share."""

from typing import Any, Final

from rest_framework import serializers

from core.problems import CONTENT_TYPE


class TextField(serializers.CharField):
    """A JSON string: DRF's CharField would make "1" of the number 1, and trim a password."""

    default_error_messages = {"invalid": "This must be a string."}

    def __init__(self, **options: Any) -> None:
        options.setdefault("trim_whitespace", False)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457"""

    type = serializers.CharField(help_text="urn:dashtam:problem: and the code")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField()
    trace_id = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False
    )


def problem_responses(*statuses: int) -> dict[tuple[int, str], type[ProblemSerializer]]:
    """For `extend_schema`: the problems that an operation answers with, besides its successes. A
    limit (429) stands before every one of them."""
    return {(status, CONTENT_TYPE): ProblemSerializer for status in (*statuses, 429)}


BODY_PROBLEMS: Final = problem_responses(400, 411, 413, 415)
"""What any operation with a body may answer."""
