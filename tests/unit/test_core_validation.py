import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ErrorCode
from core.result import Failure, Success
from core.validation import (
    LONGEST_PASSWORD,
    LONGEST_REASON,
    validate_email,
    validate_password_length,
)
from tests.assertions import assert_failure, assert_success

# 64 before the @, and 254 in all: the longest that a forward path takes.
LONGEST_DOMAIN = ".".join(["d" * 61, "d" * 61, "d" * 61, "d"]) + ".x"
LONGEST = "l" * 64 + "@" + LONGEST_DOMAIN


class TestEmail:
    @pytest.mark.parametrize(
        "address",
        [
            "test@example.com",
            "first.last+tag@example.co.uk",
            "o'brien@example.ie",
            "!#$%&*/=?^_`{|}~-@example.com",
            "a@b.c",
            "1@2.example",
            "name@mail.7.example",
            "name@xn--bcher-kva.example",
            f"{'l' * 64}@example.com",
            f"name@{'d' * 63}.com",
            LONGEST,
        ],
    )
    def test_an_address_that_mail_reaches_is_taken(self, address: str):
        assert assert_success(validate_email(address)) == address

    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("Test@Example.COM", "test@example.com"),
            ("  test@example.com\n", "test@example.com"),
            ("\u3000test@example.com\u00a0", "test@example.com"),
        ],
    )
    def test_an_address_comes_out_in_its_one_normal_form(self, text: str, address: str):
        assert assert_success(validate_email(text)) == address

    @pytest.mark.parametrize(
        "address",
        [
            "",
            " ",
            "@",
            "name",
            "name@",
            "@example.com",
            "name@localhost",
            "name@@example.com",
            "a@b@example.com",
            "na me@example.com",
            "name@exam ple.com",
            ".name@example.com",
            "name.@example.com",
            "na..me@example.com",
            '"na me"@example.com',
            "name@-example.com",
            "name@example-.com",
            "name@example..com",
            "name@.example.com",
            "name@example.com.",
            "name@example_.com",
            "name@[127.0.0.1]",
            "name@127.0.0.1",
            "name@example.123",
            "name@mail.example.123",
            "name@bücher.example",
            "nämé@example.com",
            "name@example.com\r\nBcc: all@example.com",
            "name\x00@example.com",
            f"{'l' * 65}@example.com",
            f"name@{'d' * 64}.com",
            LONGEST + "x",
        ],
    )
    def test_what_is_no_address_is_refused(self, address: str):
        error = assert_failure(validate_email(address), ErrorCode.INVALID_EMAIL)
        assert error.field == "email"

    @pytest.mark.parametrize(
        "address", ["\u212aate@example.com", "name@example.\u212am", "\uff41@example.com"]
    )
    def test_a_letter_that_only_becomes_ascii_is_refused(self, address: str):
        """Kelvin sign and full-width a: somebody else's address in disguise."""
        assert_failure(validate_email(address), ErrorCode.INVALID_EMAIL)

    def test_the_longest_address_is_exactly_254_characters(self):
        assert len(LONGEST) == 254

    def test_the_refusal_says_what_to_enter(self):
        error = assert_failure(validate_email("name"), ErrorCode.INVALID_EMAIL)
        assert error.message == (
            "Enter an e-mail address such as name@example.com. "
            "Write an international domain in its xn-- form."
        )

    def test_rejects_invalid_type(self):
        result = validate_email(12345)  # type: ignore[arg-type]
        assert isinstance(result, Failure)

    @given(st.text())
    def test_whatever_is_taken_is_in_a_form_that_is_taken_unchanged(self, text: str):
        result = validate_email(text)
        again = validate_email(result.value) if isinstance(result, Success) else result
        assert again == result

    @given(st.emails())
    def test_case_never_makes_another_address(self, address: str):
        lower, upper = validate_email(address.lower()), validate_email(address.upper())
        assert lower == upper


class TestReasonLength:
    def test_a_reason_is_a_paragraph_and_no_more(self):
        assert LONGEST_REASON == 500


class TestPasswordLength:
    @pytest.mark.parametrize("length", [12, 13, 1023, 1024])
    def test_a_password_within_the_bounds_is_taken_as_it_is(self, length: int):
        password = " " * length
        assert assert_success(validate_password_length(password, 12)) == password

    @pytest.mark.parametrize("length", [0, 1, 11, 1025])
    def test_a_password_outside_the_bounds_is_refused(self, length: int):
        result = validate_password_length("p" * length, 12)
        assert assert_failure(result, ErrorCode.WEAK_PASSWORD).field == "password"

    def test_the_refusal_names_the_bounds(self):
        error = assert_failure(validate_password_length("p", 8), ErrorCode.WEAK_PASSWORD)
        assert error.message == f"Use 8 to {LONGEST_PASSWORD} characters."

    def test_the_refusal_does_not_repeat_the_password(self):
        error = assert_failure(validate_password_length("hunter2", 12), ErrorCode.WEAK_PASSWORD)
        assert "hunter2" not in repr(error)

    def test_code_points_count_and_not_bytes(self):
        assert assert_success(validate_password_length("é" * 12, 12)) == "é" * 12

    def test_rejects_invalid_type(self):
        result = validate_password_length(123456789012, 12)  # type: ignore[arg-type]
        assert isinstance(result, Failure)
