import hashlib
import hmac
from dataclasses import FrozenInstanceError

import pytest

from core.keys import KeyRing, UnknownKeyError

KEYS = KeyRing("new", {"new": b"n" * 32, "old": b"o" * 32})


@pytest.mark.conforms("L16")
def test_a_mac_is_hmac_sha_256_over_parts_with_their_lengths():
    expected = hmac.new(b"n" * 32, b"\0\0\0\x02v1\0\0\0\x03abc", hashlib.sha256).digest()
    assert KEYS.mac("new", b"v1", b"abc") == expected


def test_each_key_makes_macs_of_its_own():
    assert KEYS.mac("new", b"part") != KEYS.mac("old", b"part")


@pytest.mark.parametrize(
    "parts",
    [(b"a", b"bc"), (b"abc",), (b"ab", b"", b"c"), (b"ab", b"c", b""), (b"c", b"ab"), ()],
)
def test_no_other_list_of_parts_has_the_same_mac(parts: tuple[bytes, ...]):
    assert KEYS.mac("new", *parts) != KEYS.mac("new", b"ab", b"c")


def test_a_key_that_is_not_configured_is_told_by_its_id():
    with pytest.raises(UnknownKeyError, match=r"^gone$"):
        KEYS.mac("gone", b"part")


def test_an_unknown_key_error_does_not_carry_the_keys():
    with pytest.raises(UnknownKeyError) as unknown:
        KEYS.mac("gone", b"part")
    assert (unknown.value.__suppress_context__, unknown.value.args) == (True, ("gone",))


def test_the_keys_do_not_stand_in_the_representation():
    assert repr(KEYS) == "KeyRing(current='new')"


def test_a_ring_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        setattr(KEYS, "current", "old")  # noqa: B010  the assignment itself is under test
