"""What can be asked of the trail in the panel."""

from typing import Any, Final
from uuid import UUID

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from audit.ports import Criteria
from core.actions import AuditAction, Phase
from core.context import TRACE_ID
from core.panel.parts import parts

_MOMENTS: Final = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")


class MomentField(forms.DateTimeField):
    def __init__(self, **options: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})
        super().__init__(required=False, input_formats=_MOMENTS, widget=widget, **options)


class PersonField(forms.CharField):
    """An address of an account, or the id of one that may be gone."""

    widget = UnfoldAdminTextInputWidget

    def clean(self, value: Any) -> UUID | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return UUID(text)
        except ValueError:
            found = parts.find_person(text)
        if found is None:
            raise forms.ValidationError("There is no account of this address; an id finds more.")
        return found


class TrailForm(forms.Form):
    since = MomentField(label="From (UTC)")
    until = MomentField(label="Until (UTC)")
    subject = PersonField(label="About whom", required=False)
    actor = PersonField(label="By whom", required=False)
    action = forms.ChoiceField(
        label="Action",
        required=False,
        choices=[("", "any"), *((action, action) for action in AuditAction)],
        widget=UnfoldAdminSelectWidget,
    )
    phase = forms.ChoiceField(
        label="Outcome",
        required=False,
        choices=[("", "any"), *((phase.name, phase.name.lower()) for phase in Phase)],
        widget=UnfoldAdminSelectWidget,
    )
    ip = forms.GenericIPAddressField(
        label="Network address", required=False, widget=UnfoldAdminTextInputWidget
    )
    trace = forms.RegexField(
        label="Trace id",
        required=False,
        regex=rf"\A{TRACE_ID}\Z",
        widget=UnfoldAdminTextInputWidget,
        help_text="With a time it is found sooner.",
    )
    resource_id = forms.UUIDField(
        label="Session, token or event", required=False, widget=UnfoldAdminTextInputWidget
    )

    def criteria(self) -> Criteria:
        asked = {name: value for name, value in self.cleaned_data.items() if value}
        phase = asked.pop("phase", None)
        return Criteria(phases=frozenset({Phase[phase]} if phase else ()), **asked)
