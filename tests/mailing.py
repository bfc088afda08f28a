"""What the worker does for mail."""

from django.core import mail
from django.core.mail import EmailMultiAlternatives

from mail import wiring


def delivered() -> list[EmailMultiAlternatives]:
    """All that has left, after whatever is due has left."""
    wiring.postman().deliver()
    return [each for each in mail.outbox if isinstance(each, EmailMultiAlternatives)]
