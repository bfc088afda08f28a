import time
from datetime import timedelta

import pytest

from core.errors import ErrorCode
from tests.assertions import assert_failure, assert_success
from users.domain.password import RECENT, Password, PasswordPolicy

EMAIL = "ada.lovelace@example.com"
POLICY = PasswordPolicy(12, frozenset({"passwordpassword"}))


def test_a_password_is_proved_for_ten_minutes() -> None:
    assert timedelta(minutes=10) == RECENT


class TestLength:
    def test_the_shortest_password_has_twelve_characters(self) -> None:
        accepted = assert_success(POLICY.check("twelve chars", EMAIL))
        assert accepted.plaintext == "twelve chars"

    @pytest.mark.conforms("A1")
    def test_eleven_characters_are_too_few(self) -> None:
        error = assert_failure(POLICY.check("eleven char", EMAIL), ErrorCode.WEAK_PASSWORD)
        assert error.field == "password"
        assert "12" in error.message

    @pytest.mark.conforms("A2")
    def test_the_longest_password_has_1024_characters(self) -> None:
        longest = "x1" * 512
        assert assert_success(POLICY.check(longest, EMAIL)).plaintext == longest

    def test_1025_characters_are_too_many(self) -> None:
        assert_failure(POLICY.check("x" * 1025, EMAIL), ErrorCode.WEAK_PASSWORD)

    def test_an_empty_password_is_too_short(self) -> None:
        assert_failure(POLICY.check("", EMAIL), ErrorCode.WEAK_PASSWORD)

    @pytest.mark.conforms("A4")
    def test_code_points_are_counted_and_not_bytes(self) -> None:
        assert_failure(POLICY.check("🔑" * 11, EMAIL), ErrorCode.WEAK_PASSWORD)
        assert assert_success(POLICY.check("🔑" * 12, EMAIL)).plaintext == "🔑" * 12

    @pytest.mark.conforms("A4")
    def test_nothing_is_trimmed(self) -> None:
        spaced = "  ten chars.  "
        assert assert_success(POLICY.check(spaced, EMAIL)).plaintext == spaced

    def test_the_minimum_is_a_setting(self) -> None:
        assert_failure(PasswordPolicy(15).check("fourteen chars", EMAIL), ErrorCode.WEAK_PASSWORD)

    def test_the_minimum_is_twelve_unless_somebody_sets_it(self) -> None:
        assert PasswordPolicy().min_length == 12


class TestCommonPasswords:
    @pytest.mark.parametrize("password", ["passwordpassword", "PasswordPassword"])
    def test_a_common_password_is_refused_in_any_case(self, password: str) -> None:
        error = assert_failure(POLICY.check(password, EMAIL), ErrorCode.WEAK_PASSWORD)
        assert error.message == "This password is one of those that are guessed first."
        assert error.field == "password"

    @pytest.mark.conforms("A5")
    @pytest.mark.parametrize(
        "password",
        ["dragondragon", "Dragon123456!", "123-dragon-123", "dragon!dragon!", "1dragondragon1"],
    )
    def test_a_common_one_made_longer_is_guessed_too(self, password: str) -> None:
        policy = PasswordPolicy(12, frozenset({"dragon"}))
        assert_failure(policy.check(password, EMAIL), ErrorCode.WEAK_PASSWORD)

    def test_one_letter_said_again_and_again_is_guessed_too(self) -> None:
        policy = PasswordPolicy(12, frozenset({"x"}))
        assert_failure(policy.check("x" * 12, EMAIL), ErrorCode.WEAK_PASSWORD)

    @pytest.mark.parametrize("password", ["dragon123456789", "dragon and knight", "dragondragons"])
    def test_more_around_it_than_people_guess_is_taken(self, password: str) -> None:
        policy = PasswordPolicy(12, frozenset({"dragon"}))
        assert policy.check(password, EMAIL).is_success

    def test_a_password_that_only_contains_a_common_one_is_taken(self) -> None:
        longer = "passwordpassword and more"
        assert assert_success(POLICY.check(longer, EMAIL)).plaintext == longer


@pytest.mark.conforms("A3")
@pytest.mark.parametrize(
    "password",
    ["qmzvkxwpjtrh", "QMZVKXWPJTRH", "740283915562", "!?!?;:;:.,.,", " " * 12, "\U0001f40e" * 12],
    ids=["lower", "upper", "digits", "signs", "spaces", "pictures"],
)
def test_no_kind_of_character_is_asked_for(password: str) -> None:
    assert assert_success(POLICY.check(password, EMAIL)).plaintext == password


class TestSimilarity:
    @pytest.mark.conforms("A7")
    @pytest.mark.parametrize(
        "password",
        [
            "ada.lovelace@example.com",
            "ADA.LOVELACE@EXAMPLE.COM",
            "ecalevol.ada@example.com",
            "lovelace1234",
            "dashtam12345",
            "Dashtam-2024",
            "dashtamdashtam",
        ],
    )
    def test_the_accounts_and_the_products_own_words_are_refused(self, password: str) -> None:
        error = assert_failure(POLICY.check(password, EMAIL), ErrorCode.WEAK_PASSWORD)
        assert error.message == "This password is too similar to the account or to this product."
        assert error.field == "password"

    @pytest.mark.parametrize(
        "password", ["correct horse battery staple", "SecurePass123!", "анна карениина"]
    )
    def test_a_password_of_other_words_is_taken(self, password: str) -> None:
        assert assert_success(POLICY.check(password, EMAIL)).plaintext == password

    @pytest.mark.parametrize(
        ("email", "taken"), [("ada@example.com", True), ("olga@ex.com", False)]
    )
    def test_words_are_compared_from_four_letters_on(self, email: str, taken: bool) -> None:
        name, _, _ = email.partition("@")
        assert PasswordPolicy(3).check(name, email).is_success is taken

    def test_words_of_three_letters_are_not_compared(self) -> None:
        assert assert_success(POLICY.check("ada ada ada ada", EMAIL)).plaintext == "ada ada ada ada"

    @pytest.mark.parametrize(
        ("password", "similar"), [("dashtam123456", True), ("dashtam1234567", False)]
    )
    def test_seventy_per_cent_are_too_similar(self, password: str, similar: bool) -> None:
        result = POLICY.check(password, EMAIL)
        assert result.is_success is not similar

    def test_a_long_password_and_an_address_of_many_words_are_compared_quickly(self) -> None:
        email = f"{'.'.join(['abcd'] * 12)}@{'.'.join(['efgh'] * 37)}.com"
        began = time.process_time()
        POLICY.check("abcdefgh" * 128, email)
        assert time.process_time() - began < 0.05


class TestSecrecy:
    @pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format])
    def test_a_password_does_not_print(self, show: object) -> None:
        assert callable(show)
        assert "correct horse" not in show(Password("correct horse"))

    def test_in_text_it_is_eight_stars_however_long_it_is(self) -> None:
        assert {str(Password("x" * length)) for length in (1, 12, 1024)} == {"********"}

    def test_a_refusal_does_not_quote_the_password(self) -> None:
        error = assert_failure(POLICY.check("dashtam12345", EMAIL), ErrorCode.WEAK_PASSWORD)
        assert "dashtam12345" not in f"{error!r} {error}"

    def test_the_list_of_common_passwords_does_not_print(self) -> None:
        assert "passwordpassword" not in repr(POLICY)


class Breach:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def holds(self, plaintext: str) -> bool:
        self.asked.append(plaintext)
        return plaintext == "a password that leaked"


class TestBreaches:
    @pytest.mark.conforms("A6")
    def test_a_password_from_a_breach_is_refused_and_told_why(self) -> None:
        policy = PasswordPolicy(breached=Breach())
        error = assert_failure(
            policy.check("a password that leaked", EMAIL), ErrorCode.WEAK_PASSWORD
        )
        assert error.message == "This password was found in a data breach: others will try it."
        assert policy.check("a password that did not", EMAIL).is_success

    def test_nobody_is_asked_about_what_is_refused_anyway(self) -> None:
        breach = Breach()
        PasswordPolicy(breached=breach).check("short", EMAIL)
        assert breach.asked == []
