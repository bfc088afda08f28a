"""The queue of mails: at least once, never twice at a time, and never for ever."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from smtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
)
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection

from core import container
from core.checks import UPKEEP
from core.unit_of_work import UnitOfWorkError
from mail import checks, wiring
from mail.delivery import AT_ONCE, CLAIM, FEWEST_ATTEMPTS, GIVE_UP_AFTER, KEEP_GIVEN_UP, Postman
from mail.letters import Letters
from mail.models import OutgoingMail
from mail.outbox import Outbox
from tests.factories import arranged
from tests.fakes.clock import FakeClock

EMAIL = "test@example.com"
KIND = "users.already_registered"


class FailingServer(BaseEmailBackend):
    error: Exception

    def send_messages(self, email_messages: Any) -> int:
        raise self.error


class AwayServer(FailingServer):
    error = ConnectionRefusedError(f"to 192.0.2.1 for {EMAIL}")


class BusyServer(FailingServer):
    error = SMTPDataError(451, b"try later")


class ProudServer(FailingServer):
    error = SMTPSenderRefused(550, b"not you", "us@example.com")


class LockedServer(FailingServer):
    error = SMTPAuthenticationError(535, b"wrong password")


class RefusingServer(FailingServer):
    error = SMTPRecipientsRefused({EMAIL: (550, b"unknown")})


@pytest.fixture
def postman(clock: FakeClock) -> Postman:
    letters = Letters()
    letters.register(KIND, lambda order: {})
    return Postman(letters, container.get_logger(), clock)


@pytest.fixture
def order(db: None, clock: FakeClock) -> Callable[[], None]:
    def order(kind: str = KIND) -> None:
        with arranged():
            Outbox(container.get_database(), clock).put(kind, EMAIL)

    return order


def the_mail() -> OutgoingMail:
    return OutgoingMail.objects.get()


class TestOrdering:
    """Uses fixtures: db."""

    def test_a_mail_is_ordered_in_a_unit_of_work_alone(self, db: None) -> None:
        with pytest.raises(UnitOfWorkError):
            wiring.outbox().put(KIND, EMAIL)


class TestDelivery:
    """Uses fixtures: postman, order, clock."""

    def test_what_was_sent_leaves_no_row(self, postman: Postman, order: Any) -> None:
        order()
        assert postman.deliver() == 1
        assert [message.to for message in mail.outbox] == [[EMAIL]]
        assert not OutgoingMail.objects.exists()

    def test_what_was_claimed_and_not_finished_is_due_again(
        self, postman: Postman, order: Any, clock: FakeClock
    ) -> None:
        """As when the process dies over it."""
        order()
        assert postman._claim() is not None
        assert postman.deliver() == 0
        clock.advance(CLAIM)
        assert postman.deliver() == 1

    def test_only_so_many_leave_at_once(self, postman: Postman, order: Any) -> None:
        for _ in range(AT_ONCE + 1):
            order()
        assert [postman.deliver(), postman.deliver()] == [AT_ONCE, 1]

    def test_a_kind_that_nobody_knows_stops_no_other(self, postman: Postman, order: Any) -> None:
        order("users.unknown")
        order()
        assert postman.deliver() == 1
        assert the_mail().last_error == "KeyError"


class TestFailure:
    """Uses fixtures: postman, order, clock, settings (of pytest-django), caplog."""

    @pytest.mark.parametrize("server", [AwayServer, BusyServer])
    def test_it_is_tried_again_after_a_pause_that_doubles(
        self, postman: Postman, order: Any, clock: FakeClock, settings: Any, server: type
    ) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.{server.__name__}"
        order()
        pauses = []
        for _ in range(9):
            postman.deliver()
            pauses.append((the_mail().due_at - clock.now()).total_seconds())
            clock.advance(timedelta(seconds=pauses[-1]))
        assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]

    def test_it_leaves_once_the_server_is_back(
        self, postman: Postman, order: Any, clock: FakeClock, settings: Any
    ) -> None:
        alive, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.AwayServer"
        order()
        postman.deliver()
        settings.EMAIL_BACKEND = alive
        assert postman.deliver() == 0
        clock.advance(timedelta(seconds=30))
        assert postman.deliver() == 1

    def test_after_two_days_it_is_given_up(
        self, postman: Postman, order: Any, clock: FakeClock, settings: Any
    ) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.AwayServer"
        order()
        for _ in range(FEWEST_ATTEMPTS - 2):
            postman.deliver()
            clock.advance(timedelta(hours=1))
        clock.advance(GIVE_UP_AFTER - timedelta(hours=FEWEST_ATTEMPTS - 2, seconds=1))
        postman.deliver()
        assert the_mail().given_up_at is None
        clock.advance(timedelta(hours=1))
        postman.deliver()
        assert the_mail().given_up_at == clock.now()

    def test_a_worker_that_stood_still_gives_nothing_up_at_once(
        self, postman: Postman, order: Any, clock: FakeClock, settings: Any
    ) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.AwayServer"
        order()
        clock.advance(GIVE_UP_AFTER + timedelta(days=1))
        postman.deliver()
        assert the_mail().given_up_at is None

    @pytest.mark.parametrize("server", [ProudServer, LockedServer])
    def test_what_the_server_has_against_us_costs_no_mail(
        self, postman: Postman, order: Any, settings: Any, server: type
    ) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.{server.__name__}"
        order()
        postman.deliver()
        assert the_mail().given_up_at is None

    def test_a_refusal_for_good_is_given_up_at_once(
        self, postman: Postman, order: Any, clock: FakeClock, settings: Any
    ) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.RefusingServer"
        order()
        postman.deliver()
        assert the_mail().given_up_at == clock.now()

    def test_the_log_tells_what_kind_of_error_and_no_address(
        self, postman: Postman, order: Any, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.AwayServer"
        order()
        with caplog.at_level(logging.DEBUG):
            postman.deliver()
        assert "mail_not_sent" in caplog.text
        assert "ConnectionRefusedError" in caplog.text
        assert EMAIL not in caplog.text

    def test_what_was_given_up_is_forgotten_in_the_end(
        self, postman: Postman, order: Any, clock: FakeClock, settings: Any
    ) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.RefusingServer"
        order()
        postman.deliver()
        clock.advance(KEEP_GIVEN_UP)
        assert postman.purge() == 0
        clock.advance(timedelta(seconds=1))
        assert postman.purge() == 1


class TestSeveralWorkers:
    """Uses fixtures: transactional_db."""

    @pytest.mark.slow(reason="four threads with connections of their own")
    def test_each_mail_is_claimed_by_one(
        self, transactional_db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(40):
            with arranged():
                wiring.outbox().put(KIND, EMAIL)
        sent: list[Any] = []

        def keep(self: Postman, each: OutgoingMail) -> bool:
            sent.append(each.pk)
            return True

        monkeypatch.setattr(Postman, "_deliver", keep)

        def work(_: int) -> None:
            wiring.postman().deliver()
            connection.close()

        with ThreadPoolExecutor(4) as workers:
            list(workers.map(work, range(4)))
        assert len(sent) == len(set(sent)) == 40
        OutgoingMail.objects.all().delete()


class TestChecks:
    """Uses fixtures: order, postman, clock, frozen."""

    def test_a_queue_that_moves_is_nothing_to_tell(self, order: Any, frozen: FakeClock) -> None:
        order()
        frozen.advance(timedelta(minutes=10))
        assert checks.mail_leaves(databases=["default"]) == []

    def test_mails_that_wait_are_told(self, order: Any, frozen: FakeClock) -> None:
        order()
        frozen.advance(timedelta(minutes=10, seconds=1))
        assert [each.id for each in checks.mail_leaves(databases=["default"])] == ["mail.W001"]

    def test_mails_that_were_given_up_are_told(
        self, postman: Postman, order: Any, settings: Any
    ) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.RefusingServer"
        order()
        postman.deliver()
        assert [each.id for each in checks.mail_leaves(databases=["default"])] == ["mail.W002"]

    def test_they_degrade_the_service_and_no_more(self) -> None:
        assert list(checks.mail_leaves.tags) == [UPKEEP]
        assert checks.mail_leaves(databases=None) == []
