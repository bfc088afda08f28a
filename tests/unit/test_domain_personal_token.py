from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core.ids import uuid7
from core.keys import KeyRing
from sessions_app.domain.personal_token import (
    LONGEST_LIFE,
    MOST_TOKENS,
    PREFIX,
    PersonalToken,
    Scope,
    read_token_id,
)
from tests.factories import NOON

KEYS = KeyRing("1", {"1": b"k" * 32})
DAY = timedelta(days=1)


def make_token(**over: Any) -> PersonalToken:
    values: dict[str, Any] = {
        "user_id": uuid7(),
        "name": "backup",
        "scope": Scope.READ,
        "created_at": NOON,
        "expires_at": NOON + timedelta(days=1),
        "key_id": "1",
        "salt": b"s" * 32,
        "version": 1,
    }
    return PersonalToken(**values | over)


class TestText:
    def test_it_begins_with_what_scanners_know_and_names_its_row(self) -> None:
        token = make_token()
        text = token.text(KEYS)
        assert text.startswith(PREFIX)
        assert read_token_id(text) == token.id

    def test_it_is_the_same_each_time(self) -> None:
        token = make_token()
        assert token.text(KEYS) == token.text(KEYS)

    def test_what_was_handed_out_before_an_update_still_works(self) -> None:
        token = make_token(id=UUID(int=1))
        assert token.text(KEYS) == (
            "dsh_pat_AAAAAAAAAAAAAAAAAAAAAYHcXC-_JqXCnun5FxQ45wpQANwRIanT_Wi2F7WuiPP4"
        )

    @pytest.mark.parametrize(
        "change", [{"id": uuid7()}, {"salt": b"t" * 32}, {"key_id": "2"}], ids=["id", "salt", "key"]
    )
    def test_another_row_has_another_text(self, change: dict[str, Any]) -> None:
        keys = KeyRing("1", {"1": b"k" * 32, "2": b"k" * 32})
        token = make_token()
        assert replace(token, **change).text(keys) != token.text(keys)
        assert not replace(token, **change).is_genuine(token.text(keys), keys)

    def test_its_own_is_genuine(self) -> None:
        token = make_token()
        assert token.is_genuine(token.text(KEYS), KEYS)

    def test_a_key_that_is_not_known_makes_none_genuine(self) -> None:
        token = make_token(key_id="gone")
        assert not token.is_genuine(PREFIX + "x", KEYS)

    @pytest.mark.parametrize(
        "text", ["", PREFIX, "dsh_access_" + "A" * 64, PREFIX + "A" * 63, PREFIX + "é" * 64]
    )
    def test_what_is_no_token_names_no_row(self, text: str) -> None:
        assert read_token_id(text) is None


class TestMaking:
    def test_a_new_one_was_neither_used_nor_ended(self) -> None:
        token = make_token()
        assert (token.last_used_at, token.rotated_at, token.revoked_at) == (None, None, None)
        assert (token.id.version, token.rotation) == (7, 0)

    def test_the_limits(self) -> None:
        assert LONGEST_LIFE.days == 366
        assert MOST_TOKENS == 50


class TestLife:
    @pytest.mark.parametrize(
        ("age", "is_live"),
        [(timedelta(hours=24) - timedelta(microseconds=1), True), (timedelta(hours=24), False)],
    )
    def test_it_ends_when_it_expires(self, age: timedelta, is_live: bool) -> None:
        assert make_token().is_live(NOON + age) is is_live

    @pytest.mark.parametrize(
        ("age", "is_live"),
        [(timedelta(minutes=5) - timedelta(microseconds=1), True), (timedelta(minutes=5), False)],
    )
    def test_it_ends_when_a_rotation_says(self, age: timedelta, is_live: bool) -> None:
        token = make_token(rotated_at=NOON + timedelta(minutes=5))
        assert token.is_live(NOON + age) is is_live

    def test_it_ends_when_it_is_revoked(self) -> None:
        assert not make_token(revoked_at=NOON).is_live(NOON)

    @pytest.mark.parametrize(
        ("last", "long_ago"),
        [(None, True), (NOON - timedelta(seconds=59), False), (NOON - timedelta(minutes=1), True)],
    )
    def test_its_use_is_noted_once_a_minute(self, last: Any, long_ago: bool) -> None:
        assert make_token(last_used_at=last).was_used_long_ago(NOON) is long_ago
