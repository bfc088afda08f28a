import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ErrorCode
from tests.assertions import assert_failure, assert_success
from users.domain.email import Email


class TestEmail:
    @pytest.mark.parametrize(
        ("text", "normal"),
        [
            ("test@example.com", "test@example.com"),
            ("Test@EXAMPLE.com", "test@example.com"),
            ("\t test@example.com \n", "test@example.com"),
            ("first.last+tag@sub.example.com", "first.last+tag@sub.example.com"),
            ("o'neil@xn--bcher-kva.example", "o'neil@xn--bcher-kva.example"),
            (f"{'a' * 64}@example.com", f"{'a' * 64}@example.com"),
        ],
    )
    def test_an_address_is_taken_in_its_normal_form(self, text: str, normal: str) -> None:
        assert assert_success(Email.create(text)).value == normal

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "test",
            "test@",
            "@example.com",
            "test@localhost",
            "test@example..com",
            "test@-example.com",
            "test@example.com-",
            ".test@example.com",
            "te..st@example.com",
            "te st@example.com",
            "test@exam ple.com",
            "two@at@example.com",
            "test@[127.0.0.1]",
            "test@bücher.example",
            '"quoted"@example.com',
            "test@example.com\x00",
            "test\r\nBcc: victim@example.com",
            "test@example.com\r\nBcc: victim@example.com",
            "test\ud800@example.com",
            f"{'a' * 65}@example.com",
            f"test@{'a' * 64}.com",
            f"{'a' * 64}@{'.'.join(['b' * 60] * 3)}.{'c' * 7}",
        ],
    )
    def test_what_is_no_address_is_refused(self, text: str) -> None:
        error = assert_failure(Email.create(text), ErrorCode.INVALID_EMAIL)
        assert error.field == "email"

    def test_an_address_of_254_characters_is_the_longest(self) -> None:
        longest = f"{'a' * 64}@{'.'.join(['b' * 60] * 3)}.{'c' * 6}"
        assert len(longest) == 254
        assert assert_success(Email.create(longest)).value == longest

    def test_the_refusal_does_not_repeat_the_text(self) -> None:
        error = assert_failure(Email.create("my-password-typed-here"), ErrorCode.INVALID_EMAIL)
        assert "my-password-typed-here" not in f"{error!r} {error}"

    def test_addresses_that_differ_by_case_alone_are_equal(self) -> None:
        assert Email.create("A@example.com") == Email.create("a@EXAMPLE.com")

    def test_an_address_prints_as_itself(self) -> None:
        assert str(Email("test@example.com")) == "test@example.com"

    def test_an_address_cannot_be_changed(self) -> None:
        email = Email("test@example.com")
        with pytest.raises(AttributeError):
            email.value = "other@example.com"  # type: ignore[misc]

    @given(st.text())
    def test_no_text_at_all_raises_and_what_is_taken_is_already_normal(self, text: str) -> None:
        result = Email.create(text + "@example.com")
        normal = result.value.value if result.is_success else "a@example.com"
        assert assert_success(Email.create(normal)).value == normal
        assert normal.isascii()
        assert normal.isprintable()
