"""Password hashes that another system made. Each form becomes one that is verified here; what
could not be verified, what is guessed too fast and what would hold up every sign-in is refused.
No refusal shows the hash."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from core.errors import ErrorCode, ValidationError
from core.result import Failure, Result, Success

# Weakest and dearest. The dearest take a second or two, and 256 MiB, at each sign-in.
_BCRYPT_COST: Final = (8, 14)
_PBKDF2_ITERATIONS: Final = (10_000, 3_000_000)
_ARGON2_WORK: Final = (1024, 1024 * 1024)  # KiB times passes
_ARGON2_MEMORY: Final = (8, 256 * 1024)  # KiB
_SCRYPT_MEMORY: Final = (8 * 1024, 256 * 1024)  # KiB
_SCRYPT_WORK: Final = (_SCRYPT_MEMORY[0], 512 * 1024)  # KiB times lanes
_LANES: Final = (1, 16)
_SCRYPT_BLOCK: Final = (2, 64)  # one block of 1 bounds N by 2**16 (RFC 7914 §2)

_SALT_BYTES: Final = (4, 64)  # NIST SP 800-63B-4: at least 32 bits
_ARGON2_SALT_BYTES: Final = (8, 64)  # RFC 9106 §3.1
_CHECKSUM_BYTES: Final = (16, 64)  # a shorter one is right for many passwords
_LONGEST: Final = 512
_BCRYPT_ALPHABET: Final = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

_INSTEAD: Final = "Leave the hash out: the owner then asks for a new password."


@dataclass(frozen=True)
class AdoptedHash:
    """In a form, and at a cost, that is verified here."""

    stored: str = field(repr=False)


Adopted: TypeAlias = Result[AdoptedHash, ValidationError]
Groups: TypeAlias = dict[str, str]
Decode: TypeAlias = Callable[[str], bytes | None]


def adopt(text: str) -> Adopted:
    """Never raises, whatever the text is."""
    if len(text) <= _LONGEST:
        for form, read in _FORMS:
            if found := form.fullmatch(text):
                return read({name: part or "" for name, part in found.groupdict().items()})
    if _FAST.fullmatch(text):
        return _refused("MD5 and SHA alone are guessed by the billion in a second.")
    return _refused("This is no Argon2, bcrypt, PBKDF2 or scrypt hash of a known form.")


def _argon2(found: Groups) -> Adopted:
    memory, passes, lanes = (int(found[name]) for name in ("memory", "passes", "lanes"))
    salt, checksum = _base64(found["salt"]), _base64(found["checksum"])
    fault = (
        _beyond("Argon2, KiB", memory, _ARGON2_MEMORY)
        or _beyond("Argon2, KiB times passes", memory * passes, _ARGON2_WORK)
        or _beyond("Argon2, lanes", lanes, _LANES)
        or (f"Argon2, lanes {lanes}: each needs 8 KiB." if memory < 8 * lanes else None)
        or _misshapen(salt, checksum, _ARGON2_SALT_BYTES)
    )
    version = found["version"] or "16"  # before 1.3 it was not said
    return _adopted(
        fault,
        f"argon2$argon2{found['variety']}$v={version}$m={memory},t={passes},p={lanes}",
        _unpadded(salt),
        _unpadded(checksum),
    )


def _bcrypt(found: Groups) -> Adopted:
    """The last characters have bits to spare, which some systems set and the library refuses. The
    prefixes differ in faults of old libraries alone: `$2x$` is the one that was wrong."""
    salt, checksum = _without(found["salt"], 0b1111), _without(found["checksum"], 0b11)
    return _adopted(
        _beyond("bcrypt, cost", int(found["cost"]), _BCRYPT_COST),
        found["algorithm"] or "bcrypt",
        f"$2b${found['cost']}${salt}{checksum}",
    )


def _pbkdf2(found: Groups, *, salt_of: Decode, checksum_of: Decode) -> Adopted:
    iterations = int(found["iterations"])
    salt, checksum = salt_of(found["salt"]), checksum_of(found["checksum"])
    return _adopted(
        _beyond("PBKDF2, iterations", iterations, _PBKDF2_ITERATIONS)
        or _misshapen(salt, checksum, _SALT_BYTES),
        f"pbkdf2_raw${found['digest'] or 'sha1'}${iterations}",
        _unpadded(salt),
        _unpadded(checksum),
    )


def _scrypt(found: Groups, *, salt_of: Decode, checksum_of: Decode) -> Adopted:
    n = 2 ** int(found["log_n"]) if "log_n" in found else int(found["n"])
    r, p = int(found["r"]), int(found["p"])
    salt, checksum = salt_of(found["salt"]), checksum_of(found["checksum"])
    return _adopted(
        ("scrypt: N is no power of two." if n & (n - 1) else None)
        or _beyond("scrypt, r", r, _SCRYPT_BLOCK)
        or _beyond("scrypt, p", p, _LANES)
        or _beyond("scrypt, KiB", n * r // 8, _SCRYPT_MEMORY)
        or _beyond("scrypt, KiB times p", n * r * p // 8, _SCRYPT_WORK)
        or _misshapen(salt, checksum, _SALT_BYTES),
        f"scrypt_raw${n}${r}${p}",
        _unpadded(salt),
        _unpadded(checksum),
    )


def _beyond(what: str, value: int, bounds: tuple[int, int]) -> str | None:
    weakest, dearest = bounds
    if value < weakest:
        return f"{what} {value:,}: below {weakest:,} a password is guessed too fast."
    if value > dearest:
        return f"{what} {value:,}: above {dearest:,} each sign-in takes too long."
    return None


def _misshapen(salt: bytes | None, checksum: bytes | None, salts: tuple[int, int]) -> str | None:
    for part, (shortest, longest) in ((salt, salts), (checksum, _CHECKSUM_BYTES)):
        if part is None or not shortest <= len(part) <= longest:
            return "The salt or the checksum is cut off, or is not written as this form has it."
    return None


def _adopted(fault: str | None, *parts: str) -> Adopted:
    return _refused(fault) if fault else Success(AdoptedHash("$".join(parts)))


def _refused(fault: str) -> Failure[ValidationError]:
    return Failure(
        ValidationError(ErrorCode.VALIDATION_FAILED, f"{fault} {_INSTEAD}", field="password_hash")
    )


def _base64(text: str) -> bytes | None:
    """Padded or not: what is too much is passed over. Passlib writes a dot for the plus."""
    try:
        return base64.b64decode(text.replace(".", "+") + "==")
    except binascii.Error:
        return None


def _hex(text: str) -> bytes | None:
    return bytes.fromhex(text) if len(text) % 2 == 0 else None


def _unpadded(raw: bytes | None) -> str:
    return base64.b64encode(raw or b"").decode().rstrip("=")


def _without(text: str, spare: int) -> str:
    return text[:-1] + _BCRYPT_ALPHABET[_BCRYPT_ALPHABET.index(text[-1]) & ~spare]


_COUNT: Final = "[0-9]{1,10}"
_TEXT: Final = "[!-#%-~]+"  # ASCII, and no dollar
_B64: Final = "[A-Za-z0-9+/.]+={0,2}"
_HEX: Final = "[0-9a-fA-F]+"
_DIGEST: Final = "(?P<digest>sha1|sha256|sha512)"

_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[Groups], Adopted]], ...]] = (
    (
        re.compile(
            rf"(?:argon2)?\$argon2(?P<variety>id|i|d)(?:\$v=(?P<version>16|19))?"
            rf"\$m=(?P<memory>{_COUNT}),t=(?P<passes>{_COUNT}),p=(?P<lanes>{_COUNT})"
            rf"\$(?P<salt>{_B64})\$(?P<checksum>{_B64})"
        ),
        _argon2,
    ),
    (
        re.compile(
            r"(?:(?P<algorithm>bcrypt|bcrypt_sha256)\$)?\$2[aby]\$(?P<cost>[0-9]{2})"
            r"\$(?P<salt>[./A-Za-z0-9]{22})(?P<checksum>[./A-Za-z0-9]{31})"
        ),
        _bcrypt,
    ),
    (  # Django
        re.compile(
            rf"pbkdf2_{_DIGEST}\$(?P<iterations>{_COUNT})"
            rf"\$(?P<salt>{_TEXT})\$(?P<checksum>{_B64})"
        ),
        partial(_pbkdf2, salt_of=str.encode, checksum_of=_base64),
    ),
    (  # Werkzeug
        re.compile(
            rf"pbkdf2:{_DIGEST}:(?P<iterations>{_COUNT})\$(?P<salt>{_TEXT})\$(?P<checksum>{_HEX})"
        ),
        partial(_pbkdf2, salt_of=str.encode, checksum_of=_hex),
    ),
    (  # passlib, where no digest is SHA-1; and the PHC string format
        re.compile(
            rf"\$pbkdf2(?:-{_DIGEST})?\$(?:i=)?(?P<iterations>{_COUNT})(?:,l=[0-9]+)?"
            rf"\$(?P<salt>{_B64})\$(?P<checksum>{_B64})"
        ),
        partial(_pbkdf2, salt_of=_base64, checksum_of=_base64),
    ),
    (  # Django
        re.compile(
            rf"scrypt\$(?P<n>{_COUNT})\$(?P<salt>{_TEXT})\$(?P<r>{_COUNT})\$(?P<p>{_COUNT})"
            rf"\$(?P<checksum>{_B64})"
        ),
        partial(_scrypt, salt_of=str.encode, checksum_of=_base64),
    ),
    (  # Werkzeug
        re.compile(
            rf"scrypt:(?P<n>{_COUNT}):(?P<r>{_COUNT}):(?P<p>{_COUNT})"
            rf"\$(?P<salt>{_TEXT})\$(?P<checksum>{_HEX})"
        ),
        partial(_scrypt, salt_of=str.encode, checksum_of=_hex),
    ),
    (  # the PHC string format
        re.compile(
            rf"\$scrypt\$ln=(?P<log_n>[0-9]{{1,2}}),r=(?P<r>{_COUNT}),p=(?P<p>{_COUNT})"
            rf"\$(?P<salt>{_B64})\$(?P<checksum>{_B64})"
        ),
        partial(_scrypt, salt_of=_base64, checksum_of=_base64),
    ),
)
_FAST: Final = re.compile(
    r"(?:(?:[0-9a-fA-F]{2}){16,64}|(?:md5|sha1|sha224|sha256|sha512)\$.*|\$(?:1|apr1)\$.*|\{S?(?:SHA|MD5).*)"
)
