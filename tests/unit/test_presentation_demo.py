"""Made-up lives: what they did could have happened, and is the same each time."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from config.demo.lives import MONTH, Life
from config.demo.stories import STORIES, life_of, locked_now, nobody_confirmed
from core.actions import Phase
from core.ids import first_id_of, uuid7
from sessions_app.domain.session import EndReason

NOW = datetime(2024, 1, 31, 12, tzinfo=UTC)
ADMIN = uuid7()


def life(number: int = 20, seed: int = 1, visits: int = 20) -> Life:
    return life_of(number, seed=seed, now=NOW, visits=visits, admin=ADMIN)


def told(life: Life) -> list[tuple[str, str]]:
    return [(event.action, event.phase.name) for one in life.happened for event in one.events]


class TestLives:
    def test_the_same_numbers_are_the_same_life(self) -> None:
        assert life().user == life().user
        assert told(life()) == told(life())
        assert told(life()) != told(life(seed=2))
        assert life().user.email != life(21).user.email

    @pytest.mark.parametrize("number", range(14))
    def test_everything_happened_in_the_last_thirty_days(self, number: int) -> None:
        moments = [one.at for one in life(number).happened]
        assert min(moments) > NOW - MONTH
        assert max(moments) <= NOW

    @pytest.mark.parametrize("number", range(14))
    def test_every_attempt_has_one_outcome_and_it_is_the_last(self, number: int) -> None:
        for one in life(number).happened:
            phases = [event.phase for event in one.events]
            if phases == [Phase.SOLE]:
                continue
            assert phases[0] is Phase.ATTEMPTED
            assert phases[-1] in (Phase.SUCCEEDED, Phase.FAILED)
            assert Counter(phases)[Phase.ATTEMPTED] == 1

    @pytest.mark.parametrize("number", range(14))
    def test_ids_and_times_of_events_are_of_their_moment(self, number: int) -> None:
        for one in life(number).happened:
            for event in one.events:
                assert event.occurred_at == one.at
                assert event.event_id.int >> 80 == first_id_of(one.at).int >> 80

    def test_no_more_sessions_are_live_than_an_account_may_have(self) -> None:
        for number in range(14):
            made = life(number)
            live = [session for session in made.sessions if session.is_live(NOW)]
            assert len(live) <= 2

    def test_people_come_by_day(self) -> None:
        hours = [one.at.hour for number in range(14) for one in life(number, visits=30).happened]
        assert sum(8 <= hour < 20 for hour in hours) > len(hours) * 0.6


class TestStories:
    @pytest.mark.parametrize(
        ("number", "reason"),
        [
            (0, EndReason.REUSE),
            (1, EndReason.LIMIT),
            (2, EndReason.PASSWORD_RESET),
            (4, EndReason.DEACTIVATED),
            (5, EndReason.REVOKED),
        ],
    )
    def test_sessions_ended_as_the_story_has_it(self, number: int, reason: EndReason) -> None:
        made = life(number)
        assert reason in {session.revoked_reason for session in made.sessions}
        assert NOW - max(session.revoked_at or NOW - MONTH for session in made.sessions) <= (
            timedelta(days=1)
        )

    def test_who_was_guessed_at_just_now_is_locked(self) -> None:
        made = life(STORIES.index(locked_now))
        assert made.locked is not None
        assert made.locked.is_locked(NOW)
        assert ("user.locked", "SOLE") in told(made)

    def test_who_never_confirmed_their_address_never_signed_in(self) -> None:
        made = life(STORIES.index(nobody_confirmed))
        assert (made.user.is_verified, made.sessions) == (False, [])

    def test_an_account_that_was_closed_is_closed(self) -> None:
        made = life(4)
        assert (made.user.is_active, made.user.token_version) == (False, 2)
        assert not [session for session in made.sessions if session.is_live(NOW)]

    def test_one_in_forty_of_the_others_was_guessed_at(self) -> None:
        assert ("user.locked", "SOLE") in told(life(80))
        assert ("user.locked", "SOLE") not in told(life(81))
