from dataclasses import dataclass

from core.errors import ValidationError
from core.result import Failure, Result, Success
from core.validation import validate_email


@dataclass(frozen=True)
class Email:
    """An address in its normal form: two that reach the same mailbox by case alone are equal."""

    value: str

    @classmethod
    def create(cls, text: str) -> Result["Email", ValidationError]:
        checked = validate_email(text)
        if isinstance(checked, Failure):
            return checked
        return Success(cls(checked.value))

    def __str__(self) -> str:
        return self.value
