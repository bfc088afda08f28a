"""Serializer fields that take a value as it is meant, or refuse it."""

from typing import Any

from rest_framework import serializers


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
