"""What is still to be sent."""

from django.db import models

from core.ids import uuid7


class OutgoingMail(models.Model):
    """A row is written in the unit of work that causes the mail, and goes once it was sent.

    Nothing in it is secret: where the text needs a token, `reference` is the id of the token's
    row, and the token is derived when the mail leaves."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=64)
    recipient = models.EmailField(max_length=254)
    reference = models.UUIDField(null=True)
    details = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=64, blank=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                name="mail_due",
                condition=models.Q(given_up_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.kind
