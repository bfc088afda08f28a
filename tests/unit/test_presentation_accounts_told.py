"""How commands tell of an account and of a session."""

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sessions_app.domain.session import ABSOLUTE_LIMIT, DeviceSession, EndReason
from sessions_app.management import listing
from sessions_app.ports import SessionWithUser
from tests.factories import NOON, make_session, make_user
from users.domain.lockout import FailureCount
from users.domain.roles import SessionTier
from users.management import accounts
from users.management.arguments import add_reason, number

HOUR = timedelta(hours=1)
LATER = NOON + HOUR


class TestAccount:
    @pytest.mark.parametrize(
        ("values", "state"),
        [
            ({}, "active"),
            ({"is_verified": False}, "not confirmed"),
            ({"is_active": False, "is_verified": False}, "deactivated"),
        ],
    )
    def test_its_state_is_what_keeps_its_owner_out(
        self, values: dict[str, bool], state: str
    ) -> None:
        assert accounts.state_of(make_user(**values)) == state

    def test_a_lock_stands_beside_its_state(self) -> None:
        user = make_user()
        assert accounts.row(user, {user.id}) == [
            (user.email, str(user.id)),
            "user",
            "active, locked",
            "2024-01-01",
        ]
        assert accounts.row(user, set())[2] == "active"

    @pytest.mark.parametrize(
        ("values", "told"),
        [
            ({}, "2 at once (basic)"),
            ({"max_sessions": 7}, "7 at once (basic)"),
            ({"session_tier": SessionTier.PRO}, "any number at once (pro)"),
        ],
    )
    def test_how_many_sessions_it_may_have(self, values: dict[str, object], told: str) -> None:
        assert dict(accounts.facts(make_user(**values)))["Sessions"] == told

    def test_its_document_holds_no_hash(self) -> None:
        document = accounts.document(make_user())
        assert "hashed_password" not in str(document)
        assert document["created_at"] == "2024-01-01T12:00:00+00:00"


class TestLock:
    @pytest.mark.parametrize(
        ("strangers", "others", "told"),
        [
            (FailureCount(), 0, "none"),
            (FailureCount(5, LATER), 0, "until 2024-01-01 13:00 UTC, but for known devices"),
            (FailureCount(5, NOON), 2, "2 of known devices, sessions or links"),
            (FailureCount(100), 0, "after 100 failures, until a new password or `users unlock`"),
        ],
        ids=["none", "strangers", "over, and devices", "for good"],
    )
    def test_it_is_told_whom_it_keeps_out(
        self, strangers: FailureCount, others: int, told: str
    ) -> None:
        assert accounts.lock_text(strangers, others, NOON) == told

    @pytest.mark.parametrize(
        ("strangers", "is_locked", "until"),
        [
            (FailureCount(5, LATER), True, LATER.isoformat()),
            (FailureCount(5, NOON), False, None),
            (FailureCount(100, LATER), True, None),
        ],
        ids=["for an hour", "over", "for good"],
    )
    def test_its_end_is_told_where_time_alone_ends_it(
        self, strangers: FailureCount, is_locked: bool, until: str | None
    ) -> None:
        assert accounts.lock_document(strangers, 1, NOON) == {
            "is_locked": is_locked,
            "until": until,
            "failures": strangers.failures,
            "known_locked": 1,
        }


class TestSession:
    @pytest.mark.parametrize(
        ("session", "now", "state"),
        [
            (make_session(), NOON, "live"),
            (
                make_session(revoked_at=NOON, revoked_reason=EndReason.LIMIT),
                NOON,
                "session_limit",
            ),
            (make_session(rotated_at=NOON), NOON, "tokens_rotated"),
            (make_session(rotated_at=LATER), NOON, "live"),
            (make_session(), NOON + ABSOLUTE_LIMIT, "expired"),
        ],
        ids=["live", "ended", "rotated", "in its grace", "expired"],
    )
    def test_its_state_is_why_it_ended(
        self, session: DeviceSession, now: datetime, state: str
    ) -> None:
        assert session.state(now) == state

    def test_a_row_says_whose_where_and_when(self) -> None:
        user, session = make_user(), make_session(ip_address="192.0.2.1", location="Uppsala")
        found = SessionWithUser(session, user)
        assert listing.row(found, NOON) == [
            str(session.id),
            (user.email, "Firefox on Linux", "192.0.2.1, Uppsala"),
            ("2024-01-01 12:00", "live"),
        ]
        nowhere = SessionWithUser(replace(session, ip_address=None, location=None), user)
        assert listing.row(nowhere, NOON)[1][2] == "no address"

    def test_neither_line_nor_document_holds_what_tokens_are_made_of(self) -> None:
        user = make_user()
        session = make_session(user_id=user.id, ip_address="192.0.2.1", salt=b"secret salt" * 3)
        document = listing.document(SessionWithUser(session, user), NOON)
        assert (document["user_id"], document["state"]) == (str(user.id), "live")
        line = listing.line(session)
        assert line.startswith("Firefox on Linux, 192.0.2.1, seen 2024-01-01 12:00 UTC, ")
        assert "secret" not in f"{document}{line}"


class TestArguments:
    @pytest.mark.parametrize("text", ["0", "721", "-1", "1.5", "²", "", "many"])
    def test_a_number_out_of_its_bounds_is_none(self, text: str) -> None:
        with pytest.raises(ArgumentTypeError, match="a number from 1 to 720 is wanted"):
            number(1, 720)(text)

    @pytest.mark.parametrize("text", ["1", "720"])
    def test_its_bounds_are_among_it(self, text: str) -> None:
        assert number(1, 720)(text) == int(text)

    @pytest.mark.parametrize("text", [" ", "x" * 501, "two\nlines", "\x1b[2J"])
    def test_a_reason_is_one_line_of_words(
        self, text: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        parser = ArgumentParser()
        add_reason(parser)
        with pytest.raises(SystemExit):
            parser.parse_args(["--reason", text])
        assert "say why" in capsys.readouterr().err
