"""Every limit of a session, on both sides of its boundary."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from core.ids import uuid7
from sessions_app.domain.session import DeviceSession, EndReason, SessionKind
from tests.factories import NOON, make_session

LATER = timedelta(microseconds=1)
IDLE = timedelta(days=14)
ABSOLUTE = timedelta(days=30)
ACCESS = timedelta(minutes=15)
OVERLAP = timedelta(seconds=10)


def around(limit: datetime) -> list[tuple[datetime, bool]]:
    """A limit holds until its instant, and at its instant no more."""
    return [(limit - LATER, True), (limit, False)]


class TestLife:
    @pytest.mark.conforms("S6")
    @pytest.mark.parametrize(("now", "live"), around(NOON + IDLE))
    def test_a_session_nobody_uses_ends_after_fourteen_days(
        self, now: datetime, live: bool
    ) -> None:
        assert make_session().is_live(now) is live

    @pytest.mark.parametrize(("now", "live"), around(NOON + ABSOLUTE))
    def test_a_session_that_is_used_ends_after_thirty_days(self, now: datetime, live: bool) -> None:
        session = make_session(last_seen_at=NOON + ABSOLUTE - LATER)
        assert session.is_live(now) is live

    @pytest.mark.parametrize(
        ("seen", "expires"),
        [
            (NOON, NOON + IDLE),
            (NOON + ABSOLUTE - IDLE, NOON + ABSOLUTE),
            (NOON + ABSOLUTE - IDLE - LATER, NOON + ABSOLUTE - LATER),
            (NOON + ABSOLUTE - IDLE + LATER, NOON + ABSOLUTE),
        ],
    )
    def test_it_expires_at_the_nearer_of_both_limits(
        self, seen: datetime, expires: datetime
    ) -> None:
        assert make_session(last_seen_at=seen).expires_at == expires

    @pytest.mark.parametrize(("now", "live"), around(NOON + timedelta(minutes=5)))
    def test_a_rotation_ends_it_when_it_says(self, now: datetime, live: bool) -> None:
        session = make_session(rotated_at=NOON + timedelta(minutes=5))
        assert session.is_live(now) is live

    @pytest.mark.parametrize("reason", EndReason)
    def test_a_session_that_was_ended_is_not_live(self, reason: EndReason) -> None:
        session = make_session(revoked_at=NOON, revoked_reason=reason)
        assert session.is_live(NOON) is False

    @pytest.mark.conforms("S7")
    def test_refreshing_does_not_move_the_absolute_limit(self) -> None:
        last = NOON + ABSOLUTE - LATER
        session = make_session().refreshed(key_id="1", now=last)
        assert session.expires_at == NOON + ABSOLUTE


class TestState:
    def test_live_until_the_moment_it_expires(self) -> None:
        session = make_session()
        moment = timedelta(microseconds=1)
        assert session.state(session.expires_at - moment) == "live"
        assert session.state(session.expires_at) == "expired"

    def test_why_it_ended_comes_before_that_it_would_have_expired(self) -> None:
        session = make_session(revoked_at=NOON, revoked_reason=EndReason.LIMIT)
        assert session.state(session.expires_at) == "session_limit"

    def test_a_rotation_ends_it_before_it_expires(self) -> None:
        session = make_session(rotated_at=NOON)
        assert session.state(NOON) == "tokens_rotated"
        assert session.state(session.expires_at) == "expired"


class TestAccess:
    @pytest.mark.parametrize(("now", "accepted"), around(NOON + ACCESS))
    def test_an_access_token_lives_for_fifteen_minutes(self, now: datetime, accepted: bool) -> None:
        assert make_session().accepts_access(1, now) is accepted

    @pytest.mark.parametrize(("now", "accepted"), around(NOON + OVERLAP))
    def test_the_one_before_it_lives_for_ten_more_seconds(
        self, now: datetime, accepted: bool
    ) -> None:
        assert (
            make_session(generation=7, previous_ends_at=NOON + OVERLAP).accepts_access(6, now)
            is accepted
        )

    @pytest.mark.parametrize("generation", [0, 5, 8])
    def test_no_other_generation_is_accepted(self, generation: int) -> None:
        assert make_session(generation=7).accepts_access(generation, NOON) is False

    @pytest.mark.parametrize("generation", [6, 7])
    def test_a_session_that_was_ended_accepts_nothing(self, generation: int) -> None:
        session = make_session(generation=7, revoked_at=NOON)
        assert session.accepts_access(generation, NOON) is False

    @pytest.mark.parametrize("generation", [6, 7])
    def test_a_session_that_is_over_accepts_nothing(self, generation: int) -> None:
        session = make_session(generation=7, generation_began_at=NOON + IDLE)
        assert session.accepts_access(generation, NOON + IDLE) is False


GENERATIONS = {"current": 7, "previous": 6, "older": 5, "next": 8}
AGES = {
    "new": timedelta(0),
    "below 10 s": OVERLAP - LATER,
    "10 s": OVERLAP,
    "below 15 min": ACCESS - LATER,
    "15 min": ACCESS,
}


class TestEveryWayToAnAccess:
    """The whole table: what is not listed is refused."""

    ACCEPTED = frozenset(
        {
            ("current", "new", "live"),
            ("current", "below 10 s", "live"),
            ("current", "10 s", "live"),
            ("current", "below 15 min", "live"),
            ("previous", "new", "live"),
            ("previous", "below 10 s", "live"),
        }
    )

    @pytest.mark.parametrize(
        "way", list(product(GENERATIONS, AGES, ["live", "ended"])), ids="-".join
    )
    def test_a_way(self, way: tuple[str, str, str]) -> None:
        generation, age, state = way
        began = make_session(generation=6, generation_began_at=NOON - timedelta(minutes=5))
        refreshed = began.refreshed(key_id="1", now=NOON)
        session = replace(refreshed, revoked_at=NOON if state == "ended" else None)
        accepted = session.accepts_access(GENERATIONS[generation], NOON + AGES[age])
        assert accepted is (way in self.ACCEPTED)


class TestEveryWayToARepetition:
    """The whole table: what is not listed ends the session or begins the next generation."""

    FIRST_USES = {"never": None, "now": NOON, "10 s ago": NOON - OVERLAP, "earlier": NOON - IDLE}
    REPEATED = frozenset({("previous", "never"), ("previous", "now"), ("previous", "10 s ago")})

    @pytest.mark.parametrize("way", list(product(GENERATIONS, FIRST_USES)), ids="-".join)
    def test_a_way(self, way: tuple[str, str]) -> None:
        generation, first_use = way
        session = make_session(generation=7, first_used_at=self.FIRST_USES[first_use])
        repeated = session.repeats_refresh(GENERATIONS[generation], NOON)
        assert repeated is (way in self.REPEATED)


class TestRepeatedRefresh:
    @pytest.mark.parametrize("waited", [timedelta(0), timedelta(days=13)])
    def test_a_lost_answer_is_given_again_however_late(self, waited: timedelta) -> None:
        session = make_session(generation=7, first_used_at=None)
        assert session.repeats_refresh(6, NOON + waited) is True

    @pytest.mark.parametrize(
        ("now", "repeats"),
        [(NOON + OVERLAP, True), (NOON + OVERLAP + LATER, False)],
    )
    def test_ten_seconds_after_the_successors_first_use_it_is_not(
        self, now: datetime, repeats: bool
    ) -> None:
        session = make_session(generation=7, first_used_at=NOON)
        assert session.repeats_refresh(6, now) is repeats

    @pytest.mark.parametrize("generation", [5, 7, 8])
    def test_only_the_direct_predecessor_is(self, generation: int) -> None:
        assert make_session(generation=7).repeats_refresh(generation, NOON) is False


class TestRefreshed:
    def test_the_next_generation_begins_now_and_unused(self) -> None:
        session = make_session(generation=7, first_used_at=NOON, key_id="old")
        now = NOON + timedelta(hours=1)
        assert session.refreshed(key_id="new", now=now) == replace(
            session,
            generation=8,
            generation_began_at=now,
            first_used_at=None,
            key_id="new",
            previous_key_id="old",
            previous_ends_at=NOON + ACCESS,
            last_seen_at=now,
        )

    def test_a_token_that_was_over_does_not_come_back(self) -> None:
        session = make_session().refreshed(key_id="1", now=NOON + timedelta(hours=20))
        assert not session.accepts_access(1, NOON + timedelta(hours=20))

    def test_a_token_about_to_end_gets_no_more_time(self) -> None:
        session = make_session().refreshed(key_id="1", now=NOON + ACCESS - LATER)
        assert session.previous_ends_at == NOON + ACCESS

    def test_the_session_it_was_made_from_is_unchanged(self) -> None:
        session = make_session()
        session.refreshed(key_id="1", now=NOON + LATER)
        assert session == make_session(id=session.id, user_id=session.user_id)


class TestReauthenticating:
    """Who proves the password again gets new tokens, and the old ones are over at once."""

    BEFORE = make_session(
        generation=7, first_used_at=NOON, previous_key_id="0", previous_ends_at=NOON + OVERLAP
    )

    def proved_again(self) -> DeviceSession:
        return self.BEFORE.reauthenticated(key_id="2", now=NOON + LATER)

    def test_a_generation_is_left_out(self) -> None:
        expected = replace(
            self.BEFORE,
            generation=9,
            generation_began_at=NOON + LATER,
            first_used_at=None,
            previous_key_id=None,
            previous_ends_at=None,
            key_id="2",
            authenticated_at=NOON + LATER,
            last_seen_at=NOON + LATER,
        )
        assert self.proved_again() == expected

    def test_no_token_of_before_is_accepted(self) -> None:
        session = self.proved_again()
        accepted = [n for n in range(12) if session.accepts_access(n, NOON + LATER)]
        assert accepted == [9]
        assert not session.repeats_refresh(self.BEFORE.generation, NOON + LATER)


class TestUse:
    @pytest.mark.parametrize(
        ("generation", "first_used_at", "first"),
        [(7, None, True), (7, NOON, False), (6, None, False), (8, None, False)],
    )
    def test_only_the_current_generation_has_a_first_use(
        self, generation: int, first_used_at: datetime | None, first: bool
    ) -> None:
        session = make_session(generation=7, first_used_at=first_used_at)
        assert session.is_first_use(generation) is first

    @pytest.mark.parametrize(
        ("waited", "long_ago"),
        [
            (timedelta(minutes=1) - LATER, False),
            (timedelta(minutes=1), True),
        ],
    )
    def test_being_seen_is_noted_once_a_minute(self, waited: timedelta, long_ago: bool) -> None:
        assert make_session().was_seen_long_ago(NOON + waited) is long_ago


class TestMaking:
    def test_a_new_session_is_the_first_generation_of_an_api_client(self) -> None:
        session = DeviceSession(
            user_id=uuid7(),
            device="curl",
            created_at=NOON,
            authenticated_at=NOON,
            last_seen_at=NOON,
            generation_began_at=NOON,
            key_id="1",
            salt=b"s" * 32,
        )
        assert (session.generation, session.kind) == (1, SessionKind.API)
        assert (session.version, session.rotation, session.marks) == (1, 0, ())
        assert session.id.version == 7
        assert session.is_live(NOON) is True

    @pytest.mark.parametrize(
        "name",
        [
            *("ip_address", "location", "first_used_at", "previous_key_id", "previous_ends_at"),
            *("rotated_at", "revoked_at", "revoked_reason"),
        ],
    )
    def test_of_a_new_session_nothing_else_is_known(self, name: str) -> None:
        session = DeviceSession(
            user_id=uuid7(),
            device="curl",
            created_at=NOON,
            authenticated_at=NOON,
            last_seen_at=NOON,
            generation_began_at=NOON,
            key_id="1",
            salt=b"s" * 32,
        )
        assert getattr(session, name) is None

    def test_the_salt_does_not_print(self) -> None:
        assert "ssss" not in repr(make_session())

    def test_the_stored_reasons_do_not_change(self) -> None:
        assert [reason.value for reason in EndReason] == [
            "revoked",
            "session_limit",
            "refresh_token_reuse",
            "password_changed",
            "password_reset",
            "deactivated",
            "demoted",
            "account_deleted",
        ]
