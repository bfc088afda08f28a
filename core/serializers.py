"""What the serializers of every app share."""

from typing import Any, Final

from django.core.validators import ProhibitNullCharactersValidator, RegexValidator
from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.problems import CONTENT_TYPE

# PostgreSQL keeps no NUL; unlike Django's own validator this one stands in the OpenAPI document.
_NO_NUL: Final = RegexValidator(r"^[^\x00]*$", "Null characters are not allowed.")


class TextField(serializers.CharField):
    """A JSON string: DRF's CharField would make "1" of the number 1, and trim a password."""

    default_error_messages = {"invalid": "This must be a string."}

    def __init__(self, **options: Any) -> None:
        options = {"trim_whitespace": False, "min_length": 1} | options
        super().__init__(**options)
        undocumented = ProhibitNullCharactersValidator
        self.validators = [v for v in self.validators if not isinstance(v, undocumented)]
        self.validators.append(_NO_NUL)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """A JSON boolean: DRF's BooleanField would take 0, "off" and "no" for false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


@extend_schema_field({"type": "boolean", "const": True})
class YesField(FlagField):
    """For what can be said and not taken back: `true`, or left out."""

    default_error_messages = {"not_yes": "It can only be set to true."}

    def to_internal_value(self, data: Any) -> bool:
        if not super().to_internal_value(data):
            self.fail("not_yes")
        return True


class NumberField(serializers.IntegerField):
    """A whole JSON number: DRF's IntegerField would take "5", and true for 1."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool | str):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdField(serializers.UUIDField):
    """A JSON string: DRF's UUIDField would make an id of any number."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "format": "email"})
class EmailTextField(TextField):
    """Says what it is for; the domain says what an address is."""


@extend_schema_field({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]})
class IPAddressField(serializers.IPAddressField):
    pass


class QuerySerializer(serializers.Serializer[Any]):
    """Of a query. REST framework reads it as a form, in which `?role=` is a field left empty: here
    it asks for something that there is not."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({name: self._value(data, name) for name in data})

    def _value(self, data: QueryDict, name: str) -> Any:
        repeated = isinstance(self.fields.get(name), serializers.MultipleChoiceField)
        return data.getlist(name) if repeated else data[name]


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
    limit (429), a form of answer that nobody speaks (406) and a database that is away (503) may
    come before every one of them."""
    return {(status, CONTENT_TYPE): ProblemSerializer for status in (*statuses, 406, 429, 503)}


BODY_PROBLEMS: Final = problem_responses(400, 411, 413, 415)
"""What any operation with a body may answer."""
