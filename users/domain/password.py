"""Which passwords are taken (NIST SP 800-63B-4 §3.1.1.2): long, not common, not the account's
own words. No composition rules, no truncation."""

import re
import string
from collections.abc import Set
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import SequenceMatcher
from typing import Final, Protocol

from core.errors import ErrorCode, ValidationError
from core.result import Failure, Result, Success
from core.validation import validate_password_length

RECENT: Final = timedelta(minutes=10)
"""Proved so long ago at most, it opens what a stolen session must not (ASVS 7.5.1)."""
_CONTEXT_WORDS: Final = ("dashtam",)
_SHORTEST_WORD: Final = 4
_DECORATION: Final = string.digits + string.punctuation + string.whitespace
_MOST_DECORATION: Final = 8
_TOO_SIMILAR: Final = 0.7


@dataclass(frozen=True)
class Password:
    plaintext: str = field(repr=False)

    def __str__(self) -> str:
        return "********"


class BreachedPasswords(Protocol):
    def holds(self, plaintext: str) -> bool: ...


class _NoBreaches:
    def holds(self, plaintext: str) -> bool:
        return False


@dataclass(frozen=True)
class PasswordPolicy:
    """`common` holds lower-case passwords that everybody guesses first; they are refused in any
    case, repeated, and with up to 8 digits and signs around them."""

    min_length: int = 12
    common: Set[str] = field(default=frozenset(), repr=False)
    breached: BreachedPasswords = _NoBreaches()

    def check(self, plaintext: str, email: str) -> Result[Password, ValidationError]:
        sized = validate_password_length(plaintext, self.min_length)
        if isinstance(sized, Failure):
            return sized
        lowered = plaintext.lower()
        if not self.common.isdisjoint(_guesses_of(lowered)):
            return _weak("This password is one of those that are guessed first.")
        if any(_resembles(unit, word) for word in _words_of(email) for unit in _units(lowered)):
            return _weak("This password is too similar to the account or to this product.")
        if self.breached.holds(plaintext):  # last: it may ask somebody else
            return _weak("This password was found in a data breach: others will try it.")
        return Success(Password(plaintext))


def _guesses_of(lowered: str) -> set[str]:
    """What somebody guesses who tries common passwords, and those lengthened: by digits and signs
    around them, or by saying them again. Few common passwords are long by themselves."""
    said_once = _units(lowered)
    return said_once | {_bare(unit) for unit in said_once} | _units(_bare(lowered))


def _bare(text: str) -> str:
    bare = text.strip(_DECORATION)
    return bare if len(text) - len(bare) <= _MOST_DECORATION else text


def _units(text: str) -> set[str]:
    """What it may be a repetition of: 'ab', 'abab' and itself of 'abababab'."""
    return {
        text[:size]
        for size in range(1, len(text) + 1)
        if len(text) % size == 0 and text[:size] * (len(text) // size) == text
    }


def _words_of(email: str) -> set[str]:
    words = {email, *_CONTEXT_WORDS, *re.split(r"[\W_]+", email)}
    return {word for word in words if len(word) >= _SHORTEST_WORD}


def _resembles(password: str, word: str) -> bool:
    # A password much longer than the word cannot resemble it, and comparing would cost.
    if len(password) > 10 * len(word):
        return False
    return SequenceMatcher(a=password, b=word).quick_ratio() >= _TOO_SIMILAR


def _weak(reason: str) -> Failure[ValidationError]:
    return Failure(ValidationError(ErrorCode.WEAK_PASSWORD, reason, field="password"))
