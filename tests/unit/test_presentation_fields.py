from typing import Any

import pytest
from rest_framework import serializers

from core.serializers import FlagField, IdField, NumberField, TextField, YesField

ID = "01a2101b-c808-73a6-807b-4cad7a2c8958"
NEVER: tuple[Any, ...] = ("", None, [], {})


class TestFieldsOfABody:
    """A field takes its own JSON type; what REST framework would convert is refused."""

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            (FlagField(), True),
            (FlagField(), False),
            (YesField(), True),
            (NumberField(), 5),
            (NumberField(), 5.0),  # JSON Schema: a number without a fraction
            (IdField(), ID),
            (TextField(), "5"),
        ],
        ids=str,
    )
    def test_its_own_type_is_taken(
        self, field: serializers.Field[Any, Any, Any, Any], value: Any
    ) -> None:
        assert field.to_representation(field.run_validation(value)) == value

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            *((FlagField(), value) for value in (*NEVER, 0, 1, "true", "off")),
            *((YesField(), value) for value in (*NEVER, False, 1, "true")),
            *((NumberField(), value) for value in (*NEVER, "5", True, False, 5.5)),
            *((IdField(), value) for value in (*NEVER, 5, True, ID[:-1], [ID])),
            *((TextField(), value) for value in (*NEVER, 5, True, ["a"])),
        ],
        ids=str,
    )
    def test_any_other_is_refused(
        self, field: serializers.Field[Any, Any, Any, Any], value: Any
    ) -> None:
        with pytest.raises(serializers.ValidationError):
            field.run_validation(value)
