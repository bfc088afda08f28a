"""Rules on text that more than one context shares. Each returns a Result, never raises."""

import re
from typing import Final

from core.errors import ErrorCode, ValidationError
from core.result import Failure, Result, Success

# RFC 5321 §4.5.3.1: 64 octets before the @; 254 fit a forward path.
_LOCAL_PART: Final = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_LOCAL_PART: Final = 64
_LONGEST_ADDRESS: Final = 254

LONGEST_REASON: Final = 500
"""Code points of what somebody says why they do it: it stands on the trail."""
LONGEST_PASSWORD: Final = 1024
"""Code points. Above any real passphrase; below what would make hashing a weapon."""


def validate_email(value: str) -> Result[str, ValidationError]:
    """The address in its one normal form: lower case, no space around it."""
    text = value.strip() if isinstance(value, str) else ""  # type: ignore[redundant-expr]
    # Before lower(), which makes an ASCII k of the Kelvin sign.
    address = text.lower() if text.isascii() else ""
    local_part, _, domain = address.rpartition("@")
    valid = (
        len(address) <= _LONGEST_ADDRESS
        and len(local_part) <= _LONGEST_LOCAL_PART
        and _LOCAL_PART.fullmatch(local_part)
        and _is_domain(domain)
    )
    if not valid:
        return Failure(
            ValidationError(
                ErrorCode.INVALID_EMAIL,
                "Enter an e-mail address such as name@example.com. "
                "Write an international domain in its xn-- form.",
                field="email",
            )
        )
    return Success(address)


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    # RFC 3696 §2: no top-level domain is a number, so that no IPv4 address is a domain.
    named = len(labels) > 1 and not labels[-1].isdigit()
    return named and all(_LABEL.fullmatch(label) for label in labels)


def validate_password_length(value: str, minimum: int) -> Result[str, ValidationError]:
    """Counts code points, as NIST SP 800-63B-4 asks; nothing is trimmed or cut."""
    if isinstance(value, str) and minimum <= len(value) <= LONGEST_PASSWORD:  # type: ignore[redundant-expr]
        return Success(value)
    return Failure(
        ValidationError(
            ErrorCode.WEAK_PASSWORD,
            f"Use {minimum} to {LONGEST_PASSWORD} characters.",
            field="password",
        )
    )
