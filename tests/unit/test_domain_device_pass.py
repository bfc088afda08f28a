from datetime import timedelta
from uuid import UUID

import pytest

from core.ids import uuid7
from core.keys import KeyRing
from tests.factories import NOON
from users.domain.device_pass import MOST_PASSES, DevicePass, read_pass_id

KEYS = KeyRing("new", {"new": b"n" * 32, "old": b"o" * 32})
LIFE = timedelta(days=180)
LATER = timedelta(microseconds=1)
GOLDEN = "dsh_device_AAAAAAAAAAAAAAAAAAAAAZ2wk8Sl8ZAKLi9h6EC3LW5juTwnrFLdsLtPkXJFZjWF"


def grant() -> DevicePass:
    return DevicePass.grant(uuid7(), salt=b"s" * 32, now=NOON)


class TestLife:
    def test_a_new_one_was_never_used(self) -> None:
        granted = grant()
        assert (granted.created_at, granted.last_used_at) == (NOON, None)
        assert granted.id.version == 7

    @pytest.mark.parametrize(("age", "live"), [(LIFE - LATER, True), (LIFE, False)])
    def test_it_ends_180_days_after_it_was_granted(self, age: timedelta, live: bool) -> None:
        assert grant().is_live(NOON + age) is live

    @pytest.mark.parametrize(("age", "live"), [(LIFE - LATER, True), (LIFE, False)])
    def test_each_use_gives_it_180_days_more(self, age: timedelta, live: bool) -> None:
        used = grant().used(NOON + LIFE - LATER)
        assert used.last_used_at == NOON + LIFE - LATER
        assert used.is_live(NOON + LIFE - LATER + age) is live

    def test_a_person_has_fifty_at_a_time(self) -> None:
        assert MOST_PASSES == 50


class TestText:
    def test_what_was_handed_out_before_an_update_still_works(self) -> None:
        device_pass = DevicePass(
            id=UUID(int=1), user_id=UUID(int=2), salt=b"s" * 32, created_at=NOON, expires_at=NOON
        )
        assert device_pass.text(KEYS) == GOLDEN

    def test_it_names_its_row(self) -> None:
        granted = grant()
        assert read_pass_id(granted.text(KEYS)) == granted.id

    def test_it_is_genuine_under_any_key_that_is_known(self) -> None:
        granted = grant()
        old = granted.text(KeyRing("old", KEYS.keys))
        assert old != granted.text(KEYS)
        assert granted.is_genuine(old, KEYS)
        assert not granted.is_genuine(old, KeyRing("new", {"new": KEYS.keys["new"]}))

    def test_that_of_another_device_is_not(self) -> None:
        assert not grant().is_genuine(grant().text(KEYS), KEYS)
