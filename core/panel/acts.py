"""What an admin can do to one thing: never without a page that says what will happen, a reason for
the trail, and the handler that the API calls too."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from core.errors import DomainError
from core.result import Result
from core.validation import LONGEST_REASON


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why",
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="It stands on the audit trail with your name, and is erased with the person.",
    )


@dataclass(frozen=True, kw_only=True)
class Order:
    """`values` are those of the act's form."""

    thing: UUID
    admin: UUID
    values: dict[str, Any]

    @property
    def reason(self) -> str:
        return str(self.values["reason"])


@dataclass(frozen=True, kw_only=True)
class Act:
    """`foretell` says what will happen to this thing, `done` what has happened. It is offered
    where `suits` says so of the row."""

    slug: str
    label: str
    foretell: Callable[[UUID], str]
    perform: Callable[[Order], Result[Any, DomainError]]
    done: Callable[[Any], str]
    suits: Callable[[Any], bool] = lambda row: True
    form: type[ReasonForm] = ReasonForm
    is_dangerous: bool = False


acts: Final[dict[str, list[Act]]] = defaultdict(list)
"""By the kind of thing."""
