"""Which hashes of other systems are taken, and in what form they are kept. That each is verified
there stands in `tests/integration/test_imported_hashes_adapter.py`."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ErrorCode
from tests.assertions import assert_failure, assert_success
from tests.imported_hashes import HASHES
from users.domain.hashes import AdoptedHash, adopt

B64_16, B64_32 = "A" * 22, "A" * 43
BCRYPT = "." * 53
INSTEAD = "Leave the hash out: the owner then asks for a new password."

TAKEN = {
    # What is known is kept as Django has it.
    HASHES["django_argon2"]: HASHES["django_argon2"],
    HASHES["django_bcrypt"]: HASHES["django_bcrypt"],
    HASHES["django_bcrypt_sha256"]: HASHES["django_bcrypt_sha256"],
    HASHES["argon2id"]: f"argon2{HASHES['argon2id']}",
    HASHES["argon2i_1_0"]: f"argon2{HASHES['argon2i_1_0']}",
    HASHES["argon2i_1_0_unsaid"]: f"argon2{HASHES['argon2i_1_0']}",
    HASHES["bcrypt_2b"]: f"bcrypt${HASHES['bcrypt_2b']}",
    HASHES["bcrypt_2a"]: f"bcrypt${HASHES['bcrypt_2a'].replace('$2a$', '$2b$')}",
    HASHES["bcrypt_2y"]: f"bcrypt${HASHES['bcrypt_2y'].replace('$2y$', '$2b$')}",
    # Whatever has a digest to name, or a salt of bytes, is kept in a form of our own.
    HASHES["django_pbkdf2_sha256"]: "pbkdf2_raw$sha256$10000$TmFDbE5hQ2xOYUNsTmFDbA"
    "$Akjz7rJ8p9QkJjukRGj0mwqqgJ4ZQlVTuzXK7RTdTQw",
    HASHES["passlib_pbkdf2_sha1"]: "pbkdf2_raw$sha1$10000$8PHy8/T19vf4+fr7/P3+/w"
    "$Eizj6YxxT2zJre7KemXg5YAcFaU",
    HASHES["phc_pbkdf2_sha256"]: "pbkdf2_raw$sha256$10000$8PHy8/T19vf4+fr7/P3+/w"
    "$y9KN+r+hR7aMDKoaE+cuqoaSidx3vOW+kpibhFeRDMg",
    HASHES["phc_scrypt"]: "scrypt_raw$8192$8$1$8PHy8/T19vf4+fr7/P3+/w"
    "$Nw9UWO58b9/+JBKzdcSwbFaV2ZfIev91Wo3kB04GZ9U",
    f"$pbkdf2-sha256$10000$AAAAAAAX${B64_16}==": f"pbkdf2_raw$sha256$10000$AAAAAAAX${B64_16}",
    "scrypt:8192:8:2$saltsalt$" + "00" * 16: f"scrypt_raw$8192$8$2$c2FsdHNhbHQ${B64_16}",
}


class TestForms:
    @pytest.mark.parametrize("text", HASHES.values(), ids=HASHES)
    def test_each_form_of_each_library_is_taken(self, text: str) -> None:
        assert isinstance(assert_success(adopt(text)), AdoptedHash)

    @pytest.mark.parametrize(("text", "stored"), TAKEN.items())
    def test_it_is_kept_in_a_form_that_is_verified_here(self, text: str, stored: str) -> None:
        assert assert_success(adopt(text)).stored == stored

    @pytest.mark.parametrize(
        ("salt_end", "salt_is", "checksum_end", "checksum_is"),
        [("a", "O", "b", "a"), ("z", "u", "9", "6"), (".", ".", "/", "."), ("e", "e", "C", "C")],
    )
    def test_the_bits_that_bcrypt_does_not_use_are_cleared(
        self, salt_end: str, salt_is: str, checksum_end: str, checksum_is: str
    ) -> None:
        given_text = f"$2b$08${'a' * 21}{salt_end}{'b' * 30}{checksum_end}"
        kept = f"bcrypt$$2b$08${'a' * 21}{salt_is}{'b' * 30}{checksum_is}"
        assert assert_success(adopt(given_text)).stored == kept

    def test_it_is_not_shown_by_accident(self) -> None:
        adopted = assert_success(adopt(HASHES["argon2id"]))
        assert adopted.stored not in f"{adopted} {adopted!r}"

    def test_the_longest_fit_the_column(self) -> None:
        b64_64 = "A" * 86
        longest = [
            f"$argon2id$v=19$m=131072,t=8,p=16${b64_64}${b64_64}",
            f"$pbkdf2-sha512$3000000${b64_64}${b64_64}",
            f"$scrypt$ln=17,r=16,p=2${b64_64}${b64_64}",
        ]
        assert max(len(assert_success(adopt(text)).stored) for text in longest) <= 255


def argon2(memory: int, passes: int, lanes: int) -> str:
    return f"$argon2id$v=19$m={memory},t={passes},p={lanes}${B64_16}${B64_32}"


def pbkdf2(iterations: int) -> str:
    return f"pbkdf2:sha512:{iterations}$saltsalt${'00' * 64}"


def scrypt(n: int, r: int, p: int) -> str:
    return f"scrypt:{n}:{r}:{p}$saltsalt${'00' * 64}"


def bcrypt(cost: str) -> str:
    return f"$2b${cost}${BCRYPT}"


class TestLimits:
    @pytest.mark.parametrize(
        "text",
        [
            argon2(1024, 1, 1),
            argon2(8, 128, 1),
            argon2(128, 8, 16),
            argon2(256 * 1024, 4, 1),
            pbkdf2(10_000),
            pbkdf2(3_000_000),
            scrypt(8192, 8, 1),
            scrypt(2**18, 8, 2),
            scrypt(2**15, 2, 16),
            scrypt(8192, 64, 1),
            bcrypt("08"),
            bcrypt("14"),
            # Salts of 8, 4 and 64 bytes.
            f"$argon2id$v=19$m=1024,t=1,p=1${'A' * 11}${B64_32}",
            f"$argon2id$v=19$m=1024,t=1,p=1${'A' * 86}${B64_32}",
            f"pbkdf2:sha256:10000$salt${'00' * 32}",
            f"pbkdf2:sha256:10000${'s' * 64}${'00' * 32}",
        ],
    )
    def test_up_to_them_it_is_taken(self, text: str) -> None:
        assert_success(adopt(text))

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            (argon2(4 * 1024 * 1024, 1, 1), "Argon2, KiB 4,194,304: above 262,144"),
            (argon2(256 * 1024 + 1, 1, 1), "Argon2, KiB 262,145"),
            (argon2(256 * 1024, 5, 1), "Argon2, KiB times passes 1,310,720: above 1,048,576"),
            (argon2(1024, 1, 17), "Argon2, lanes 17"),
            (pbkdf2(10**9), "PBKDF2, iterations 1,000,000,000: above 3,000,000"),
            (pbkdf2(3_000_001), "PBKDF2, iterations 3,000,001"),
            (scrypt(2**30, 8, 1), "scrypt, KiB 1,073,741,824: above 262,144"),
            (scrypt(2**18, 8, 4), "scrypt, KiB times p 1,048,576: above 524,288"),
            (scrypt(8192, 128, 1), "scrypt, r 128"),
            (scrypt(8192, 65, 1), "scrypt, r 65: above 64"),
            (scrypt(8192, 8, 17), "scrypt, p 17"),
            (f"$scrypt$ln=99,r=8,p=1${B64_16}${B64_32}", "scrypt, KiB 633,825,300,114,"),
            (bcrypt("15"), "bcrypt, cost 15: above 14"),
            (bcrypt("31"), "bcrypt, cost 31"),
        ],
    )
    def test_what_would_hold_up_each_sign_in_is_refused(self, text: str, named: str) -> None:
        error = assert_failure(adopt(text), ErrorCode.VALIDATION_FAILED)
        assert named in error.message
        assert "each sign-in takes too long" in error.message
        assert error.message.endswith(INSTEAD)

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            (argon2(512, 1, 1), "Argon2, KiB times passes 512: below 1,024"),
            (argon2(7, 200, 1), "Argon2, KiB 7"),
            (argon2(1024, 0, 1), "Argon2, KiB times passes 0"),
            (argon2(1024, 1, 0), "Argon2, lanes 0"),
            (pbkdf2(9_999), "PBKDF2, iterations 9,999: below 10,000"),
            (pbkdf2(0), "PBKDF2, iterations 0"),
            (scrypt(4096, 8, 1), "scrypt, KiB 4,096: below 8,192"),
            (scrypt(0, 8, 1), "scrypt, KiB 0"),
            (scrypt(1, 8, 1), "scrypt, KiB 1"),
            (scrypt(8192, 1, 1), "scrypt, r 1"),
            (scrypt(8192, 8, 0), "scrypt, p 0"),
            (bcrypt("07"), "bcrypt, cost 7: below 8"),
            (bcrypt("00"), "bcrypt, cost 0"),
        ],
    )
    def test_what_is_guessed_too_fast_is_refused(self, text: str, named: str) -> None:
        error = assert_failure(adopt(text), ErrorCode.VALIDATION_FAILED)
        assert named in error.message
        assert "guessed too fast" in error.message

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            (argon2(120, 10, 16), "Argon2, lanes 16: each needs 8 KiB"),
            (scrypt(10_000, 8, 1), "scrypt: N is no power of two."),
        ],
    )
    def test_what_the_libraries_would_refuse_is_refused_before(self, text: str, named: str) -> None:
        message = assert_failure(adopt(text), ErrorCode.VALIDATION_FAILED).message
        assert message.startswith(named)

    @pytest.mark.parametrize(("length", "taken"), [(512, True), (513, False)])
    def test_a_text_of_more_than_512_characters_is_not_looked_at(
        self, length: int, taken: bool
    ) -> None:
        before, after = "$pbkdf2-sha256$i=10000,l=", f"${B64_16}${B64_32}"
        text = before + "0" * (length - len(before) - len(after)) + after
        assert adopt(text).is_success is taken


class TestShapes:
    @pytest.mark.parametrize(
        "text",
        [
            # A checksum of 15 bytes, and of none that base64 knows.
            f"$argon2id$v=19$m=1024,t=1,p=1${B64_16}${'A' * 20}",
            f"$argon2id$v=19$m=1024,t=1,p=1${B64_16}${'A' * 41}",
            f"$argon2id$v=19$m=1024,t=1,p=1${B64_16}${'A' * 88}",
            # Salts of 7, 3 and 65 bytes.
            f"$argon2id$v=19$m=1024,t=1,p=1${'A' * 10}${B64_32}",
            f"$argon2id$v=19$m=1024,t=1,p=1${'A' * 87}${B64_32}",
            f"$pbkdf2-sha256$10000$AAAA${B64_32}",
            f"$pbkdf2-sha256$10000${'A' * 87}${B64_32}",
            f"pbkdf2_sha256$10000$abc${B64_32}=",
            f"pbkdf2:sha256:10000$saltsalt${'00' * 15}",
            f"pbkdf2:sha256:10000$saltsalt${'0' * 63}",
            f"scrypt:8192:8:1$saltsalt${'00' * 65}",
        ],
    )
    def test_what_is_cut_off_is_refused(self, text: str) -> None:
        error = assert_failure(adopt(text), ErrorCode.VALIDATION_FAILED)
        assert error.message == (
            f"The salt or the checksum is cut off, or is not written as this form has it. {INSTEAD}"
        )

    @pytest.mark.parametrize(
        "text",
        [
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8",
            "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
            "b" * 128,
            "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
            "sha1$salt$5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
            "sha256$salt$5e88",
            "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
            "$apr1$salt$x",
            "{SSHA}x",
            "{MD5}x",
        ],
    )
    def test_what_is_fast_by_nature_is_refused(self, text: str) -> None:
        error = assert_failure(adopt(text), ErrorCode.VALIDATION_FAILED)
        assert (
            error.message == f"MD5 and SHA alone are guessed by the billion in a second. {INSTEAD}"
        )

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "correct horse battery staple",
            "$2x$08$" + BCRYPT,
            "$2$08$" + BCRYPT,
            "$2b$8$" + BCRYPT,
            "$2b$08$" + BCRYPT[1:],
            "$2b$08$" + BCRYPT + ".",
            "bcrypt$2b$08$" + BCRYPT,
            "$2b$٠٨$" + BCRYPT,
            f" {HASHES['argon2id']}",
            f"{HASHES['argon2id']}\n",
            f"$argon2id$v=18$m=1024,t=1,p=1${B64_16}${B64_32}",
            f"$argon2id$v=19$m=1024,t=1,p=1,keyid=x${B64_16}${B64_32}",
            f"$argon2id$v=19$m=-1024,t=1,p=1${B64_16}${B64_32}",
            f"$argon2id$v=19$m={'1' * 11},t=1,p=1${B64_16}${B64_32}",
            f"pbkdf2_md5$10000$saltsalt${B64_16}==",
            f"pbkdf2:sha1$saltsalt${'00' * 20}",
            f"pbkdf2_sha256$10000$sa$lt${B64_32}=",
            f"pbkdf2_sha256$10000$sälz${B64_32}=",
            "$5$rounds=5000$salt$x",
            "$6$salt$x",
            "$P$BsaltsaltX",
            "$7$x",
            "a" * 513,
            "\x00",
            "\ud800",
        ],
    )
    def test_what_is_no_known_form_is_refused(self, text: str) -> None:
        error = assert_failure(adopt(text), ErrorCode.VALIDATION_FAILED)
        assert error.message == (
            f"This is no Argon2, bcrypt, PBKDF2 or scrypt hash of a known form. {INSTEAD}"
        )
        assert error.field == "password_hash"

    @given(st.text())
    def test_no_text_raises(self, text: str) -> None:
        assert adopt(text).is_success in (True, False)

    @given(
        st.sampled_from(sorted(HASHES.values())),
        st.integers(min_value=0, max_value=200),
        st.text(alphabet=string.printable + "²٣é\x00\ud800", max_size=3),
    )
    def test_no_text_that_is_almost_a_hash_raises(self, text: str, place: int, put: str) -> None:
        almost = text[:place] + put + text[place + 1 :]
        assert adopt(almost).is_success in (True, False)

    @pytest.mark.parametrize(
        "text", [bcrypt("31"), argon2(1024, 1, 99), "plain-password", "ab" * 16]
    )
    def test_a_refusal_does_not_show_it(self, text: str) -> None:
        error = assert_failure(adopt(text), ErrorCode.VALIDATION_FAILED)
        assert text not in f"{error} {error!r}"
        assert text[-16:] not in repr(error)
