"""Pseudonyms and their keys: what they hide, from whom, and until when."""

import base64
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.domain.entry import attempt_id
from audit.domain.subject import (
    DamagedSubjectError,
    Subject,
    named_day,
    named_month_of_addresses,
    named_user,
    user_of,
)
from core.keys import KeyRing, UnknownKeyError

FACTS = {"email": "ada@example.com", "ip": "192.0.2.1"}
NAME = "user:ada"
RING = KeyRing("1", {"1": b"k" * 32})


@pytest.fixture
def subject() -> Subject:
    return Subject.new()


def concealed(subject: Subject, entry_id: UUID) -> str:
    made = subject.conceal(FACTS, entry_id)
    assert made is not None
    return made


class TestNewSubject:
    """Uses fixtures: subject."""

    def test_two_have_nothing_in_common(self) -> None:
        first, second = Subject.new(), Subject.new()
        assert first.ref != second.ref
        assert first.key != second.key

    def test_the_key_is_one_of_aes_256(self, subject: Subject) -> None:
        assert len(subject.key) == 32

    def test_a_pseudonym_does_not_tell_when_it_was_made(self, subject: Subject) -> None:
        assert subject.ref.version == 4

    def test_the_key_is_not_shown(self, subject: Subject) -> None:
        shown = repr(subject)
        assert str(subject.ref) in shown
        assert repr(subject.key) not in shown
        assert "key" not in shown


class TestConceal:
    """Uses fixtures: subject."""

    def test_the_key_reveals_what_was_concealed(self, subject: Subject) -> None:
        entry_id = attempt_id()
        assert subject.reveal(concealed(subject, entry_id), entry_id) == FACTS

    def test_nothing_can_be_read_without_the_key(self, subject: Subject) -> None:
        raw = base64.b64decode(concealed(subject, attempt_id()), validate=True)
        assert b"ada" not in raw
        assert b"192.0.2.1" not in raw

    def test_the_key_of_another_reveals_nothing(self, subject: Subject) -> None:
        entry_id = attempt_id()
        assert Subject.new().reveal(concealed(subject, entry_id), entry_id) is None

    def test_nobody_moves_it_to_another_entry(self, subject: Subject) -> None:
        assert subject.reveal(concealed(subject, attempt_id()), attempt_id()) is None

    def test_the_same_facts_never_look_the_same(self, subject: Subject) -> None:
        """Or who reads the trail would see that two entries hold the same."""
        entry_id = attempt_id()
        assert concealed(subject, entry_id) != concealed(subject, entry_id)

    @pytest.mark.parametrize("position", [0, 11, 12, -17, -1])
    def test_a_bit_that_was_turned_reveals_nothing(self, subject: Subject, position: int) -> None:
        entry_id = attempt_id()
        raw = bytearray(base64.b64decode(concealed(subject, entry_id)))
        raw[position] ^= 1
        assert subject.reveal(base64.b64encode(raw).decode(), entry_id) is None

    @pytest.mark.parametrize("length", [0, 1, 12, 27])
    def test_what_is_too_short_reveals_nothing(self, subject: Subject, length: int) -> None:
        entry_id = attempt_id()
        raw = base64.b64decode(concealed(subject, entry_id))[:length]
        assert subject.reveal(base64.b64encode(raw).decode(), entry_id) is None

    @pytest.mark.parametrize("text", ["{", "***", "abc", "\u00e9"])
    def test_what_is_not_base64_reveals_nothing(self, subject: Subject, text: str) -> None:
        assert subject.reveal(text, attempt_id()) is None

    def test_it_has_one_spelling(self, subject: Subject) -> None:
        entry_id = attempt_id()
        assert subject.reveal(f"{concealed(subject, entry_id)}\n", entry_id) is None

    @pytest.mark.parametrize("facts", [{}, {"email": None}])
    def test_where_nothing_is_known_nothing_is_concealed(
        self, subject: Subject, facts: dict[str, None]
    ) -> None:
        assert subject.conceal(facts, attempt_id()) is None

    def test_what_is_not_known_is_left_out(self, subject: Subject) -> None:
        entry_id = attempt_id()
        made = subject.conceal({"email": None, "ip": "192.0.2.1"}, entry_id)
        assert made is not None
        assert subject.reveal(made, entry_id) == {"ip": "192.0.2.1"}

    def test_what_was_concealed_before_an_update_is_still_revealed(self) -> None:
        made = "GBp0qkW82IDCz2+6j8ww1SuCMmV4oRv50eDUjdSEX7OZhaN3ZunvdLOjyHEoXrU0Z4Gdxto="
        revealed = Subject(UUID(int=1), bytes(range(32))).reveal(made, UUID(int=2))
        assert revealed == {"email": "a@example.com"}

    @pytest.mark.slow(reason="a hundred generated texts")
    @given(st.text(alphabet=st.characters(codec="ascii"), max_size=200))
    def test_any_fact_comes_back(self, fact: str) -> None:
        subject, entry_id = Subject.new(), attempt_id()
        made = subject.conceal({"fact": fact}, entry_id)
        assert made is not None
        assert subject.reveal(made, entry_id) == {"fact": fact}


class TestWrapping:
    """The key of a person lies in the database, under a key that does not. Uses fixtures:
    subject."""

    def test_what_is_unwrapped_is_what_was_wrapped(self, subject: Subject) -> None:
        assert Subject.unwrapped(subject.ref, NAME, subject.wrapped(NAME, RING), RING) == subject

    def test_what_was_wrapped_before_an_update_is_still_unwrapped(self) -> None:
        wrapped = (
            "AmsxcftmXX/x71seJaobeuiBJta1IfPvORitmHRjHplsEPRLpW6bO6Gt1xvdzOoVJrcEL7MjaX6gPOYKrfl3"
        )
        ref, keys = UUID(int=1), KeyRing("k1", {"k1": b"k" * 32})
        unwrapped = Subject.unwrapped(ref, "user:1", base64.b64decode(wrapped), keys)
        assert unwrapped == Subject(ref, bytes(range(32)))

    def test_the_key_is_not_among_what_is_stored(self, subject: Subject) -> None:
        assert subject.key not in subject.wrapped(NAME, RING)

    def test_the_same_key_never_looks_the_same(self, subject: Subject) -> None:
        assert subject.wrapped(NAME, RING) != subject.wrapped(NAME, RING)

    def test_it_belongs_to_its_pseudonym(self, subject: Subject) -> None:
        """Who swaps the keys of two people in the database opens neither."""
        with pytest.raises(UnknownKeyError):
            Subject.unwrapped(uuid4(), NAME, subject.wrapped(NAME, RING), RING)

    def test_it_belongs_to_its_name(self, subject: Subject) -> None:
        """Who swaps two people in the database does not make one the other."""
        with pytest.raises(DamagedSubjectError, match=f"the key of {subject.ref} was not wrapped"):
            Subject.unwrapped(subject.ref, "user:another", subject.wrapped(NAME, RING), RING)

    @pytest.mark.parametrize("wrapped", [b"", bytes(60), b"\xff" * 60])
    def test_what_was_never_wrapped_opens_for_nobody(
        self, subject: Subject, wrapped: bytes
    ) -> None:
        with pytest.raises(UnknownKeyError):
            Subject.unwrapped(subject.ref, NAME, wrapped, RING)

    def test_after_a_rotation_the_older_key_still_unwraps(self, subject: Subject) -> None:
        rotated = KeyRing("2", {"2": b"n" * 32, "1": b"k" * 32})
        assert Subject.unwrapped(subject.ref, NAME, subject.wrapped(NAME, RING), rotated) == subject

    def test_after_a_rotation_the_newer_key_wraps(self, subject: Subject) -> None:
        rotated = KeyRing("2", {"2": b"n" * 32, "1": b"k" * 32})
        alone = KeyRing("2", {"2": b"n" * 32})
        assert (
            Subject.unwrapped(subject.ref, NAME, subject.wrapped(NAME, rotated), alone) == subject
        )

    def test_a_key_that_is_not_configured_any_more_is_named(self, subject: Subject) -> None:
        with pytest.raises(UnknownKeyError, match="1"):
            Subject.unwrapped(
                subject.ref, NAME, subject.wrapped(NAME, RING), KeyRing("2", {"2": b"n" * 32})
            )

    def test_another_key_of_the_same_name_is_not_the_key(self, subject: Subject) -> None:
        with pytest.raises(UnknownKeyError):
            Subject.unwrapped(
                subject.ref, NAME, subject.wrapped(NAME, RING), KeyRing("1", {"1": b"x" * 32})
            )

    def test_the_name_of_a_key_may_be_as_long_as_its_setting_allows(self, subject: Subject) -> None:
        ring = KeyRing("i" * 16, {"i" * 16: b"k" * 32})
        assert Subject.unwrapped(subject.ref, NAME, subject.wrapped(NAME, ring), ring) == subject


class TestBlindIndex:
    """Uses fixtures: subject."""

    def test_the_same_address_has_the_same_index(self, subject: Subject) -> None:
        assert subject.blind("192.0.2.1") == subject.blind("192.0.2.1")

    def test_another_address_has_another(self, subject: Subject) -> None:
        assert subject.blind("192.0.2.1") != subject.blind("192.0.2.2")

    def test_another_key_has_another(self, subject: Subject) -> None:
        assert subject.blind("192.0.2.1") != Subject.new().blind("192.0.2.1")

    def test_what_was_found_by_it_before_an_update_still_is(self) -> None:
        """HMAC-SHA-256 of "ip" and the address, each behind its length."""
        assert Subject(UUID(int=1), b"k" * 32).blind("192.0.2.1").hex() == "958e985f239c030e"

    def test_it_is_as_wide_as_its_column(self, subject: Subject) -> None:
        assert len(subject.blind("2001:db8::1")) == 8


class TestNames:
    def test_a_person_a_day_and_a_month_of_addresses_have_names_of_their_own(self) -> None:
        now = datetime(2024, 3, 9, 23, 59, tzinfo=UTC)
        assert (named_user(UUID(int=1)), named_day(now), named_month_of_addresses(now)) == (
            "user:00000000-0000-0000-0000-000000000001",
            "day:2024-03-09",
            "ip:2024-03",
        )

    def test_the_name_of_a_person_tells_who_it_is(self) -> None:
        assert user_of(named_user(UUID(int=7))) == UUID(int=7)

    @pytest.mark.parametrize("name", ["day:2024-03-09", "ip:2024-03", "", f"USER:{UUID(int=7)}"])
    def test_any_other_name_tells_nobody(self, name: str) -> None:
        assert user_of(name) is None
