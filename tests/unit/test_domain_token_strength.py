"""What holds for every kind of token: the id in it is no secret, and all the rest is."""

import base64
from collections.abc import Callable
from uuid import UUID

import pytest

from core.keys import KeyRing
from sessions_app.domain.personal_token import PersonalToken, Scope
from sessions_app.domain.tokens import tokens_of
from tests.factories import NOON, make_session
from users.domain.device_pass import DevicePass
from users.domain.tokens import OneUseToken, Purpose

KEYS = KeyRing("1", {"1": b"k" * 32})
OTHER_KEYS = KeyRing("1", {"1": b"o" * 32})
ID = UUID("018cc251-f400-7000-8000-000000000001")
SALT, OTHER_SALT = b"s" * 32, b"t" * 32
Make = Callable[[bytes, KeyRing], str]


def access(salt: bytes, keys: KeyRing) -> str:
    return tokens_of(make_session(id=ID, salt=salt), keys).access_token


def refresh(salt: bytes, keys: KeyRing) -> str:
    return tokens_of(make_session(id=ID, salt=salt), keys).refresh_token


def personal(salt: bytes, keys: KeyRing) -> str:
    return PersonalToken(
        id=ID,
        user_id=ID,
        name="backup",
        scope=Scope.READ,
        created_at=NOON,
        expires_at=NOON,
        key_id="1",
        salt=salt,
        version=1,
    ).text(keys)


def device(salt: bytes, keys: KeyRing) -> str:
    return DevicePass(id=ID, user_id=ID, salt=salt, created_at=NOON, expires_at=NOON).text(keys)


def one_use(salt: bytes, keys: KeyRing) -> str:
    return OneUseToken(
        id=ID,
        purpose=Purpose.PASSWORD_RESET,
        user_id=ID,
        key_id="1",
        salt=salt,
        expires_at=NOON,
    ).text(keys)


def mac_of(text: str) -> bytes:
    body = text.split("_", 2)[2]
    raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    assert raw.startswith(ID.bytes)
    return raw[-32:]


@pytest.mark.parametrize("make", [access, refresh, personal, device, one_use])
class TestEveryToken:
    @pytest.mark.conforms("A27", "S4", "S25")
    def test_behind_its_id_are_256_bits_that_no_id_tells(self, make: Make) -> None:
        """Half of what makes them is a salt of 256 random bits, the other a key."""
        macs = {mac_of(make(SALT, KEYS)), mac_of(make(OTHER_SALT, KEYS))}
        macs.add(mac_of(make(SALT, OTHER_KEYS)))
        assert [len(mac) * 8 for mac in macs] == [256] * 3

    @pytest.mark.conforms("S26")
    def test_it_is_the_same_for_nobody_who_lacks_salt_or_key(self, make: Make) -> None:
        assert make(SALT, KEYS) == make(SALT, KEYS)
        assert make(SALT, KEYS) != make(OTHER_SALT, KEYS)
        assert make(SALT, KEYS) != make(SALT, OTHER_KEYS)


@pytest.mark.conforms("S26", "S31")
def test_no_two_kinds_share_a_token_or_a_mac() -> None:
    texts = [make(SALT, KEYS) for make in (access, refresh, personal, device, one_use)]
    assert len({text.split("_")[1] for text in texts}) == 5
    assert len({mac_of(text) for text in texts}) == 5
