"""Mail on the terminal, for a first look."""

from django.core.mail import EmailMessage
from django.core.mail.backends import console


class EmailBackend(console.EmailBackend):
    """The text as a person reads it: no MIME, no HTML."""

    def write_message(self, message: EmailMessage) -> None:
        to = ", ".join(message.recipients())
        self.stream.write(f"\n--- Mail to {to}: {message.subject}\n\n{message.body}---\n")
