"""From a row of the queue to a letter. Each context registers the kinds of mail that it sends, and
has the templates of the same name: `users.verification` is `users/mail/verification.txt`, whose
first line is the subject, and `users/mail/verification.html`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from core import container


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the queue knows of a mail."""

    kind: str
    recipient: str
    reference: UUID | None
    details: Mapping[str, Any]


Values = Callable[[Order], Mapping[str, Any] | None]
"""What the templates of a kind need; None where nobody needs the mail any more."""


@dataclass(frozen=True)
class Letters:
    kinds: dict[str, Values] = field(default_factory=dict)

    def register(self, kind: str, values: Values) -> None:
        self.kinds[kind] = values

    def write(self, order: Order) -> EmailMultiAlternatives | None:
        """Raises `KeyError` for a kind that nobody has registered."""
        own = self.kinds[order.kind](order)
        if own is None:
            return None
        values = {"public_url": container.get_settings().public_url, **order.details, **own}
        template = "{}/mail/{}".format(*order.kind.split("."))
        subject, _, text = render_to_string(f"{template}.txt", values).partition("\n")
        letter = EmailMultiAlternatives(subject, text.lstrip(), None, [order.recipient])
        letter.attach_alternative(
            render_to_string(f"{template}.html", values | {"subject": subject}), "text/html"
        )
        return letter


letters = Letters()
