"""Sending what is due, outside any transaction, at least once.

A mail is claimed for some minutes by moving `due_at`: who dies over it leaves it to the next one.
"""

from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Final

from django.db.models import F, QuerySet

from core.clock import SystemClock
from core.ports import Clock, LoggerProtocol
from mail.letters import Letters, Order
from mail.models import OutgoingMail

CLAIM: Final = timedelta(minutes=5)
"""Longer than a mail server is waited for (EMAIL_TIMEOUT)."""
AT_ONCE: Final = 50
FIRST_RETRY: Final = timedelta(seconds=30)
LONGEST_RETRY: Final = timedelta(hours=1)
GIVE_UP_AFTER: Final = timedelta(days=2)
FEWEST_ATTEMPTS: Final = 5
"""The worker may have stood still for days."""
KEEP_GIVEN_UP: Final = timedelta(days=30)
_PERMANENT: Final = range(500, 600)
"""RFC 5321 §4.2.1: asking again would not help."""


@dataclass(frozen=True)
class Postman:
    letters: Letters
    logger: LoggerProtocol
    clock: Clock = SystemClock()

    def deliver(self) -> int:
        """How many mails left. Not all at once: the worker wants to know when it is to stop."""
        sent = 0
        for _ in range(AT_ONCE):
            mail = self._claim()
            if mail is None:
                break
            sent += self._deliver(mail)
        return sent

    def purge(self) -> int:
        """Forgets what was given up long ago: it holds addresses."""
        return self._given_up_long_ago().delete()[0]

    def look(self) -> int:
        """What a purge would forget."""
        return self._given_up_long_ago().count()

    def _given_up_long_ago(self) -> QuerySet[OutgoingMail]:
        return OutgoingMail.objects.filter(given_up_at__lt=self.clock.now() - KEEP_GIVEN_UP)

    def _claim(self) -> OutgoingMail | None:
        """Each due mail for one caller, by one conditional UPDATE."""
        while True:
            now = self.clock.now()
            due = OutgoingMail.objects.filter(due_at__lte=now, given_up_at__isnull=True)
            mail = due.order_by("due_at").first()
            if mail is None:
                return None
            claimed = OutgoingMail.objects.filter(pk=mail.pk, due_at=mail.due_at)
            if claimed.update(due_at=now + CLAIM, attempts=F("attempts") + 1):
                mail.attempts += 1
                return mail

    def _deliver(self, mail: OutgoingMail) -> bool:
        try:
            letter = self.letters.write(_order(mail))
            if letter is not None:
                letter.send()
        except (SMTPException, OSError) as error:
            self._try_again(mail, error, hopeless=_is_permanent(error))
            return False
        except Exception as error:  # noqa: BLE001  a template that fails must not stop the others
            self._try_again(mail, error, hopeless=False)
            return False
        OutgoingMail.objects.filter(pk=mail.pk).delete()
        return letter is not None

    def _try_again(self, mail: OutgoingMail, error: Exception, *, hopeless: bool) -> None:
        """The log and the row tell what kind of error; its words may hold the address."""
        now, name = self.clock.now(), type(error).__name__
        long_ago = now - mail.created_at >= GIVE_UP_AFTER
        ends = hopeless or (long_ago and mail.attempts >= FEWEST_ATTEMPTS)
        event = "mail_given_up" if ends else "mail_not_sent"
        self.logger.error(event, kind=mail.kind, mail=str(mail.pk), error=name)
        OutgoingMail.objects.filter(pk=mail.pk).update(
            due_at=now + _pause(mail.attempts),
            last_error=name[:64],
            given_up_at=now if ends else None,
        )


def _order(mail: OutgoingMail) -> Order:
    return Order(
        kind=mail.kind,
        recipient=mail.recipient,
        reference=mail.reference,
        details=mail.details,
    )


def _pause(attempts: int) -> timedelta:
    """Half a minute, doubling to an hour."""
    return min(FIRST_RETRY * (1 << min(attempts - 1, 10)), LONGEST_RETRY)


def _is_permanent(error: Exception) -> bool:
    """Only what is said of the recipient. What is said of us (our password, our address) is to be
    mended here, and must not cost the whole queue."""
    if not isinstance(error, SMTPRecipientsRefused):
        return False
    return all(code in _PERMANENT for code, _ in error.recipients.values())
