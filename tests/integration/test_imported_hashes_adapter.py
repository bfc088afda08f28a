"""Hashes of other systems, verified as those systems do: known answers of their own libraries."""

from unittest.mock import patch

import pytest
from django.contrib.auth.hashers import check_password
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.assertions import assert_success
from tests.imported_hashes import (
    CUT_WITHIN_A_LETTER,
    CUT_WITHIN_A_LETTER_BCRYPT,
    HASHES,
    LONG_BCRYPT,
    LONG_BCRYPT_SHA256,
    LONG_PASSWORD,
    PASSWORD,
)
from users import adapters
from users.adapters import DjangoPasswordService
from users.domain.hashes import adopt


def stored(text: str) -> str:
    return assert_success(adopt(text)).stored


def verify(password: str, text: str) -> bool:
    return DjangoPasswordService().verify_password(password, stored(text))


@pytest.mark.slow(reason="hashes of other systems, at the cost that they have there")
class TestKnownAnswers:
    @pytest.mark.parametrize("text", HASHES.values(), ids=HASHES)
    def test_the_password_is_right(self, text: str) -> None:
        assert verify(PASSWORD, text) is True

    @pytest.mark.parametrize("text", HASHES.values(), ids=HASHES)
    def test_another_is_not(self, text: str) -> None:
        assert verify(PASSWORD[:-1], text) is False
        assert verify(stored(text), text) is False

    @pytest.mark.conforms("A10")
    @pytest.mark.parametrize("text", HASHES.values(), ids=HASHES)
    def test_it_is_made_anew_at_the_next_sign_in(self, text: str) -> None:
        assert DjangoPasswordService().needs_upgrade(stored(text)) is True

    @pytest.mark.parametrize("text", HASHES.values(), ids=HASHES)
    def test_no_password_is_an_error(self, text: str) -> None:
        passwords = ("", f"\x00{PASSWORD}", "🔑" * 1024)
        assert [verify(each, text) for each in passwords] == [False] * 3


class TestBcrypt:
    """It has always read 72 bytes."""

    @pytest.mark.parametrize(
        ("password", "text"),
        [(LONG_PASSWORD, LONG_BCRYPT), (CUT_WITHIN_A_LETTER, CUT_WITHIN_A_LETTER_BCRYPT)],
    )
    def test_a_long_password_is_right_as_it_was_elsewhere(self, password: str, text: str) -> None:
        assert len(password.encode()) > 72
        assert verify(password, text) is True

    @pytest.mark.parametrize(
        ("password", "is_right"),
        [
            (LONG_PASSWORD[:72], True),
            (f"{LONG_PASSWORD[:72]}else", True),
            (LONG_PASSWORD[:71], False),
            (f"{LONG_PASSWORD[:71]}else", False),
        ],
    )
    def test_what_stands_behind_them_does_not_count(self, password: str, is_right: bool) -> None:
        assert verify(password, LONG_BCRYPT) is is_right

    @pytest.mark.conforms("A4")
    def test_once_made_anew_all_of_it_counts(self) -> None:
        service = DjangoPasswordService()
        anew = service.hash_password(LONG_PASSWORD)
        assert service.verify_password(LONG_PASSWORD, anew) is True
        assert service.verify_password(LONG_PASSWORD[:72], anew) is False

    def test_with_sha_256_before_it_all_of_it_counts(self) -> None:
        assert verify(LONG_PASSWORD, LONG_BCRYPT_SHA256) is True
        assert verify(LONG_PASSWORD[:72], LONG_BCRYPT_SHA256) is False


class TestTime:
    """What was made otherwise takes its own time, and that of the decoy: never less than nobody."""

    def hashes(self, password: str, password_hash: str | None) -> list[str]:
        """The hashes that were looked at, in order."""
        service = DjangoPasswordService()
        service.verify_password("the decoy is made once", None)
        with patch.object(
            adapters, "check_password", autospec=True, side_effect=check_password
        ) as checked:
            service.verify_password(password, password_hash)
        return [call.args[1] for call in checked.call_args_list]

    @pytest.mark.conforms("A14")
    @pytest.mark.parametrize("password", [PASSWORD, "wrong"])
    @pytest.mark.parametrize("name", ["bcrypt_2b", "argon2id", "werkzeug_pbkdf2_sha256"])
    def test_the_decoy_is_verified_too_whatever_the_answer(self, name: str, password: str) -> None:
        known = stored(HASHES[name])
        assert self.hashes(password, known) == [known, adapters._decoy()]

    @pytest.mark.parametrize("password", [PASSWORD, "wrong"])
    def test_one_of_today_is_verified_alone(self, password: str) -> None:
        today = DjangoPasswordService().hash_password(PASSWORD)
        assert self.hashes(password, today) == [today]

    @pytest.mark.parametrize("password_hash", [None, "!unusable", "gibberish"])
    def test_what_is_no_hash_costs_one(self, password_hash: str | None) -> None:
        assert self.hashes(PASSWORD, password_hash) == [password_hash or adapters._decoy()]


# What is cheap to verify, so that many can be.
cheap = st.sampled_from(
    [text for name, text in HASHES.items() if "scrypt" not in name and name != "django_argon2"]
)


class TestWhateverIsTaken:
    @settings(max_examples=60)
    @given(
        cheap,
        st.integers(min_value=8, max_value=120),
        st.sampled_from("./+=$,AZaz09"),
        st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=100),
    )
    def test_verifying_it_never_raises(
        self, text: str, place: int, put: str, password: str
    ) -> None:
        adopted = adopt(text[:place] + put + text[place + 1 :])
        hashed = adopted.value.stored if adopted.is_success else "!"
        assert DjangoPasswordService().verify_password(password, hashed) in (True, False)
